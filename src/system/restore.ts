/**
 * An archive of a backup -> the data directory that it was made of.
 *
 * Order: the whole archive is read and written beside the present state, flushed, and only then takes its place; the
 * state before it is kept in a folder of its own. While the two change places a marker says so, and no daemon starts.
 * Errors: {@link RestoreError} with a sentence for an archive that is none or is damaged, LockHeldError while a daemon
 * runs, those of `node:fs`. Before the marker stands, nothing has changed.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { BACKUP_FORMAT, BACKUP_MANIFEST, type BackupManifest } from "./backup.ts";
import { ensurePrivateDirectory, flushDirectorySync } from "./files.ts";
import { acquireLock } from "./lock.ts";
import type { Log } from "./log.ts";
import { readTar, TarError, type TarSource } from "./tar.ts";
import { VERSION } from "./version.ts";

/** Stands in the data directory while old and new state change places. */
const MARKER = "restore-unfinished";
const STAGING = "restore-new.tmp";

export class RestoreError extends Error {}

export interface Restored {
  readonly manifest: BackupManifest;
  readonly files: number;
  readonly sizeBytes: number;
  /** Where the state before it is now; `undefined` when there was none. */
  readonly keptIn: string | undefined;
}

/** Throws unless the directory is whole: a restore that was cut short must be done again. */
export function refuseUnfinishedRestore(dataDir: string): void {
  if (!fs.existsSync(join(dataDir, MARKER))) return;
  throw new Error(`a restore into ${dataDir} was cut short: run "pi-daemon restore FILE" again`);
}

export async function restoreBackup(
  archivePath: string,
  dataDir: string,
  services: { readonly log: Log; readonly nowMs: number },
): Promise<Restored> {
  ensurePrivateDirectory(dataDir, services.log);
  const lock = acquireLock(dataDir, { version: VERSION });
  const staging = join(dataDir, STAGING);
  try {
    fs.rmSync(staging, { recursive: true, force: true });
    ensurePrivateDirectory(staging, services.log);
    const unpacked = await unpack(archivePath, staging).catch((error: Error) => {
      throw explain(archivePath, error);
    });
    return { ...unpacked, keptIn: exchange(dataDir, staging, services.nowMs) };
  } finally {
    fs.rmSync(staging, { recursive: true, force: true });
    lock.release();
  }
}

async function unpack(path: string, into: string): Promise<Omit<Restored, "keptIn">> {
  const source = fs.createReadStream(path);
  const bytes = source.pipe(createGunzip());
  source.on("error", (error) => bytes.destroy(error));
  let manifest: BackupManifest | undefined;
  let files = 0;
  let sizeBytes = 0;
  try {
    for await (const file of readTar(bytes)) {
      if (manifest === undefined) {
        manifest = await readManifest(file);
        continue;
      }
      await writeFile(join(into, safeName(file.name)), file.pieces);
      files++;
      sizeBytes += file.sizeBytes;
    }
  } finally {
    bytes.destroy();
    source.destroy();
  }
  if (manifest === undefined) throw new TarError("it is empty");
  flushFolders(into);
  return { manifest, files, sizeBytes };
}

async function readManifest(file: TarSource): Promise<BackupManifest> {
  if (file.name !== BACKUP_MANIFEST || file.sizeBytes > 65_536)
    throw new TarError(`it does not begin with ${BACKUP_MANIFEST}`);
  const pieces: Uint8Array[] = [];
  for await (const piece of file.pieces) pieces.push(piece);
  const manifest = JSON.parse(Buffer.concat(pieces).toString()) as BackupManifest;
  if (manifest.format === BACKUP_FORMAT) return manifest;
  throw new TarError(
    `it was made by pi-daemon ${String(manifest.version)}, in a format that this one (${VERSION}) does not know`,
  );
}

/** A name that stays below the folder that it is put in. */
function safeName(name: string): string {
  const isSafe =
    !name.includes("\0") && !name.includes("\\") && name.split("/").every((part) => !/^\.{0,2}$/.test(part));
  if (isSafe) return name;
  throw new TarError(`the name ${JSON.stringify(name)} leads out of the data directory`);
}

async function writeFile(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  fs.mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
  const file = await fs.promises.open(path, "wx", 0o600);
  try {
    for await (const piece of pieces) await file.writeFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Puts what is staged in the place of what is there; answers the folder that holds the latter now. */
function exchange(dataDir: string, staging: string, nowMs: number): string | undefined {
  const marker = join(dataDir, MARKER);
  fs.writeFileSync(marker, "", { mode: 0o600, flush: true });
  flushDirectorySync(dataDir);
  const kept = join(dataDir, `before-restore-${new Date(nowMs).toISOString().replace(/[-:.]/g, "")}`);
  const old = fs.readdirSync(dataDir).filter(isState);
  if (old.length > 0) fs.mkdirSync(kept, { mode: 0o700 });
  for (const name of old) fs.renameSync(join(dataDir, name), join(kept, name));
  for (const name of fs.readdirSync(staging)) fs.renameSync(join(staging, name), join(dataDir, name));
  takeOwner(dataDir);
  flushDirectorySync(dataDir);
  fs.unlinkSync(marker);
  flushDirectorySync(dataDir);
  return old.length > 0 ? kept : undefined;
}

/** What a restore replaces: folders of plugins, and the token. */
function isState(name: string): boolean {
  return !/^(restore-|before-restore-|daemon\.|\.)/.test(name);
}

/** What root unpacks belongs to whoever the data directory belongs to. */
function takeOwner(dataDir: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = fs.statSync(dataDir);
  for (const name of fs.readdirSync(dataDir, { recursive: true })) fs.lchownSync(join(dataDir, String(name)), uid, gid);
}

function flushFolders(root: string): void {
  for (const entry of fs.readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) flushDirectorySync(join(entry.parentPath, entry.name));
  }
  flushDirectorySync(root);
}

function explain(path: string, error: NodeJS.ErrnoException): Error {
  if (error.code === "ENOENT" && error.path === path) return new RestoreError(`there is no file ${path}`);
  if (error.code !== undefined && error.syscall !== undefined) return error;
  const reason = error.code?.startsWith("Z_") === true ? "it is no whole gzip archive" : error.message;
  return new RestoreError(`Cannot restore ${path}: ${reason}. Nothing was changed`);
}
