/**
 * One daemon a data directory: a lock that ends with the process, whichever way it ends, and tells who holds it.
 *
 * The lock is an flock(2) on the directory itself, taken by the `flock` program on a descriptor that it inherits from
 * us: it belongs to our open file, which no child of ours inherits (Node opens with O_CLOEXEC), and goes when that is
 * closed. Nobody can take it away by removing a file: `daemon.pid` only tells who holds it. Where there is no such
 * program, or the file system has no such locks, that file is the lock, and stands for as long as the process that it
 * names is alive.
 *
 * Errors: {@link LockHeldError}; those of `node:fs`.
 * Not: without flock, a process that is killed within the few microseconds in which it replaces the file of a dead one,
 *   while others start, may let two of them in.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";

import { processStartTime, readBootId } from "./process-identity.ts";

const FILE_NAME = "daemon.pid";
const ATTEMPTS = 10;

/** What the lock file tells of the process that holds the lock. */
export interface Holder {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  /** Where the daemon listens, once it does. */
  readonly url?: string;
  readonly [more: string]: unknown;
}

/** What a daemon tells of itself beyond its identity. */
export type HolderInfo = Readonly<Record<string, unknown>>;

export interface Lock {
  /** `flock`, or `file` where that could not be had. */
  readonly kind: "flock" | "file";
  /** Writes more about the holder, in the place of what `acquireLock` or an earlier `update` was given. */
  update(info: HolderInfo): void;
  /** Ends the lock and removes its file. Does nothing the second time. */
  release(): void;
}

/** Another process has the directory. `holder` is missing in the moment before it has written who it is. */
export class LockHeldError extends Error {
  readonly holder: Holder | undefined;

  constructor(directory: string, holder: Holder | undefined) {
    const who = holder ? `process ${holder.pid}${holder.url ? ` at ${holder.url}` : ""}` : "another process";
    super(`${directory} is in use by ${who}`);
    this.holder = holder;
  }
}

export interface LockOptions {
  /** The program to lock with, by name or path. */
  readonly flock?: string;
}

/** Takes the lock of the directory, which must exist, or throws a {@link LockHeldError}. */
export function acquireLock(directory: string, info: HolderInfo, options: LockOptions = {}): Lock {
  const path = join(directory, FILE_NAME);
  const locked = lockDirectory(directory, options.flock ?? "flock");
  try {
    const file =
      locked === undefined
        ? takeByFile(directory, path)
        : fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
    return holdLock({ path, file, locked }, info);
  } catch (error) {
    if (locked !== undefined) fs.closeSync(locked);
    throw error;
  }
}

/**
 * The living process that holds the directory's lock; `undefined` when there is none, so that no other one is ever
 * signalled.
 */
export function readHolder(directory: string): Holder | undefined {
  return livingHolder(join(directory, FILE_NAME));
}

function livingHolder(path: string): Holder | undefined {
  const holder = parseHolder(readText(path));
  if (!holder || holder.bootId !== readBootId()) return undefined;
  return processStartTime(holder.pid) === holder.startTime ? holder : undefined;
}

/** The descriptor that holds the lock; `undefined` where it cannot be had in this way. */
function lockDirectory(directory: string, program: string): number | undefined {
  if (process.platform === "win32") return undefined;
  const locked = fs.openSync(directory, "r");
  const answer = runFlock(program, locked);
  const holder = readHolder(directory);
  // Somebody alive may hold it in the other way.
  const isHeld = answer === "held" || (answer === "locked" && holder !== undefined && holder.pid !== process.pid);
  if (answer === "locked" && !isHeld) return locked;
  fs.closeSync(locked);
  if (isHeld) throw new LockHeldError(directory, holder);
  return undefined;
}

function runFlock(program: string, file: number): "locked" | "held" | "unavailable" {
  const { status } = spawnSync(program, ["-n", "-x", "3"], { stdio: ["ignore", "ignore", "ignore", file] });
  if (status === 0) return "locked";
  return status === 1 ? "held" : "unavailable";
}

/** Makes the file in one step with its content, so that nobody takes it for the file of a dead process. */
function takeByFile(directory: string, path: string): number {
  const own = `${path}.${process.pid}`;
  fs.writeFileSync(own, encodeHolder({}), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (linkUnlessThere(own, path)) return fs.openSync(path, "r+");
      if (readHolder(directory)) break;
      removeStale(path, own);
    }
    throw new LockHeldError(directory, readHolder(directory));
  } finally {
    fs.rmSync(own, { force: true });
  }
}

/** Removes the file of a dead process, unless another process is about to. */
function removeStale(path: string, own: string): void {
  // One at a time: else the second to find it stale would remove what the first has put in its place.
  const turn = `${path}.turn`;
  if (!linkUnlessThere(own, turn)) {
    if (!livingHolder(turn)) fs.rmSync(turn, { force: true });
    return;
  }
  try {
    if (!livingHolder(path)) fs.rmSync(path, { force: true });
  } finally {
    fs.rmSync(turn, { force: true });
  }
}

function linkUnlessThere(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** `locked` is the descriptor of the flock, where there is one; `file` that of `path`, the file that tells of us. */
function holdLock(held: { path: string; file: number; locked: number | undefined }, info: HolderInfo): Lock {
  const { path, file, locked } = held;
  let isReleased = false;
  const update = (more: HolderInfo): void => {
    const text = encodeHolder(more);
    // In place, because a new file might not be the lock. A reader looks at the first line only.
    fs.writeSync(file, text, 0);
    fs.ftruncateSync(file, Buffer.byteLength(text));
  };
  fs.fchmodSync(file, 0o600);
  update(info);
  return {
    kind: locked === undefined ? "file" : "flock",
    update,
    release() {
      if (isReleased) return;
      isReleased = true;
      if (isStillThere(path, file)) fs.unlinkSync(path);
      fs.closeSync(file);
      if (locked !== undefined) fs.closeSync(locked);
    },
  };
}

function encodeHolder(info: HolderInfo): string {
  const identity = { pid: process.pid, startTime: processStartTime(process.pid) ?? "", bootId: readBootId() };
  return JSON.stringify({ ...identity, ...info }) + "\n";
}

function parseHolder(text: string | undefined): Holder | undefined {
  try {
    const holder = JSON.parse(text?.split("\n", 1)[0] ?? "") as Partial<Holder> | null;
    if (typeof holder?.pid !== "number" || typeof holder.startTime !== "string") return undefined;
    return typeof holder.bootId === "string" ? (holder as Holder) : undefined;
  } catch {
    return undefined;
  }
}

function isStillThere(path: string, file: number): boolean {
  const ours = fs.fstatSync(file);
  const there = fs.statSync(path, { throwIfNoEntry: false });
  return there?.ino === ours.ino && there.dev === ours.dev;
}

function readText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
