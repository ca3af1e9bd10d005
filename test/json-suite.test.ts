/** Every case of JSONTestSuite as a body of both ingest routes: what is no JSON is 400, and nothing is ever a 5xx. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startTestDaemon } from "./support/daemon.ts";

const SUITE = fileURLToPath(new URL("../../shared/json/test_parsing/", import.meta.url));
const skip = existsSync(SUITE) ? false : "the test data folder shared/json is not beside the repository";

for (const path of ["/api/metrics", "/api/metrics/batch"]) {
  test(`JSONTestSuite on POST ${path}`, { skip }, async (t) => {
    const daemon = await startTestDaemon(t, { config: { rateLimit: { requestsPerSecond: 0 } } });
    const files = readdirSync(SUITE);
    assert.ok(files.length > 300, `only ${files.length} cases`);
    for (const file of files) {
      const body = readFileSync(join(SUITE, file));
      const { status } = await daemon.fetch(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      if (file.startsWith("n_")) assert.equal(status, 400, file);
      else assert.ok(status < 500, `${file}: ${status}`);
    }
    assert.equal((await daemon.fetch("/health")).status, 200);
  });
}
