import assert from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readDefinitionFolder } from "../../src/system/definition-folder.ts";
import { tempDir } from "../support/temp-dir.ts";

const uid = process.getuid?.();
const contentOf = (path: string, owner = uid): unknown[] =>
  readDefinitionFolder(path, owner).map((file) => (file.ok ? file.value : file.problem));

test("JSON files in order of name; all else is passed over", (t) => {
  const folder = join(tempDir(t), "jobs.d");
  assert.deepEqual(contentOf(folder), [], "a folder that is missing");
  mkdirSync(folder, { mode: 0o755 });
  for (const [name, text] of [
    ["b.json", '{"name": "b"}'],
    ["a.json", '"a"'],
    [".a.json.swp", "x"],
    [".c.json", "x"],
    ["notes.txt", "x"],
    ["b.json~", "x"],
  ]) {
    writeFileSync(join(folder, name!), text!, { mode: 0o644 });
  }
  assert.deepEqual(contentOf(folder), ["a", { name: "b" }]);
  assert.deepEqual(
    readDefinitionFolder(folder, uid).map((file) => file.ok && file.isReadableByOthers),
    [true, true],
  );
});

test("what others could have written is refused, file by file and as a folder", (t) => {
  const folder = tempDir(t);
  const path = join(folder, "a.json");
  writeFileSync(path, "1", { mode: 0o600 });
  writeFileSync(join(folder, "b.json"), "[2", { mode: 0o600 });
  symlinkSync(path, join(folder, "c.json"));
  const [, problem] = contentOf(folder);
  assert.match(String(problem), /b\.json is not JSON: line 1, column 3: /);
  assert.deepEqual(contentOf(folder), [1, problem, 1]);
  chmodSync(path, 0o620);
  assert.match(String(contentOf(folder)[0]), /a\.json can be changed by others \(mode 0620\); run: chmod go-w/);
  assert.match(
    String(contentOf(folder)[2]),
    /c\.json can be changed by others/,
    "a link is judged by what it leads to",
  );
  chmodSync(folder, 0o770);
  assert.deepEqual(contentOf(folder), [`${folder} can be changed by others (mode 0770); run: chmod go-w ${folder}`]);
  chmodSync(folder, 0o700);
  if (uid === undefined || uid === 0)
    t.diagnostic("as root, every file is root's: files of another owner are not tried");
  else assert.match(String(contentOf(folder, uid + 1)[0]), /belongs to user/);
});
