/**
 * Files that must be whole and must be ours: replaced atomically, kept from other users, set aside when damaged.
 *
 * Errors: those of `node:fs`; an Error that says whose file or directory it is, where it is not ours.
 * Not: on Windows modes and owners are not looked at.
 */
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";

import type { Log } from "./log.ts";

const PRIVATE_FILE = 0o600;
const PRIVATE_DIRECTORY = 0o700;

/** Sets apart the temporary files of replacements that overlap. */
let replacements = 0;

/**
 * Puts `bytes` in the place of the file at `path`, so that after a crash or a power cut there is the old content or the
 * new, never a mixture and never nothing. The file is a new one, with `mode` (0600 unless said otherwise) whatever the
 * umask.
 */
export async function replaceFile(
  path: string,
  bytes: string | Uint8Array,
  options: { mode?: number } = {},
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${++replacements}.tmp`);
  const mode = options.mode ?? PRIVATE_FILE;
  // May have been left by an earlier process of this id.
  await fs.promises.rm(temporary, { force: true });
  const file = await fs.promises.open(temporary, "wx", mode);
  try {
    await file.chmod(mode);
    await file.writeFile(bytes);
    // Without this the renamed file may be empty after a power cut.
    await file.sync();
  } catch (error) {
    await file.close();
    await fs.promises.rm(temporary, { force: true });
    throw error;
  }
  await file.close();
  await fs.promises.rename(temporary, path);
  await flushDirectory(dirname(path));
}

/** Writes a file that only we may read (0600), atomically, whoever could read what was there before. */
export function writePrivateFile(path: string, bytes: string | Uint8Array): Promise<void> {
  return replaceFile(path, bytes, { mode: PRIVATE_FILE });
}

/**
 * The bytes of a file that only we may read; `undefined` when there is none. A mode that lets others in is repaired,
 * with a warning; a file of another owner, a symbolic link or anything but a regular file is refused.
 */
export function readPrivateFile(path: string, log: Log): Buffer | undefined {
  let file: number;
  try {
    // A FIFO in its place would hold up a blocking open for ever.
    file = fs.openSync(path, fs.constants.O_RDONLY | noFollow() | (fs.constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP") throw new Error(`Refusing to read ${path}: it is a symbolic link`, { cause: error });
    throw error;
  }
  try {
    const stats = fs.fstatSync(file);
    if (!stats.isFile()) throw new Error(`Refusing to read ${path}: it is not a regular file`);
    claim({ path, stats, mode: PRIVATE_FILE, repair: (mode) => fs.fchmodSync(file, mode) }, log);
    return fs.readFileSync(file);
  } finally {
    fs.closeSync(file);
  }
}

/**
 * Makes the directory, and those above it that are missing, for us alone (0700, whatever the umask). One that is there
 * and lets others in is repaired, with a warning; one of another owner is refused.
 */
export function ensurePrivateDirectory(path: string, log: Log): void {
  const parent = dirname(path);
  if (!fs.existsSync(path) && parent !== path && !fs.existsSync(parent)) ensurePrivateDirectory(parent, log);
  try {
    fs.mkdirSync(path, PRIVATE_DIRECTORY);
    fs.chmodSync(path, PRIVATE_DIRECTORY);
    // What is flushed into a directory is lost in a power cut if the directory's own name is.
    flushDirectorySync(parent);
    return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const stats = fs.statSync(path);
  if (!stats.isDirectory()) throw new Error(`${path} is in the way: it must be a directory`);
  claim({ path, stats, mode: PRIVATE_DIRECTORY, repair: (mode) => fs.chmodSync(path, mode) }, log);
}

/** Renames a damaged file to `<path>.corrupt-<time>` (UTC), beside what is there already; answers the new path. */
export function quarantine(path: string, nowMs: number): string {
  const first = quarantinePath(path, nowMs);
  let target = first;
  for (let attempt = 2; fs.existsSync(target); attempt++) target = `${first}-${attempt}`;
  fs.renameSync(path, target);
  return target;
}

/** `metrics.journal-00000003.corrupt-20251122T135400.000Z` */
export function quarantinePath(path: string, nowMs: number): string {
  return `${path}.corrupt-${new Date(nowMs).toISOString().replace(/[-:]/g, "")}`;
}

interface Claim {
  path: string;
  stats: fs.Stats;
  mode: number;
  repair: (mode: number) => void;
}

function claim({ path, stats, mode, repair }: Claim, log: Log): void {
  const user = process.geteuid?.();
  if (user === undefined) return;
  if (stats.uid !== user) {
    throw new Error(`Refusing to use ${path}: it belongs to user ${stats.uid}, and this is user ${user}`);
  }
  const found = stats.mode & 0o777;
  if ((found & 0o077) === 0) return;
  repair(mode);
  log.warn("let other users in; now it does not", { path, foundMode: found.toString(8), mode: mode.toString(8) });
}

/** Opening through a symbolic link fails where the system can tell. */
function noFollow(): number {
  return fs.constants.O_NOFOLLOW ?? 0;
}

/** What was made, renamed and removed in the directory is on the medium when this returns. */
export function flushDirectorySync(path: string): void {
  if (process.platform === "win32") return;
  const directory = fs.openSync(path, "r");
  try {
    fs.fsyncSync(directory);
  } finally {
    fs.closeSync(directory);
  }
}

async function flushDirectory(path: string): Promise<void> {
  // Windows cannot open a directory, and orders its metadata itself.
  if (process.platform === "win32") return;
  const directory = await fs.promises.open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
