/**
 * Reads a small text file that the daemon will act upon, unless somebody else could have written it.
 *
 * Order: the file is opened first and judged by its descriptor, so that it cannot be exchanged in between.
 * Errors: answered, never thrown; the sentence names the path and what to do.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { Stats } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";

export type GuardedText =
  | { readonly ok: true; readonly text: string; readonly isReadableByOthers: boolean }
  | { readonly ok: false; readonly isMissing: boolean; readonly message: string };

export interface GuardedReadOptions {
  /** Our own user; `undefined` where users have no numbers, and then nobody is judged. */
  readonly uid: number | undefined;
  readonly maxBytes: number;
}

/** The text of a regular file that belongs to us or to root and that only its owner may change. */
export function readGuardedFile(path: string, options: GuardedReadOptions): GuardedText {
  let fd: number | undefined;
  try {
    // Non-blocking, because opening a pipe that nobody writes would wait for ever.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = fstatSync(fd);
    const fault = stat.isFile() ? findOwnershipFault(path, stat, options.uid) : `${path} is not a regular file`;
    if (fault !== undefined) return refuse(fault);
    const bytes = readUpTo(fd, options.maxBytes + 1);
    if (bytes.length > options.maxBytes) return refuse(`${path} is longer than ${options.maxBytes} bytes`);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { ok: true, text, isReadableByOthers: options.uid !== undefined && (stat.mode & 0o004) !== 0 };
  } catch (error) {
    return explain(path, error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** An absolute path: `~` is the home directory, anything relative stands below `base`. */
export function expandPath(path: string, places: { readonly home: string; readonly base: string }): string {
  if (path === "~") return places.home;
  if (path.startsWith("~/")) return join(places.home, path.slice(2));
  return isAbsolute(path) ? path : resolve(places.base, path);
}

/** Why a file or a folder does not count: it is not ours or root's, or others may change it. `undefined` when all is well. */
export function findOwnershipFault(path: string, stat: Stats, uid: number | undefined): string | undefined {
  if (uid === undefined) return undefined;
  if (stat.uid !== uid && stat.uid !== 0) {
    return `${path} belongs to user ${stat.uid}; it must belong to user ${uid}, who runs the daemon, or to root`;
  }
  if ((stat.mode & 0o022) === 0) return undefined;
  const mode = (stat.mode & 0o777).toString(8).padStart(4, "0");
  return `${path} can be changed by others (mode ${mode}); run: chmod go-w ${path}`;
}

function readUpTo(fd: number, maxBytes: number): Buffer {
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < maxBytes) {
    const chunk = Buffer.allocUnsafe(Math.min(65_536, maxBytes - length));
    const count = readSync(fd, chunk);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    length += count;
  }
  return Buffer.concat(chunks);
}

function explain(path: string, error: unknown): GuardedText {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return { ok: false, isMissing: true, message: `${path} does not exist` };
  if (code === "EACCES" || code === "EPERM") return refuse(`${path} cannot be read: permission denied`);
  if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return refuse(`${path} is not UTF-8 text`);
  return refuse(`${path} cannot be read: ${message}`);
}

function refuse(message: string): GuardedText {
  return { ok: false, isMissing: false, message };
}
