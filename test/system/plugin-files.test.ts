import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createPluginFiles } from "../../src/system/plugin-files.ts";
import { tempDir } from "../support/temp-dir.ts";

test("files are written by path, read in parts, listed and removed", async (t) => {
  const root = join(tempDir(t), "files");
  const files = createPluginFiles(root);
  assert.deepEqual(await files.list(), []);
  writeFileSync(files.pathOf("output/backup/1.log"), "hello world");
  assert.equal(statSync(join(root, "output/backup")).mode & 0o777, 0o700);
  assert.equal(String(await files.read("output/backup/1.log", 6, 3)), "wor");
  assert.equal(String(await files.read("output/backup/1.log", 11, 3)), "");
  assert.equal(await files.read("output/backup/2.log", 0, 3), undefined);
  assert.deepEqual(
    (await files.list()).map(({ name, sizeBytes }) => [name, sizeBytes]),
    [["output/backup/1.log", 11]],
  );
  await files.remove(["output/backup/1.log", "output/backup/2.log"]);
  assert.deepEqual(await files.list(), []);
});

test("no name leads out of the folder", async (t) => {
  const files = createPluginFiles(join(tempDir(t), "files"));
  for (const name of ["../x", "/etc/passwd", "a/../../x", "", "."]) {
    assert.throws(() => files.pathOf(name), RangeError, name);
    await assert.rejects(async () => files.remove([name]), RangeError, name);
  }
});
