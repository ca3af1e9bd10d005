/**
 * Reads a log that is being written and set aside: its last lines, and then each new one.
 *
 * Units: bytes.
 * Order: oldest first; what was set aside (`PATH.1`) comes before what stands in `PATH`.
 * Cost: the end of the files only, however long they are.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";

const BLOCK_BYTES = 65_536;
const NEWLINE = 0x0a;
/** The files that are looked at for older lines. */
const OLDEST_ASIDE = 9;
const POLL_MS = 200;

/** The size of the file; 0 when there is none. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** The last `count` lines, without newlines; `undefined` when there is no such file. Throws the errors of `node:fs`. */
export function readLastLines(path: string, count: number): string[] | undefined {
  let lines: string[] | undefined;
  for (let age = 0; age <= OLDEST_ASIDE && (age === 0 || (lines?.length ?? 0) < count); age++) {
    const older = readEnd(age === 0 ? path : `${path}.${age}`, count - (lines?.length ?? 0));
    if (older === undefined) break;
    lines = [...older, ...(lines ?? [])];
  }
  return lines;
}

/** The lines of the file from `offset` on. */
export function readLinesFrom(path: string, offset: number): string[] {
  const fd = openIfThere(path);
  if (fd === undefined) return [];
  try {
    const bytes = readRange(fd, offset, fstatSync(fd).size);
    return splitLines(bytes);
  } finally {
    closeSync(fd);
  }
}

function readEnd(path: string, count: number): string[] | undefined {
  const fd = openIfThere(path);
  if (fd === undefined) return undefined;
  try {
    const { size } = fstatSync(fd);
    const pieces: Buffer[] = [];
    let newlines = 0;
    let start = size;
    // One more newline than lines: the one that ends the line before them.
    while (start > 0 && newlines <= count) {
      const from = Math.max(0, start - BLOCK_BYTES);
      const piece = readRange(fd, from, start);
      for (const byte of piece) if (byte === NEWLINE) newlines++;
      pieces.unshift(piece);
      start = from;
    }
    return count === 0 ? [] : splitLines(Buffer.concat(pieces)).slice(-count);
  } finally {
    closeSync(fd);
  }
}

export interface FollowOptions {
  /** Where the file has been read to. */
  readonly from: number;
  /** Ends the following when it aborts. */
  readonly signal: AbortSignal;
  /** Waits and keeps the process alive meanwhile. */
  readonly pause: (ms: number) => Promise<void>;
  readonly onLines: (lines: readonly string[]) => void;
}

/** Hands on each whole line that is written from now on, also when the file is set aside or is not there yet. */
export async function followLines(path: string, { from, signal, pause, onLines }: FollowOptions): Promise<void> {
  let fd = openIfThere(path);
  let offset = from;
  let rest: Buffer = Buffer.alloc(0);

  function drain(): void {
    if (fd === undefined) return;
    const { size } = fstatSync(fd);
    if (size < offset) [offset, rest] = [0, Buffer.alloc(0)];
    const bytes = Buffer.concat([rest, readRange(fd, offset, size)]);
    offset = size;
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    rest = bytes.subarray(end);
    if (end > 0) onLines(splitLines(bytes.subarray(0, end)));
  }
  function look(): void {
    drain();
    const there = statSync(path, { throwIfNoEntry: false });
    if (there === undefined || (fd !== undefined && fstatSync(fd).ino === there.ino)) return;
    // The writer may have added to the old file after we drained it and before it set it aside.
    drain();
    if (fd !== undefined) closeSync(fd);
    fd = openIfThere(path);
    offset = 0;
    rest = Buffer.alloc(0);
    drain();
  }

  while (!signal.aborted) {
    look();
    await pause(POLL_MS);
  }
  if (fd !== undefined) closeSync(fd);
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function readRange(fd: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, to - from));
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(fd, bytes, done, bytes.length - done, from + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

function splitLines(bytes: Buffer): string[] {
  const text = bytes.toString("utf8").replace(/\n$/, "");
  return text === "" ? [] : text.split("\n");
}
