import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";

import { acquireLock, LockHeldError, readHolder } from "../../src/system/lock.ts";
import { processStartTime, readBootId } from "../../src/system/process-identity.ts";
import { importPath, moduleArgs } from "../support/run-module.ts";
import { tempDir } from "../support/temp-dir.ts";

const NO_PROGRAM = "flock-that-does-not-exist";
const hasFlock = spawnSync("flock", ["--version"]).status === 0;

/** A process that takes the lock, says so with the id of a child of its own that outlives it, and waits. */
async function otherHolder(
  t: TestContext,
  directory: string,
  flock: string,
): Promise<{ process: ChildProcess; childPid: number }> {
  const source = `
    import { spawn } from "node:child_process";
    import { acquireLock } from ${importPath("src/system/lock.ts")};
    acquireLock(${JSON.stringify(directory)}, { url: "http://127.0.0.1:1234" }, { flock: ${JSON.stringify(flock)} });
    const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
    console.log(child.pid);
    setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, moduleArgs(source), { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => holder.kill("SIGKILL"));
  const [line] = (await once(holder.stdout!, "data")) as [Buffer];
  const childPid = Number(line.toString());
  t.after(() => process.kill(childPid, "SIGKILL"));
  return { process: holder, childPid };
}

for (const kind of ["flock", "file"] as const) {
  const flock = kind === "flock" ? "flock" : NO_PROGRAM;
  const skip = kind === "flock" && !hasFlock ? "there is no flock program" : false;

  describe(`the lock (${kind})`, { skip }, () => {
    test("tells who holds it, and is free again after its release", (t) => {
      const directory = tempDir(t);
      const lock = acquireLock(directory, {}, { flock });
      assert.equal(lock.kind, kind);
      assert.deepEqual(readHolder(directory), {
        pid: process.pid,
        startTime: processStartTime(process.pid),
        bootId: readBootId(),
      });
      lock.update({ url: "http://127.0.0.1:9876/with/a/long/path", version: "1" });
      assert.equal(readHolder(directory)?.url, "http://127.0.0.1:9876/with/a/long/path");
      lock.update({ url: "http://short" });
      assert.equal(readHolder(directory)?.url, "http://short");
      assert.equal(fs.statSync(join(directory, "daemon.pid")).mode & 0o777, 0o600);

      assert.throws(
        () => acquireLock(directory, {}, { flock }),
        (error: Error) => {
          assert.ok(error instanceof LockHeldError);
          assert.equal(error.message, `${directory} is in use by process ${process.pid} at http://short`);
          assert.equal(error.holder?.pid, process.pid);
          return true;
        },
      );
      lock.release();
      lock.release();
      assert.equal(readHolder(directory), undefined);
      assert.deepEqual(fs.readdirSync(directory), []);
      acquireLock(directory, {}, { flock }).release();
    });

    test("ends with a killed process, though its children live on", async (t) => {
      const directory = tempDir(t);
      const holder = await otherHolder(t, directory, flock);
      const message = new RegExp(`is in use by process ${holder.process.pid} at http://127.0.0.1:1234$`);
      assert.throws(() => acquireLock(directory, {}, { flock }), message);
      holder.process.kill("SIGKILL");
      await once(holder.process, "exit");
      assert.ok(processStartTime(holder.childPid), "the child lives");
      assert.equal(readHolder(directory), undefined);
      const lock = acquireLock(directory, {}, { flock });
      assert.equal(readHolder(directory)?.pid, process.pid);
      lock.release();
    });

    test("of many that start at once one gets it", async (t) => {
      const directory = tempDir(t);
      // Of a process that is gone: the id is this one's, the start time is not.
      const stale = JSON.stringify({ pid: process.pid, startTime: "1", bootId: readBootId() });
      fs.writeFileSync(join(directory, "daemon.pid"), stale);
      const source = `
        import { acquireLock, LockHeldError } from ${importPath("src/system/lock.ts")};
        process.stdin.once("data", () => {
          try {
            acquireLock(${JSON.stringify(directory)}, {}, { flock: ${JSON.stringify(flock)} });
            console.log("got it");
          } catch (error) {
            console.log(error instanceof LockHeldError ? "held" : error);
          }
          process.stdin.once("end", () => process.exit());
        });
        console.log("ready");`;
      const start = () => spawn(process.execPath, moduleArgs(source), { stdio: ["pipe", "pipe", "inherit"] });
      const children = Array.from({ length: 4 }, start);
      t.after(() => children.forEach((child) => child.kill("SIGKILL")));
      await Promise.all(children.map((child) => once(child.stdout, "data")));
      const answers = children.map((child) => once(child.stdout, "data"));
      for (const child of children) child.stdin.write("go\n");
      const words = (await Promise.all(answers)).map(([data]) => String(data).trim()).sort();
      assert.deepEqual(words, ["got it", "held", "held", "held"]);
    });
  });
}

test("whoever removes the file that tells of the holder does not free the directory", { skip: !hasFlock }, (t) => {
  const directory = tempDir(t);
  const lock = acquireLock(directory, {});
  fs.rmSync(join(directory, "daemon.pid"));
  assert.throws(() => acquireLock(directory, {}), new RegExp(`${directory} is in use by another process`));
  lock.release();
  acquireLock(directory, {}).release();
});

describe("readHolder", () => {
  const own = { pid: process.pid, startTime: processStartTime(process.pid)!, bootId: readBootId() };
  const rows: readonly [title: string, content: string, found: boolean][] = [
    ["this very process", JSON.stringify(own), true],
    ["with the rest of an older, longer text behind it", JSON.stringify(own) + '\n45"}\n', true],
    ["another process with the same id", JSON.stringify({ ...own, startTime: "12345" }), false],
    ["the same id and time in an earlier run of the machine", JSON.stringify({ ...own, bootId: "other" }), false],
    ["no process", JSON.stringify({ ...own, pid: 2 ** 30 }), false],
    ["a number only, as other programs write it", String(process.pid), false],
    ["nothing", "", false],
    ["half a text", JSON.stringify(own).slice(0, 20), false],
    ["null", "null", false],
    ["a process group", JSON.stringify({ ...own, pid: -1 }), false],
  ];
  for (const [title, content, found] of rows) {
    test(title, (t) => {
      const directory = tempDir(t);
      fs.writeFileSync(join(directory, "daemon.pid"), content);
      assert.deepEqual(readHolder(directory), found ? own : undefined);
    });
  }

  test("no file", (t) => {
    assert.equal(readHolder(tempDir(t)), undefined);
  });
});

describe("processStartTime", () => {
  test("is the same each time, and not that of the parent", () => {
    assert.match(processStartTime(process.pid)!, /\d/);
    assert.equal(processStartTime(process.pid), processStartTime(process.pid));
  });

  const skip = process.platform !== "linux" && "needs /proc";
  test("is unknown for a process that has ended, collected or not", { skip }, async (t) => {
    // The shell's child ends when it is told to, and the program that the shell has become by then never collects it.
    const parent = spawn("sh", ["-c", "sh -c 'read line <&3' & echo $!; exec sleep 600"], {
      stdio: ["ignore", "pipe", "inherit", "pipe"],
    });
    t.after(() => parent.kill("SIGKILL"));
    const [line] = (await once(parent.stdout!, "data")) as [Buffer];
    const pid = Number(line.toString());
    const isSleep = (): boolean => fs.readFileSync(`/proc/${parent.pid}/comm`, "latin1") === "sleep\n";
    while (!isSleep()) await new Promise((resolve) => setImmediate(resolve));
    (parent.stdio[3] as Writable).end("\n");
    const state = (): string => fs.readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]!.charAt(0);
    while (state() !== "Z") await new Promise((resolve) => setImmediate(resolve));
    assert.equal(processStartTime(pid), undefined);
    for (const nonsense of [0, -1, 1.5, Number.NaN]) assert.equal(processStartTime(nonsense), undefined);
  });
});
