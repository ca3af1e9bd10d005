import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  promises,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { readBelow } from "../../src/system/folder-read.ts";
import { seededRandom } from "../support/random.ts";
import { tempDir } from "../support/temp-dir.ts";

const isWindows = process.platform === "win32";

function makeRoot(t: TestContext): string {
  const top = realpathSync(tempDir(t));
  mkdirSync(join(top, "root/a"), { recursive: true });
  mkdirSync(join(top, "outside"));
  writeFileSync(join(top, "root/a/b.md"), "hello");
  writeFileSync(join(top, "outside/b.md"), "secret");
  return join(top, "root");
}

test("the bytes of a file, with its size and time", async (t) => {
  const root = makeRoot(t);
  const read = await readBelow(root, "a/b.md", 5);
  assert.ok(read.ok);
  assert.equal(read.bytes.toString(), "hello");
  assert.equal(read.sizeBytes, 5);
  assert.equal(read.modifiedMs, (await promises.stat(join(root, "a/b.md"))).mtimeMs);
});

describe("what is not read, and why", { skip: isWindows }, () => {
  const rows: readonly (readonly [string, string])[] = [
    ["none.md", "gone"],
    ["a/b.md/c", "gone"],
    ["a", "special"],
    ["pipe", "special"],
    ["large.md", "large"],
    ["sparse.md", "large"],
    ["link.md", "outside"],
    ["inner.md", "outside"],
    ["folder/b.md", "outside"],
    ["../outside/b.md", "outside"],
    ["a/../a/b.md", "outside"],
    ["/etc/hostname", "outside"],
    ["a//b.md", "outside"],
    ["./a/b.md", "outside"],
    ["a/b.md\0", "outside"],
    ["", "special"],
    ["n".repeat(300), "unreadable"],
  ];
  for (const [path, reason] of rows) {
    test(`${JSON.stringify(path.slice(0, 20))} is ${reason}`, async (t) => {
      const root = makeRoot(t);
      writeFileSync(join(root, "large.md"), "123456");
      writeFileSync(join(root, "sparse.md"), "");
      truncateSync(join(root, "sparse.md"), 2 ** 30);
      symlinkSync("../outside/b.md", join(root, "link.md"));
      symlinkSync("a/b.md", join(root, "inner.md"));
      symlinkSync("../outside", join(root, "folder"));
      execFileSync("mkfifo", [join(root, "pipe")]);
      assert.deepEqual(await readBelow(root, path, 5), { ok: false, reason });
    });
  }

  test("a device is not opened", async () => {
    assert.deepEqual(await readBelow("/dev", "zero", 100), { ok: false, reason: "special" });
  });

  test("what may not be read", async (t) => {
    if (process.getuid?.() === 0) return t.skip("root may read everything");
    const root = makeRoot(t);
    chmodSync(join(root, "a/b.md"), 0);
    assert.deepEqual(await readBelow(root, "a/b.md", 5), { ok: false, reason: "unreadable" });
  });
});

test("a file that goes on growing is given up after the second time, with bounded memory", async (t) => {
  const root = makeRoot(t);
  const path = join(root, "log.md");
  writeFileSync(path, "x".repeat(100_000));
  let isOver = false;
  const grow = async (): Promise<void> => {
    while (!isOver) {
      appendFileSync(path, "y");
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const growing = grow();
  const reasons = new Set<string>();
  for (let round = 0; round < 20; round++) {
    const read = await readBelow(root, "log.md", 10_000_000);
    if (read.ok) assert.equal(read.bytes.length, read.sizeBytes);
    else reasons.add(read.reason);
  }
  isOver = true;
  await growing;
  assert.deepEqual([...reasons], ["changing"]);
  assert.ok((await readBelow(root, "log.md", 10_000_000)).ok, "and is read once it rests");
});

test("a file or a folder that turns into a link again and again gives away nothing", { skip: isWindows }, async (t) => {
  const root = makeRoot(t);
  const random = seededRandom(11);
  let isOver = false;
  const swap = async (): Promise<void> => {
    while (!isOver) {
      const name = random.pick(["a", "a/b.md"]);
      const target = name === "a" ? "../outside" : "../../outside/b.md";
      renameSync(join(root, name), join(root, "away"));
      symlinkSync(target, join(root, name));
      await new Promise((resolve) => setImmediate(resolve));
      rmSync(join(root, name));
      renameSync(join(root, "away"), join(root, name));
      for (let turns = random.int(0, 8); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const swapping = swap();
  const outcomes = new Map<string, number>();
  for (let round = 0; round < 500; round++) {
    const read = await readBelow(root, "a/b.md", 100);
    if (read.ok) assert.equal(read.bytes.toString(), "hello");
    const outcome = read.ok ? "read" : read.reason;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  isOver = true;
  await swapping;
  assert.ok(
    (outcomes.get("read") ?? 0) > 0 && (outcomes.get("outside") ?? 0) > 0,
    `both happened: ${JSON.stringify([...outcomes])}`,
  );
});
