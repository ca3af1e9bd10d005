/** `backup` and `restore`, with a daemon and without. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { writeTar } from "../../src/system/tar.ts";
import { commandLine, type CommandLine } from "../support/command-line.ts";
import { startProgram } from "../support/program.ts";

async function countOf(cli: CommandLine): Promise<string> {
  const { url } = JSON.parse((await cli.call(["status", "--json"])).out) as { url: string };
  const text = await (await fetch(`${url}/metrics`)).text();
  return /^a_total (\d+)$/m.exec(text)?.[1] ?? "none";
}

async function send(cli: CommandLine, times: number): Promise<void> {
  for (let at = 0; at < times; at++) assert.equal((await cli.call(["send", "a_total"])).code, 0);
}

test("a backup of a running daemon holds what it had at that moment", async (t) => {
  const cli = commandLine(t);
  await startProgram(t, cli.configPath, { env: cli.env });
  await send(cli, 3);
  const file = join(cli.home, "backup.tar.gz");
  const made = await cli.call(["backup", file]);
  assert.match(made.out, /^wrote .*backup\.tar\.gz \(/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await send(cli, 2);
  const token = readFileSync(join(cli.dataDir, "token"), "utf8");

  const refused = await cli.call(["restore", file]);
  assert.equal(refused.code, 4);
  assert.match(refused.err, /the daemon \(pid \d+\) is running.*\n.*pi-daemon stop/);
  assert.equal(await countOf(cli), "5");

  assert.equal((await cli.call(["stop"])).code, 0);
  writeFileSync(join(cli.dataDir, "token"), "another");
  const restored = await cli.call(["restore", file]);
  assert.match(restored.out, /^restored \d+ files .* into .*\nthe state before it is in .*before-restore-\d+T\d+Z;/);
  assert.equal(restored.code, 0);
  assert.equal(readFileSync(join(cli.dataDir, "token"), "utf8"), token);
  await startProgram(t, cli.configPath, { env: cli.env });
  assert.equal(await countOf(cli), "3");
});

test("of a stopped daemon too, into another home", async (t) => {
  const cli = commandLine(t);
  await startProgram(t, cli.configPath, { env: cli.env });
  await send(cli, 4);
  await cli.call(["stop"]);
  const file = join(cli.home, "backup.tar.gz");
  assert.equal((await cli.call(["backup", file])).code, 0);
  assert.match((await cli.call(["backup", file])).err, /there is a file .* already\n.*--force/);
  assert.equal((await cli.call(["backup", file, "--force"])).code, 0);

  const other = commandLine(t);
  const { code, out } = await other.call(["restore", file, "--json"]);
  assert.equal(code, 0);
  assert.equal((JSON.parse(out) as { keptIn: unknown }).keptIn, null);
  await startProgram(t, other.configPath, { env: other.env });
  assert.equal(await countOf(other), "4");
});

test("nothing to back up, nothing to restore", async (t) => {
  const cli = commandLine(t);
  const none = await cli.call(["backup", join(cli.home, "b.tar.gz")]);
  assert.match(none.err, /there is nothing to back up: .* does not exist/);
  assert.deepEqual(readdirSync(cli.home), [".pi"]);
  const missing = await cli.call(["restore", join(cli.home, "b.tar.gz")]);
  assert.match(missing.err, /there is no file .*b\.tar\.gz/);
});

async function archiveOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const sources = Object.entries(files).map(([name, text]) => ({
    name,
    sizeBytes: Buffer.byteLength(text),
    modifiedMs: 0,
    pieces: (async function* () {
      yield Buffer.from(text);
    })(),
  }));
  const pieces: Uint8Array[] = [];
  for await (const piece of writeTar(sources)) pieces.push(piece);
  return gzipSync(Buffer.concat(pieces));
}

const MANIFEST = JSON.stringify({ format: 1, version: "0.0.0", createdMs: 0 });
const NAMED = { "pi-daemon-backup.json": MANIFEST };

const BAD: Readonly<Record<string, readonly [bytes: () => Promise<Buffer>, reason: RegExp]>> = {
  "no gzip": [async () => Buffer.from("hello"), /it is no whole gzip archive/],
  "cut short": [async () => (await archiveOf({ ...NAMED, "a/b": "x".repeat(9999) })).subarray(0, -30), /no whole gzip/],
  empty: [async () => archiveOf({}), /it is empty/],
  "no manifest": [async () => archiveOf({ token: "x" }), /does not begin with pi-daemon-backup\.json/],
  "a newer format": [
    async () => archiveOf({ "pi-daemon-backup.json": '{"format":2,"version":"9.1"}' }),
    /by pi-daemon 9\.1, in a format/,
  ],
  "a name that leads out": [
    async () => archiveOf({ ...NAMED, "../x": "" }),
    /"\.\.\/x" leads out of the data directory/,
  ],
  "an absolute name": [async () => archiveOf({ ...NAMED, "/tmp/x": "" }), /"\/tmp\/x" leads out/],
};

for (const [title, [bytes, reason]] of Object.entries(BAD)) {
  test(`${title}: a sentence, and nothing changes`, async (t) => {
    const cli = commandLine(t);
    mkdirSync(join(cli.dataDir, "metrics"), { recursive: true, mode: 0o700 });
    writeFileSync(join(cli.dataDir, "metrics", "state"), "kept");
    const file = join(cli.home, "bad.tar.gz");
    writeFileSync(file, await bytes());
    const { code, err } = await cli.call(["restore", file]);
    assert.equal(code, 1);
    assert.match(err, reason);
    assert.match(err, /Nothing was changed/);
    assert.deepEqual(readdirSync(cli.dataDir), ["metrics"]);
    assert.equal(readFileSync(join(cli.dataDir, "metrics", "state"), "utf8"), "kept");
  });
}

test("after a restore that was cut short no daemon starts, until it is done again", async (t) => {
  const cli = commandLine(t);
  mkdirSync(cli.dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(join(cli.dataDir, "restore-unfinished"), "");
  const refused = await cli.run("start");
  assert.notEqual(refused.code, 0);
  assert.match(refused.err, /a restore into .* was cut short: run \\?"pi-daemon restore FILE\\?" again/);
  const file = join(cli.home, "good.tar.gz");
  writeFileSync(file, await archiveOf({ ...NAMED, token: "a-token-of-old" }));
  assert.equal((await cli.call(["restore", file])).code, 0);
  assert.equal(existsSync(join(cli.dataDir, "restore-unfinished")), false);
  await startProgram(t, cli.configPath, { env: cli.env });
});
