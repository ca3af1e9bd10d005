import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";

import {
  ensurePrivateDirectory,
  quarantine,
  readPrivateFile,
  replaceFile,
  writePrivateFile,
} from "../../src/system/files.ts";
import { recordingLog } from "../support/recording-log.ts";
import { importPath, moduleArgs } from "../support/run-module.ts";
import { tempDir } from "../support/temp-dir.ts";

const OTHER_USER = 65_534;
const notRoot = process.geteuid?.() === 0 ? false : "only root can make files of another user";

function mode(path: string): number {
  return fs.statSync(path).mode & 0o777;
}

/** Runs the rest of the test under this umask. */
function setUmask(t: TestContext, mask: number): void {
  const before = process.umask(mask);
  t.after(() => void process.umask(before));
}

describe("replaceFile", () => {
  test("writes a new file, and takes the place of an old one, with the mode asked for", async (t) => {
    const path = join(tempDir(t), "file");
    setUmask(t, 0o777);
    await replaceFile(path, "one", { mode: 0o640 });
    assert.equal(mode(path), 0o640);
    await replaceFile(path, Buffer.from("two"));
    assert.equal(mode(path), 0o600);
    assert.equal(fs.readFileSync(path, "utf8"), "two");
  });

  test("leaves the old file and nothing else when it fails", async (t) => {
    const directory = tempDir(t);
    const path = join(directory, "file");
    await replaceFile(path, "old");
    const circular = { toString: undefined } as unknown as string;
    await assert.rejects(replaceFile(path, circular));
    assert.deepEqual(fs.readdirSync(directory), ["file"]);
    assert.equal(fs.readFileSync(path, "utf8"), "old");
  });

  test("flushes the file before its renaming and the directory after it", { skip: straceMissing() }, (t) => {
    const directory = tempDir(t);
    const call = `replaceFile(${JSON.stringify(join(directory, "file"))}, "content")`;
    assert.deepEqual(traceCall(call, directory), ["fsync", "rename", "fsync"]);
  });
});

/** The flushes and changes of names below the directory that a call of a function of files.ts makes, in order. */
function traceCall(call: string, directory: string): string[] {
  const source = `import * as files from ${importPath("src/system/files.ts")};
    await files.${call};`;
  const strace = ["-f", "-y", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2,mkdir"];
  const traced = spawnSync("strace", [...strace, process.execPath, ...moduleArgs(source)], { encoding: "utf8" });
  assert.equal(traced.status, 0, traced.stderr);
  const lines = traced.stderr.split("\n").filter((line) => line.includes(directory));
  return lines.flatMap((line) => /(fsync|fdatasync|rename|mkdir)\w*\(/.exec(line)?.[1] ?? []);
}

function straceMissing(): string | false {
  const probe = spawnSync("strace", ["-e", "trace=none", "true"]);
  return probe.status === 0 ? false : "needs strace, and the right to use it";
}

describe("a private file", () => {
  test("is 0600, also where a wider one was", async (t) => {
    const path = join(tempDir(t), "token");
    fs.writeFileSync(path, "old", { mode: 0o644 });
    fs.chmodSync(path, 0o644);
    setUmask(t, 0);
    await writePrivateFile(path, "new");
    assert.equal(mode(path), 0o600);
    assert.equal(readPrivateFile(path, recordingLog())?.toString(), "new");
  });

  test("that lets others in is repaired, with a warning", (t) => {
    const path = join(tempDir(t), "token");
    fs.writeFileSync(path, "secret");
    for (const wide of [0o644, 0o640, 0o602, 0o777]) {
      fs.chmodSync(path, wide);
      const log = recordingLog();
      assert.equal(readPrivateFile(path, log)?.toString(), "secret");
      assert.equal(mode(path), 0o600);
      assert.deepEqual(log.lines, [
        {
          level: "warn",
          message: "let other users in; now it does not",
          fields: { path, foundMode: wide.toString(8), mode: "600" },
        },
      ]);
    }
    const log = recordingLog();
    fs.chmodSync(path, 0o400);
    readPrivateFile(path, log);
    assert.deepEqual(log.lines, []);
  });

  test("that is missing is undefined", (t) => {
    assert.equal(readPrivateFile(join(tempDir(t), "none"), recordingLog()), undefined);
  });

  test("of another user is refused", { skip: notRoot }, (t) => {
    const path = join(tempDir(t), "token");
    fs.writeFileSync(path, "secret", { mode: 0o600 });
    fs.chownSync(path, OTHER_USER, OTHER_USER);
    const message = `Refusing to use ${path}: it belongs to user ${OTHER_USER}, and this is user 0`;
    assert.throws(() => readPrivateFile(path, recordingLog()), new Error(message));
  });

  test("is no link, no directory, and no FIFO", (t) => {
    const directory = tempDir(t);
    fs.writeFileSync(join(directory, "target"), "secret", { mode: 0o600 });
    fs.symlinkSync("target", join(directory, "link"));
    assert.throws(() => readPrivateFile(join(directory, "link"), recordingLog()), /it is a symbolic link$/);
    assert.throws(() => readPrivateFile(directory, recordingLog()), /it is not a regular file$/);
    assert.equal(spawnSync("mkfifo", [join(directory, "fifo")]).status, 0);
    assert.throws(() => readPrivateFile(join(directory, "fifo"), recordingLog()), /it is not a regular file$/);
  });
});

describe("ensurePrivateDirectory", () => {
  test("makes it and those above it for us alone, whatever the umask", (t) => {
    for (const mask of [0, 0o022, 0o777]) {
      const directory = tempDir(t);
      const before = process.umask(mask);
      try {
        ensurePrivateDirectory(join(directory, "a", "b", "c"), recordingLog());
      } finally {
        process.umask(before);
      }
      for (const path of ["a", "a/b", "a/b/c"]) assert.equal(mode(join(directory, path)), 0o700);
    }
  });

  test("flushes the names of those it makes", { skip: straceMissing() }, (t) => {
    const directory = tempDir(t);
    const call = `ensurePrivateDirectory(${JSON.stringify(join(directory, "a", "b"))})`;
    assert.deepEqual(traceCall(call, directory), ["mkdir", "fsync", "mkdir", "fsync"]);
  });

  test("repairs one that lets others in, with a warning, and follows a link to one", (t) => {
    const directory = tempDir(t);
    const path = join(directory, "data");
    fs.mkdirSync(path);
    fs.chmodSync(path, 0o755);
    fs.symlinkSync("data", join(directory, "link"));
    const log = recordingLog();
    ensurePrivateDirectory(join(directory, "link"), log);
    assert.equal(mode(path), 0o700);
    assert.deepEqual(
      log.lines.map((line) => [line.level, line.fields["foundMode"]]),
      [["warn", "755"]],
    );
    ensurePrivateDirectory(path, log);
    assert.equal(log.lines.length, 1);
  });

  test("refuses one of another user, and what is no directory", (t) => {
    const directory = tempDir(t);
    fs.writeFileSync(join(directory, "file"), "");
    const inTheWay = join(directory, "file");
    assert.throws(() => ensurePrivateDirectory(inTheWay, recordingLog()), /file is in the way: it must be a/);
    if (notRoot) return t.diagnostic(`not tried: ${notRoot}`);
    const path = join(directory, "theirs");
    fs.mkdirSync(path, 0o700);
    fs.chownSync(path, OTHER_USER, OTHER_USER);
    assert.throws(() => ensurePrivateDirectory(path, recordingLog()), /belongs to user 65534, and this is user 0$/);
  });
});

test("quarantine keeps the file beside those of earlier times", (t) => {
  const path = join(tempDir(t), "state");
  const nowMs = Date.UTC(2025, 10, 22, 13, 54, 0, 7);
  const expected = `${path}.corrupt-20251122T135400.007Z`;
  for (const [content, target] of [
    ["one", expected],
    ["two", `${expected}-2`],
    ["three", `${expected}-3`],
  ] as const) {
    fs.writeFileSync(path, content);
    assert.equal(quarantine(path, nowMs), target);
    assert.equal(fs.readFileSync(target, "utf8"), content);
    assert.equal(fs.existsSync(path), false);
  }
});
