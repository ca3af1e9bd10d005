/**
 * Every state directory in `golden/` that an earlier version wrote, and was killed over: this version tells the same
 * of it.
 */
import assert from "node:assert/strict";
import { chmodSync, cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createClient } from "../src/client.ts";
import { startTestDaemon } from "./support/daemon.ts";
import { tempDir } from "./support/temp-dir.ts";
import { readToldState } from "./support/told-state.ts";

const GOLDEN = join(import.meta.dirname, "golden");
const versions = readdirSync(GOLDEN).filter((name) => name.startsWith("state-"));

/** Runs of any age are kept: the directories are old. */
const config = { jobs: { defaults: { keepFor: "36500d" } } };
/** Of a folder that is gone since, a note in a segment, and one in the journal. */
const FOUND = [
  ["harbour pump oiled", "guide/pumps.md"],
  ["lighthouse painted", "sealed"],
  ["ferry mail", "young"],
] as const;
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("state of earlier versions", () => {
  for (const version of versions) {
    test(`${version}: the same is told of it, again after a restart, and it goes on from there`, async (t) => {
      const dataDir = join(tempDir(t), "data");
      cpSync(join(GOLDEN, version, "data"), dataDir, { recursive: true });
      // A checkout has no private modes.
      chmodSync(dataDir, 0o700);
      const told: unknown = JSON.parse(readFileSync(join(GOLDEN, version, "told.json"), "utf8"));
      const clientOf = () => createClient({ socketPath: join(dataDir, "daemon.sock") });

      const first = await startTestDaemon(t, { dataDir, config });
      assert.deepEqual(plain(await readToldState(clientOf())), told);
      const again = await first.post("/api/metrics/batch", {
        requestId: "golden-after",
        metrics: [{ name: "bare", type: "counter" }],
      });
      assert.equal(again.status, 409, "what it had counted under an id counts no second time");
      await first.stop();

      const second = await startTestDaemon(t, { dataDir, config });
      assert.deepEqual(plain(await readToldState(clientOf())), told);
      await second.post("/api/metrics", { name: "bare", type: "counter", increment: 2.5 });
      assert.match(await second.clientMetrics(), /^bare 5$/m);
      for (const [words, id] of FOUND) {
        const { hits } = await clientOf().json<{ hits: readonly { id: string }[] }>("POST", "/api/rag/search", {
          body: { q: words },
        });
        assert.equal(hits[0]?.id, id, words);
      }
      assert.equal(
        readdirSync(dataDir, { recursive: true }).some((name) => String(name).includes(".corrupt-")),
        false,
      );
    });
  }

  test("there is one", () => assert.ok(versions.length > 0));
});
