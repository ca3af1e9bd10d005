/** Backups that are left in the middle, and files that change while they are read. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { readBackup } from "../../src/system/backup.ts";
import { readTar } from "../../src/system/tar.ts";
import { tempDir } from "../support/temp-dir.ts";

function dataDirOf(t: Parameters<typeof tempDir>[0]): string {
  const dataDir = tempDir(t);
  mkdirSync(join(dataDir, "metrics"));
  writeFileSync(join(dataDir, "metrics", "journal"), "0123456789");
  writeFileSync(join(dataDir, "metrics", "old"), "old");
  for (const name of ["daemon.pid", "daemon.sock", "restore-new.tmp"]) writeFileSync(join(dataDir, name), "");
  writeFileSync(join(dataDir, "metrics", "state.corrupt-20260101T000000.000Z"), "");
  writeFileSync(join(dataDir, "token"), "secret");
  return dataDir;
}

async function* afterFirst(
  first: Promise<IteratorResult<Uint8Array>>,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield (await first).value as Uint8Array;
  yield* rest;
}

async function contentOf(pieces: AsyncIterable<Uint8Array>): Promise<Record<string, string>> {
  const zipped: Uint8Array[] = [];
  for await (const piece of pieces) zipped.push(piece);
  const bytes = gunzipSync(Buffer.concat(zipped));
  const files: Record<string, string> = {};
  const once = (async function* () {
    yield bytes;
  })();
  for await (const file of readTar(once)) {
    const parts: Uint8Array[] = [];
    for await (const piece of file.pieces) parts.push(piece);
    files[file.name] = Buffer.concat(parts).toString();
  }
  return files;
}

test("the archive holds what was there at its first piece, whatever grows and goes after it", async (t) => {
  const dataDir = dataDirOf(t);
  const backup = readBackup(dataDir, 0);
  const first = backup.next();
  appendFileSync(join(dataDir, "metrics", "journal"), "later");
  rmSync(join(dataDir, "metrics", "old"));
  const { "pi-daemon-backup.json": manifest, ...files } = await contentOf(afterFirst(first, backup));
  assert.equal((JSON.parse(manifest!) as { format: number }).format, 1);
  assert.deepEqual(files, { "metrics/journal": "0123456789", "metrics/old": "old", token: "secret" });
});

const canCount = process.platform === "linux";

test("a reader who leaves keeps no file open", { skip: canCount ? false : "no /proc here" }, async (t) => {
  const dataDir = dataDirOf(t);
  const countOpen = (): number => readdirSync("/proc/self/fd").length;
  const before = countOpen();
  for await (const piece of readBackup(dataDir, 0)) {
    assert.ok(piece.length > 0);
    break;
  }
  assert.equal(countOpen(), before);
});
