/** Archives: there and back, against the system's own `tar`, and what is none. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readTar, TarError, type TarSource, writeTar } from "../../src/system/tar.ts";
import { seededRandom } from "../support/random.ts";
import { tempDir } from "../support/temp-dir.ts";

const LONG = `${"d".repeat(90)}/${"e".repeat(60)}/${"f".repeat(99)}`;

function bytesOf(text: string | Buffer, name: string): TarSource {
  const bytes = Buffer.from(text);
  const pieces = (async function* () {
    for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
  })();
  return { name, sizeBytes: bytes.length, modifiedMs: 1_700_000_000_000, pieces };
}

const CONTENTS: readonly (readonly [name: string, content: Buffer])[] = [
  ["empty", Buffer.alloc(0)],
  ["one-block", Buffer.alloc(512, "x")],
  ["folder/größe.txt", Buffer.from("ö".repeat(5000))],
  [LONG, Buffer.from("long")],
];

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

const archive = (): Promise<Buffer> => collect(writeTar(CONTENTS.map(([name, content]) => bytesOf(content, name))));

/** The bytes in pieces of odd sizes. */
async function* inPieces(bytes: Buffer, seed = 1): AsyncGenerator<Uint8Array> {
  const random = seededRandom(seed);
  for (let at = 0; at < bytes.length;) {
    const end = at + random.int(1, 1500);
    yield bytes.subarray(at, end);
    at = end;
  }
}

async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<[string, Buffer][]> {
  const files: [string, Buffer][] = [];
  for await (const file of readTar(bytes)) files.push([file.name, await collect(file.pieces)]);
  return files;
}

test("what is written is read again, in pieces of any size", async () => {
  for (let seed = 1; seed <= 20; seed++) assert.deepEqual(await readAll(inPieces(await archive(), seed)), CONTENTS);
});

test("a file whose pieces are left is skipped", async () => {
  const names: string[] = [];
  for await (const { name } of readTar(inPieces(await archive()))) names.push(name);
  assert.deepEqual(
    names,
    CONTENTS.map(([name]) => name),
  );
});

const hasTar = spawnSync("tar", ["--version"]).status === 0;

test("the system's tar reads it, and is read", { skip: hasTar ? false : "there is no tar here" }, async (t) => {
  const folder = tempDir(t);
  writeFileSync(join(folder, "ours.tar"), await archive());
  mkdirSync(join(folder, "out"));
  execFileSync("tar", ["-xf", join(folder, "ours.tar"), "-C", join(folder, "out")]);
  for (const [name, content] of CONTENTS) assert.deepEqual(readFileSync(join(folder, "out", name)), content);
  const names = CONTENTS.map(([name]) => name);
  execFileSync("tar", ["--format=ustar", "-cf", join(folder, "theirs.tar"), "-C", join(folder, "out"), ...names]);
  assert.deepEqual(await readAll(inPieces(readFileSync(join(folder, "theirs.tar")))), CONTENTS);
});

test("every cut of an archive is noticed", async () => {
  const whole = await archive();
  for (let length = 0; length < whole.length - 1024; length += 509) {
    await assert.rejects(readAll(inPieces(whole.subarray(0, length))), TarError, `cut to ${length} bytes`);
  }
});

test("every damaged byte of a header is noticed, but for the space that ends its checksum", async () => {
  const whole = await collect(writeTar([bytesOf("content", "name")]));
  for (let at = 0; at < 512; at++) {
    const damaged = Buffer.from(whole);
    damaged[at]! ^= 0x41;
    if (at === 155) assert.deepEqual(await readAll(inPieces(damaged)), [["name", Buffer.from("content")]]);
    else await assert.rejects(readAll(inPieces(damaged)), TarError, `byte ${at}`);
  }
});

test("links and folders are refused", { skip: hasTar ? false : "there is no tar here" }, async (t) => {
  const folder = tempDir(t);
  execFileSync("ln", ["-s", "/etc/passwd", join(folder, "link")]);
  const path = join(tempDir(t), "link.tar");
  execFileSync("tar", ["-cf", path, "-C", folder, "link"]);
  await assert.rejects(readAll(inPieces(readFileSync(path))), /"link" is no plain file/);
});

test("names and sizes that do not fit, and pieces that do not add up, are errors", async () => {
  await assert.rejects(collect(writeTar([bytesOf("", "n".repeat(101))])), RangeError);
  await assert.rejects(collect(writeTar([{ ...bytesOf("", "a"), sizeBytes: 8 ** 11 }])), RangeError);
  await assert.rejects(collect(writeTar([{ ...bytesOf("abc", "a"), sizeBytes: 4 }])), /a has 3 bytes, not 4/);
});
