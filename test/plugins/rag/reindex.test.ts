import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { reindexAction } from "../../../src/plugins/rag/reindex.ts";
import { startTestRag } from "../../support/rag.ts";
import { tempDir } from "../../support/temp-dir.ts";

const { signal } = new AbortController();

test("the action looks at one collection or at all, and says what it found", async (t) => {
  const root = tempDir(t);
  writeFileSync(join(root, "a.md"), "fox");
  const collections = [{ name: "docs", kind: "folder", root, watch: false }];
  const { engine, put, find } = await startTestRag(t, { config: { collections, allowedRoots: [root] } });
  await put("n", "a note");
  await engine.indexer.settled();
  const reindex = reindexAction(engine);
  writeFileSync(join(root, "b.md"), "dog");
  const all =
    "docs: 1 added, 0 changed, 0 removed, 1 as they were\nnotes: 0 added, 0 changed, 0 removed, 0 as they were";
  assert.equal(await reindex({}, signal), all);
  assert.deepEqual(find("dog"), ["b.md"]);
  assert.match(await reindex({ collection: "docs", full: true }, signal), /^docs: 0 added, 2 changed/);
  assert.equal(engine.indexes.hashed.encoder.documentCount, 3);
  await assert.rejects(reindex({ collection: "none" }, signal), /there is no collection "none"/);
  await assert.rejects(reindex({ collection: 5 }, signal), /expected the name/);
});
