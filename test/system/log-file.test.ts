import * as fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import assert from "node:assert/strict";
import { type LogDisk, createFileSink } from "../../src/system/log-file.ts";
import { createLog } from "../../src/system/log.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { tempDir } from "../support/temp-dir.ts";

const modeOf = (path: string): number => fs.statSync(path).mode & 0o777;

function filesIn(directory: string): Record<string, string> {
  const names = fs.readdirSync(directory).sort();
  return Object.fromEntries(names.map((name) => [name, fs.readFileSync(join(directory, name), "utf8")]));
}

function fault(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test("lines are on the disk at once, in a file of our own", (t) => {
  const directory = join(tempDir(t), "deep", "logs");
  const sink = createFileSink({ path: join(directory, "d.log"), maxBytes: 1000, keep: 2 });
  assert.equal(sink.write("one\n"), true);
  assert.equal(sink.write("zwei ü\n"), true);
  assert.deepEqual(filesIn(directory), { "d.log": "one\nzwei ü\n" });
  assert.equal(modeOf(join(directory, "d.log")), 0o600);
  assert.equal(modeOf(directory), 0o700);
});

test("a file that is there is continued and its mode corrected", (t) => {
  const path = join(tempDir(t), "d.log");
  fs.writeFileSync(path, "old\n", { mode: 0o644 });
  const sink = createFileSink({ path, maxBytes: 10, keep: 1 });
  sink.write("new\n");
  assert.equal(fs.readFileSync(path, "utf8"), "old\nnew\n");
  assert.equal(modeOf(path), 0o600);
  sink.write("three\n");
  assert.deepEqual([fs.readFileSync(`${path}.1`, "utf8"), fs.readFileSync(path, "utf8")], ["old\nnew\n", "three\n"]);
});

test("a full file is set aside, the oldest is let go", (t) => {
  const directory = tempDir(t);
  const sink = createFileSink({ path: join(directory, "d.log"), maxBytes: 10, keep: 3 });
  for (const char of "abcdefghij") sink.write(char.repeat(4) + "\n");
  assert.deepEqual(filesIn(directory), {
    "d.log": "iiii\njjjj\n",
    "d.log.1": "gggg\nhhhh\n",
    "d.log.2": "eeee\nffff\n",
    "d.log.3": "cccc\ndddd\n",
  });
  for (const name of fs.readdirSync(directory)) assert.equal(modeOf(join(directory, name)), 0o600);
});

test("with none to keep a full file is emptied", (t) => {
  const directory = tempDir(t);
  const sink = createFileSink({ path: join(directory, "d.log"), maxBytes: 10, keep: 0 });
  for (const line of ["aaaa\n", "bbbb\n", "cccc\n"]) sink.write(line);
  assert.deepEqual(filesIn(directory), { "d.log": "cccc\n" });
});

test("a line longer than a file gets a file of its own", (t) => {
  const directory = tempDir(t);
  const sink = createFileSink({ path: join(directory, "d.log"), maxBytes: 10, keep: 1 });
  const long = "x".repeat(50) + "\n";
  sink.write(long);
  assert.deepEqual(filesIn(directory), { "d.log": long });
  for (const line of ["a\n", long, "b\n"]) sink.write(line);
  assert.deepEqual(filesIn(directory), { "d.log": "b\n", "d.log.1": long });
});

test("reopening follows a file that somebody else has moved", (t) => {
  const directory = tempDir(t);
  const path = join(directory, "d.log");
  const sink = createFileSink({ path, maxBytes: 100, keep: 1 });
  sink.write("one\n");
  fs.renameSync(path, join(directory, "moved"));
  sink.reopen();
  sink.write("two\n");
  assert.deepEqual(filesIn(directory), { "d.log": "two\n", moved: "one\n" });
});

test("a full disk loses lines, leaves no half line, and is found again", (t) => {
  const directory = tempDir(t);
  let freeBytes = 12;
  const disk: LogDisk = {
    ...fs,
    writeSync: ((fd: number, bytes: Buffer, offset: number) => {
      const length = Math.min(freeBytes, bytes.length - offset);
      if (length === 0) throw fault("ENOSPC");
      freeBytes -= length;
      return fs.writeSync(fd, bytes, offset, length);
    }) as LogDisk["writeSync"],
  };
  const path = join(directory, "d.log");
  const sink = createFileSink({ path, maxBytes: 1000, keep: 1 }, disk);
  const written = ["first\n", "second line\n", "third\n"].map((line) => sink.write(line));
  assert.deepEqual(written, [true, false, false]);
  assert.equal(fs.readFileSync(path, "utf8"), "first\n");
  freeBytes = 1000;
  assert.equal(sink.write("fourth\n"), true);
  assert.equal(fs.readFileSync(path, "utf8"), "first\nfourth\n");
});

test("the log reports what the disk refused", (t) => {
  let isFull = false;
  const writeSync = ((fd: number, bytes: Buffer, offset: number) => {
    if (isFull) throw fault("ENOSPC");
    return fs.writeSync(fd, bytes, offset);
  }) as LogDisk["writeSync"];
  const path = join(tempDir(t), "d.log");
  const sink = createFileSink({ path, maxBytes: 1000, keep: 1 }, { ...fs, writeSync });
  const log = createLog({ level: "info", format: "text", sink, clock: fakeClock() });
  isFull = true;
  log.info("a");
  log.info("b");
  isFull = false;
  log.info("c");
  const lines = fs.readFileSync(path, "utf8").split("\n");
  assert.match(lines[0]!, /log lines were lost because they could not be written count=2$/);
  assert.match(lines[1]!, /INFO {2}c$/);
});

test("where nothing can be renamed, the file is emptied and stays bounded", (t) => {
  const directory = tempDir(t);
  const renameSync = (): void => {
    throw fault("EACCES");
  };
  const sink = createFileSink({ path: join(directory, "d.log"), maxBytes: 10, keep: 2 }, { ...fs, renameSync });
  const written = ["aaaa\n", "bbbb\n", "cccc\n"].map((line) => sink.write(line));
  assert.deepEqual(written, [true, true, true]);
  assert.deepEqual(filesIn(directory), { "d.log": "cccc\n" });
});

test("a new file that cannot be opened loses lines until it can", (t) => {
  const directory = tempDir(t);
  const path = join(directory, "d.log");
  let isFull = false;
  const openSync = ((...args: Parameters<typeof fs.openSync>) => {
    if (isFull) throw fault("ENOSPC");
    return fs.openSync(...args);
  }) as LogDisk["openSync"];
  const sink = createFileSink({ path, maxBytes: 10, keep: 1 }, { ...fs, openSync });
  sink.write("aaaa\n");
  sink.write("bbbb\n");
  isFull = true;
  assert.equal(sink.write("cccc\n"), false);
  assert.equal(sink.write("dddd\n"), false);
  isFull = false;
  assert.equal(sink.write("eeee\n"), true);
  assert.deepEqual(filesIn(directory), { "d.log": "eeee\n", "d.log.1": "aaaa\nbbbb\n" });
});

test("only a regular file is opened, and never through a link", (t) => {
  const directory = tempDir(t);
  fs.writeFileSync(join(directory, "target"), "");
  fs.symlinkSync(join(directory, "target"), join(directory, "link"));
  const open = (path: string) => () => createFileSink({ path, maxBytes: 10, keep: 1 });
  assert.throws(open(join(directory, "link")), { code: "ELOOP" });
  assert.throws(open("/dev/null"), { message: "Cannot log to /dev/null: it is not a regular file" });
  assert.throws(open(directory), { code: "EISDIR" });
});

test("after closing, a line opens the file again", async (t) => {
  const path = join(tempDir(t), "d.log");
  const sink = createFileSink({ path, maxBytes: 100, keep: 1 });
  await sink.close();
  await sink.close();
  assert.equal(sink.write("late\n"), true);
  assert.equal(fs.readFileSync(path, "utf8"), "late\n");
  await sink.close();
});
