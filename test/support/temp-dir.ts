/** A directory of the test's own, removed when the test ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

export function tempDir(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "pi-daemon-test-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
