import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import assert from "node:assert/strict";
import { expandPath, readGuardedFile } from "../../src/system/guarded-file.ts";
import { tempDir } from "../support/temp-dir.ts";

const uid = process.getuid?.();
const options = { uid, maxBytes: 1000 };

function refusal(path: string, changed: Partial<typeof options> = {}): string {
  const read = readGuardedFile(path, { ...options, ...changed });
  if (read.ok) assert.fail(`was read: ${read.text}`);
  return `${read.isMissing ? "missing: " : ""}${read.message}`;
}

test("a file of our own is read; whether others can read it is told", (t) => {
  const path = join(tempDir(t), "a");
  writeFileSync(path, "\ufefftext ü\n");
  chmodSync(path, 0o640);
  assert.deepEqual(readGuardedFile(path, options), { ok: true, text: "text ü\n", isReadableByOthers: false });
  chmodSync(path, 0o644);
  assert.deepEqual(readGuardedFile(path, options), { ok: true, text: "text ü\n", isReadableByOthers: true });
});

test("a file that others can change is refused", (t) => {
  const path = join(tempDir(t), "a");
  writeFileSync(path, "");
  for (const [mode, shown] of [
    [0o620, "0620"],
    [0o602, "0602"],
    [0o666, "0666"],
  ] as const) {
    chmodSync(path, mode);
    assert.equal(refusal(path), `${path} can be changed by others (mode ${shown}); run: chmod go-w ${path}`);
  }
});

test("a file of somebody else is refused, one of root is not", (t) => {
  const path = join(tempDir(t), "a");
  writeFileSync(path, "", { mode: 0o600 });
  const other = 54_321;
  if (uid === 0) {
    assert.equal(readGuardedFile(path, { ...options, uid: other }).ok, true);
    chownSync(path, other, other);
  }
  const owner = uid === 0 ? other : uid;
  assert.equal(
    refusal(path, { uid: 65_000 }),
    `${path} belongs to user ${owner}; it must belong to user 65000, who runs the daemon, or to root`,
  );
});

test("what is behind a link is judged", (t) => {
  const directory = tempDir(t);
  const path = join(directory, "a");
  writeFileSync(path, "x", { mode: 0o600 });
  symlinkSync(path, join(directory, "link"));
  assert.equal(readGuardedFile(join(directory, "link"), options).ok, true);
  chmodSync(path, 0o622);
  assert.match(refusal(join(directory, "link")), /can be changed by others/);
});

test("what is no readable text file is refused with a reason", (t) => {
  const directory = tempDir(t);
  const path = join(directory, "a");
  assert.equal(refusal(path), `missing: ${path} does not exist`);
  assert.equal(refusal(join(directory, "b", "c")), `missing: ${join(directory, "b", "c")} does not exist`);
  mkdirSync(path);
  assert.equal(refusal(path), `${path} is not a regular file`);
  const binary = join(directory, "binary");
  writeFileSync(binary, Buffer.from([0x61, 0xff]), { mode: 0o600 });
  assert.equal(refusal(binary), `${binary} is not UTF-8 text`);
  const long = join(directory, "long");
  writeFileSync(long, "x".repeat(1001), { mode: 0o600 });
  assert.equal(refusal(long), `${long} is longer than 1000 bytes`);
  chmodSync(long, 0o200);
  if (uid !== 0) assert.equal(refusal(long), `${long} cannot be read: permission denied`);
});

test("a pipe that nobody writes is refused, not waited for", (t) => {
  const path = join(tempDir(t), "pipe");
  execFileSync("mkfifo", ["-m", "600", path]);
  assert.equal(refusal(path), `${path} is not a regular file`);
});

for (const [path, expected] of [
  ["~", "/home/ada"],
  ["~/x/y", "/home/ada/x/y"],
  ["/etc/x", "/etc/x"],
  ["x/../y", "/base/y"],
  ["..", "/"],
  ["~x", "/base/~x"],
] as const) {
  test(`${path} is ${expected}`, () => assert.equal(expandPath(path, { home: "/home/ada", base: "/base" }), expected));
}
