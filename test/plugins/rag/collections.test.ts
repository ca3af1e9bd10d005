import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { validate } from "../../../src/core/validate.ts";
import { ragSchema } from "../../../src/plugins/rag/config.ts";
import { startTestRag, writeFiles } from "../../support/rag.ts";
import { tempDir } from "../../support/temp-dir.ts";

for (const source of ["the API", "the config"] as const) {
  test(`a folder of the config takes no notes of ${source} away: nothing else has them`, async (t) => {
    const root = join(tempDir(t), "docs");
    mkdirSync(root);
    writeFiles(root, { "a.md": "a badger" });
    const withCollections = (...collections: object[]) => {
      const checked = validate(ragSchema, { collections, allowedRoots: [root] });
      assert.ok(checked.ok);
      return checked.value;
    };
    const { engine, put, find } = await startTestRag(t);
    if (source === "the config") await engine.follow(withCollections({ name: "notes", kind: "notes" }));
    await put("one", "an otter");
    await engine.follow(
      withCollections({ name: "notes", kind: "folder", root }, { name: "docs", kind: "folder", root }),
    );
    await engine.indexer.settled();
    await engine.settled();
    assert.deepEqual(find("otter"), ["one"]);
    assert.deepEqual(find("badger"), ["a.md"]);
    assert.deepEqual(engine.problems(), [
      'the collection "notes" of the config is left out: it holds notes (1), kept nowhere else; give it another one, or remove them and reload',
    ]);
    await engine.collections.remove("notes");
    await engine.follow(withCollections({ name: "notes", kind: "folder", root }));
    assert.deepEqual(engine.problems(), []);
    assert.equal(engine.corpus.collection("notes")?.definition.kind, "folder");
  });
}
