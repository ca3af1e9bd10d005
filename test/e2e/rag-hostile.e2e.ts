/** Folders and ids that are meant to harm: what is outside stays outside, nothing hangs, memory stays flat. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type RagDaemon, startRagDaemon } from "../support/rag-daemon.ts";
import { tempDir } from "../support/temp-dir.ts";

const IS_LINUX = process.platform === "linux";

async function startOn(t: TestContext, root: string, more: object = {}): Promise<RagDaemon> {
  const collections = [{ name: "docs", kind: "folder", root, ...more }];
  return startRagDaemon(t, tempDir(t), { rag: { allowedRoots: [root], collections } });
}

/** The most memory that the process ever had, in MiB; 0 where that is not told. */
function peakMebibytes({ pid }: RagDaemon): number {
  if (!IS_LINUX) return 0;
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
}

test("ids are no paths", async (t) => {
  const directory = tempDir(t);
  const daemon = await startRagDaemon(t, directory, { rag: {} });
  const ids = [
    "../../../escaped",
    "/etc/passwd",
    "..",
    "__proto__",
    "a\\..\\b",
    "%2e%2e%2fx",
    "con",
    "x".repeat(512),
    "\u202Etxt.exe",
  ];
  for (const id of ids) {
    const { status, body } = await daemon.call("PUT", `collections/n/documents/${encodeURIComponent(id)}`, {
      text: `text of ${id}`,
    });
    if (id === "..") continue;
    assert.equal(status, 201, `${id}: ${JSON.stringify(body)}`);
    const read = await daemon.call("GET", `collections/n/documents/${encodeURIComponent(id)}`);
    assert.equal(read.body["text"], `text of ${id}`);
  }
  assert.deepEqual(readdirSync(directory).sort(), ["config.json", "data"]);
  for (const name of ["__proto__", "..", "constructor ", "A", ""]) {
    const { status } = await daemon.call("POST", "collections", { name, kind: "notes" });
    assert.equal(status, 400, JSON.stringify(name));
  }
});

test("a pipe, a device, a file of 1 GB, bytes that are no text: passed over, counted, at once", async (t) => {
  const root = tempDir(t);
  writeFileSync(join(root, "a.md"), "plain");
  writeFileSync(join(root, "bad.md"), Buffer.from([0xc3, 0x28, 0xff, 0xfe, 0x41]));
  writeFileSync(join(root, "huge.md"), "");
  truncateSync(join(root, "huge.md"), 2 ** 30);
  if (IS_LINUX) assert.equal(spawnSync("mkfifo", [join(root, "pipe.md")]).status, 0);
  symlinkSync("/dev/zero", join(root, "zero.md"));
  const daemon = await startOn(t, root);
  const { problems, skipped } = await daemon.reindex("docs");
  assert.deepEqual(problems, []);
  assert.deepEqual(skipped, { binary: 0, large: 1, unreadable: 0, special: IS_LINUX ? 1 : 0, outside: 1 });
  const { body } = await daemon.call("GET", "collections/docs/documents/bad.md");
  assert.equal(body["text"], "\uFFFD(\uFFFD\uFFFDA");
  const peak = peakMebibytes(daemon);
  assert.ok(peak < 250, `${peak} MiB at most`);
});

test(
  "a line of 50 MB is indexed where the limit allows it; others are answered meanwhile",
  { timeout: 300_000 },
  async (t) => {
    const root = tempDir(t);
    const line = "lorem ipsum dolor sit amet consectetur ".repeat(Math.ceil(50e6 / 39)).slice(0, 50e6);
    writeFileSync(join(root, "line.txt"), `${line}needle`);
    const daemon = await startOn(t, root, { maxFileBytes: 67_108_864 });
    let slowestMs = 0;
    let isOver = false;
    const probing = (async () => {
      while (!isOver) {
        const since = performance.now();
        await (await fetch(`${daemon.url}/health`)).arrayBuffer();
        slowestMs = Math.max(slowestMs, performance.now() - since);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    assert.deepEqual((await daemon.reindex("docs"))["problems"], []);
    isOver = true;
    await probing;
    const { body } = await daemon.call("GET", "search?q=needle");
    assert.equal((body["hits"] as unknown[]).length, 1);
    t.diagnostic(
      `health took ${slowestMs.toFixed(0)} ms at most; ${peakMebibytes(daemon).toFixed(0)} MiB of memory at most`,
    );
    assert.ok(peakMebibytes(daemon) < 1500);
  },
);

test("links that are exchanged while a folder is read lead nowhere", { timeout: 120_000 }, async (t) => {
  const base = tempDir(t);
  const [root, secret] = [join(base, "root"), join(base, "secret")];
  for (const folder of [root, secret]) mkdirSync(folder);
  for (let at = 0; at < 50; at++) {
    mkdirSync(join(root, `d${at}`));
    mkdirSync(join(secret, `d${at}`), { recursive: true });
    for (const file of ["x.md", "y.md"]) {
      writeFileSync(join(root, `d${at}`, file), `open ${at}`);
      writeFileSync(join(secret, `d${at}`, file), `forbidden ${at}`);
    }
  }
  const daemon = await startOn(t, root);
  for (let round = 0; round < 15; round++) {
    const looking = daemon.reindex("docs", round % 5 === 4);
    for (let at = 0; at < 50; at++) {
      const path = join(root, `d${at}`);
      renameSync(path, `${path}.away`);
      symlinkSync(join(secret, `d${at}`), path);
      if (at % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
      rmSync(path);
      renameSync(`${path}.away`, path);
      const file = join(path, "x.md");
      rmSync(file);
      symlinkSync(join(secret, `d${at}`, "x.md"), file);
      if (at % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      rmSync(file);
      writeFileSync(file, `open ${at} again ${round}`);
    }
    await looking;
    const { body } = await daemon.call("GET", "search?q=forbidden&mode=lexical");
    assert.deepEqual(body["hits"], [], `round ${round}`);
  }
  await daemon.reindex("docs");
  const { body } = await daemon.call("GET", "collections/docs");
  assert.equal(body["documents"], 100);
});
