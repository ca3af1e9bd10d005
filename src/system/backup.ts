/**
 * A data directory -> one compressed archive of all that is needed to go on from it elsewhere.
 *
 * Order: every file is opened, and its size taken, in one step before anything is read. Inside the daemon nothing can
 * be written in between, so that the archive holds one moment of all stores together, whatever happens meanwhile:
 * journals only grow, and a file that is removed stays readable.
 * Errors: those of `node:fs`.
 * Not: the config, logs, files set aside as damaged, and what earlier restores put aside.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { createGzip } from "node:zlib";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { type TarSource, writeTar } from "./tar.ts";
import { VERSION } from "./version.ts";

/** The first file of each archive says what it is. */
export const BACKUP_MANIFEST = "pi-daemon-backup.json";
export const BACKUP_FORMAT = 1;
const PIECE_BYTES = 1 << 18;
/** Kept at the top of the data directory beside the folders of the plugins. */
const TOP_FILES: ReadonlySet<string> = new Set(["token"]);
/** What restores and failed writes leave behind. */
const PASSING = /\.tmp$|\.corrupt-[^/]*$|^before-restore-|^restore-/;

export interface BackupManifest {
  readonly format: number;
  readonly version: string;
  readonly createdMs: number;
}

interface OpenFile {
  readonly name: string;
  readonly file: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** The archive in pieces. The files are open from the moment that the first is asked for until the last is read. */
export async function* readBackup(dataDir: string, nowMs: number): AsyncGenerator<Uint8Array> {
  const files = openFiles(dataDir);
  const manifest: BackupManifest = { format: BACKUP_FORMAT, version: VERSION, createdMs: nowMs };
  const zipped = createGzip({ level: 1 });
  const done = pipeline(Readable.from(writeTar(toSources(manifest, files))), zipped);
  // Told to whoever reads `zipped`.
  done.catch(() => undefined);
  try {
    for await (const chunk of zipped) yield chunk as Uint8Array;
  } finally {
    zipped.destroy();
    // A read may still be under way on a descriptor.
    await done.catch(() => undefined);
    for (const { file } of files) fs.closeSync(file);
  }
}

function openFiles(dataDir: string): OpenFile[] {
  const opened: OpenFile[] = [];
  try {
    for (const name of listNames(dataDir)) {
      const file = openUnlessGone(join(dataDir, name));
      if (file === undefined) continue;
      const { size, mtimeMs } = fs.fstatSync(file);
      opened.push({ name, file, sizeBytes: size, modifiedMs: mtimeMs });
    }
    return opened;
  } catch (error) {
    for (const { file } of opened) fs.closeSync(file);
    throw error;
  }
}

/** Names below the data directory, parted by `/`. */
function listNames(dataDir: string, folder = ""): string[] {
  const names: string[] = [];
  for (const entry of fs.readdirSync(join(dataDir, folder), { withFileTypes: true })) {
    if (PASSING.test(entry.name)) continue;
    const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) names.push(...listNames(dataDir, name));
    else if (entry.isFile() && (folder !== "" || TOP_FILES.has(name))) names.push(name);
  }
  return names.sort();
}

function openUnlessGone(path: string): number | undefined {
  try {
    return fs.openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function* toSources(manifest: BackupManifest, files: readonly OpenFile[]): Generator<TarSource> {
  const text = Buffer.from(JSON.stringify(manifest) + "\n");
  const modifiedMs = manifest.createdMs;
  yield { name: BACKUP_MANIFEST, sizeBytes: text.length, modifiedMs, pieces: Readable.from([text]) };
  for (const { name, sizeBytes, modifiedMs, file } of files) {
    yield { name, sizeBytes, modifiedMs, pieces: readPieces(file, sizeBytes) };
  }
}

async function* readPieces(file: number, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < sizeBytes;) {
    const wanted = Math.min(PIECE_BYTES, sizeBytes - position);
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    fs.read(file, Buffer.allocUnsafe(wanted), 0, wanted, position, (error, read, bytes) =>
      error ? reject(error) : resolve(bytes.subarray(0, read)),
    );
    const piece = await promise;
    if (piece.length === 0) return;
    position += piece.length;
    yield piece;
  }
}
