/**
 * A whole state in one file: pieces -> `header, records, footer` written in slices, and back.
 *
 * A snapshot gets its name only when all of it is on the medium. The footer counts the pieces, so that a truncated file
 * is no snapshot.
 *
 * Units: bytes, milliseconds.
 * Errors: those of the disk, and of whatever yields the pieces; the temporary file is then gone.
 * Cost: holds the event loop for at most about {@link SLICE_MS} at a time, as long as no single piece takes longer.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { crc32 } from "node:zlib";

import type { Clock } from "./clock.ts";
import type { Disk } from "./disk.ts";
import { RecordBuffer, recordBytes, RecordReader } from "./record.ts";
import { encodeHeader, FILE_HEADER_BYTES, newHeader, statePath } from "./state-file.ts";
import type { FoundFile, StorePlace } from "./state-file.ts";

const SLICE_MS = 4;
const SLICE_BYTES = 1 << 18;
export const FOOTER_BYTES = 20;
const FOOTER_MAGIC = "pi-end.\n";

export interface SnapshotTask {
  readonly place: StorePlace;
  readonly generation: number;
  /** The first record that the snapshot lacks. */
  readonly sequence: number;
  readonly stateVersion: number;
  readonly pieces: Iterable<Uint8Array>;
  /** Throws when the work is to stop; asked between slices. */
  readonly check: () => void;
}

/** Writes the snapshot; resolves with its size when it is on the medium under its name. */
export async function writeSnapshot(services: { disk: Disk; clock: Clock }, task: SnapshotTask): Promise<number> {
  const { disk } = services;
  const path = statePath(task.place, "snapshot", task.generation);
  const temporary = `${path}.tmp`;
  removeQuietly(disk, temporary);
  const file = disk.open(temporary, "create");
  let sizeBytes = 0;
  try {
    try {
      sizeBytes = await writeSlices(services, file, task);
      await disk.flush(file);
    } finally {
      disk.close(file);
    }
    task.check();
    disk.rename(temporary, path);
  } catch (error) {
    removeQuietly(disk, temporary);
    throw error;
  }
  await disk.flushDirectory(task.place.directory);
  return sizeBytes;
}

async function writeSlices(services: { disk: Disk; clock: Clock }, file: number, task: SnapshotTask): Promise<number> {
  const { disk, clock } = services;
  // Without a pause before the first piece: a generator takes hold of the state only when that is asked for.
  let position = writeHeader(disk, file, task);
  const slice = new RecordBuffer();
  let count = 0;
  let untilMs = clock.monotonicMs() + SLICE_MS;
  for (const piece of task.pieces) {
    const pieces = [piece];
    slice.add(pieces, recordBytes(pieces), count++);
    if (slice.length < SLICE_BYTES && clock.monotonicMs() < untilMs) continue;
    position = await writeAll(disk, file, { bytes: slice.bytes, length: slice.length, position });
    slice.clear();
    await nextTurn();
    task.check();
    untilMs = clock.monotonicMs() + SLICE_MS;
  }
  position = await writeAll(disk, file, { bytes: slice.bytes, length: slice.length, position });
  return writeAll(disk, file, { bytes: encodeFooter(count), length: FOOTER_BYTES, position });
}

function writeHeader(disk: Disk, file: number, task: SnapshotTask): number {
  const header = encodeHeader(newHeader("snapshot", task));
  if (disk.write(file, header, header.length, 0) < header.length) throw new Error("ENOSPC: no room for the header");
  return header.length;
}

/** Answers the position behind what was written. */
async function writeAll(
  disk: Disk,
  file: number,
  what: { bytes: Buffer; length: number; position: number },
): Promise<number> {
  let written = 0;
  while (written < what.length) {
    const rest = what.bytes.subarray(written, what.length);
    written += await disk.writeLater(file, rest, rest.length, what.position + written);
  }
  return what.position + what.length;
}

function encodeFooter(count: number): Buffer {
  const bytes = Buffer.alloc(FOOTER_BYTES);
  bytes.write(FOOTER_MAGIC, 0, "latin1");
  bytes.writeBigUInt64LE(BigInt(count), 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 16)), 16);
  return bytes;
}

/**
 * Reads the whole snapshot once; throws an Error that says what is wrong with it. `file` is opened by the caller, for
 * whom a file that cannot be opened is no damage.
 */
export async function verifySnapshot(
  services: { disk: Disk; clock: Clock },
  file: number,
  found: FoundFile,
): Promise<void> {
  const { disk, clock } = services;
  if (found.problem !== undefined) throw new Error(found.problem);
  const count = readFooter(disk, file, found.sizeBytes);
  const reader = pieceReader(disk, file, found.sizeBytes);
  let untilMs = clock.monotonicMs() + SLICE_MS;
  while (reader.next()) {
    if (clock.monotonicMs() < untilMs) continue;
    await nextTurn();
    untilMs = clock.monotonicMs() + SLICE_MS;
  }
  checkEnd(reader, count);
}

/** The pieces of a snapshot that was verified; throws when the file has changed since. */
export function* readPieces(disk: Disk, file: number, found: FoundFile): Generator<Buffer, void> {
  const count = readFooter(disk, file, found.sizeBytes);
  const reader = pieceReader(disk, file, found.sizeBytes);
  for (let piece = reader.next(); piece; piece = reader.next()) yield piece;
  checkEnd(reader, count);
}

function readFooter(disk: Disk, file: number, sizeBytes: number): number {
  const bytes = Buffer.alloc(FOOTER_BYTES);
  const position = sizeBytes - FOOTER_BYTES;
  const isThere = position >= FILE_HEADER_BYTES && disk.read(file, bytes, position) === FOOTER_BYTES;
  const isGood = bytes.readUInt32LE(16) === crc32(bytes.subarray(0, 16));
  if (!isThere || !isGood || bytes.toString("latin1", 0, 8) !== FOOTER_MAGIC)
    throw new Error("does not end as a snapshot does");
  return Number(bytes.readBigUInt64LE(8));
}

function pieceReader(disk: Disk, file: number, sizeBytes: number): RecordReader {
  return new RecordReader(disk, file, { start: FILE_HEADER_BYTES, end: sizeBytes - FOOTER_BYTES, firstNumber: 0 });
}

function checkEnd(reader: RecordReader, count: number): void {
  if (reader.end.kind === "damaged") throw new Error(reader.end.problem);
  if (reader.end.kind === "torn" || reader.number !== count) {
    throw new Error(`holds ${reader.number} whole pieces instead of ${count}`);
  }
}

function removeQuietly(disk: Disk, path: string): void {
  try {
    disk.remove(path);
  } catch {
    // Not there, or in the way of nothing: what is left is cleared up at the next start.
  }
}
