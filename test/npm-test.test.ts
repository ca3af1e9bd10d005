/** No test file is left out of `npm test`: some folders run in processes of their own, others share one. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "..");

test("npm test reaches every test file", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: { test: string } };
  const patterns = [...scripts.test.matchAll(/"([^"]+)"/g)].map(([, pattern]) => pattern!);
  const grouped = globSync("test/*.test.ts", { cwd: ROOT }).flatMap((file) =>
    [...readFileSync(join(ROOT, file), "utf8").matchAll(/^await importTests\("(\w+)"\)/gm)].map(
      ([, folder]) => folder!,
    ),
  );
  const reached = globSync([...patterns, ...grouped.map((folder) => `test/${folder}/**/*.test.ts`)], { cwd: ROOT });
  assert.ok(patterns.length > 0 && grouped.length > 0);
  assert.deepEqual(reached.sort(), globSync("test/**/*.test.ts", { cwd: ROOT }).sort());
});
