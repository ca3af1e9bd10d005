/**
 * Parts of a state that are too large for its snapshots, or that can be made again: immutable files of checksummed
 * records, each on the medium under its name before `write` resolves.
 *
 * A record's checksum counts in the segment and the place where it stands, so that a good record that is another one is
 * no good record. The records of a file are read one by one, by their places, or all in turn.
 *
 * Units: bytes.
 * Errors: those of the disk; {@link SegmentDamageError} for what is missing or is not what was written.
 * Cost: writing gives way every 256 KiB; a read holds the event loop for as long as the kernel takes for it.
 * Not: which segments are needed is known to whoever names them; the others are theirs to remove.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { join } from "node:path";
import type { Disk } from "./disk.ts";
import type { Log } from "./log.ts";
import { checksumOf, RECORD_HEADER_BYTES, RecordBuffer, recordBytes } from "./record.ts";

/** Where a record lies in its segment. */
export interface RecordPlace {
  readonly offset: number;
  /** Of the record as a whole. */
  readonly sizeBytes: number;
}

export interface Segments {
  /** The numbers that have a file, in order. */
  list(): number[];
  sizeOf(number: number): number;
  /** Writes a segment under a number that has none; answers where each payload lies. Failing leaves nothing behind. */
  write(number: number, payloads: Iterable<Uint8Array>): Promise<RecordPlace[]>;
  /** The payload of one record. */
  read(number: number, place: RecordPlace): Buffer;
  /** All payloads in turn; throws {@link SegmentDamageError} at the first that is damaged. */
  readAll(number: number): Generator<Buffer>;
  remove(number: number): void;
  /** Closes what was opened for reading. */
  close(): void;
}

export class SegmentDamageError extends Error {
  readonly path: string;

  constructor(path: string, problem: string) {
    super(`${path} ${problem}`);
    this.path = path;
  }
}

export interface SegmentServices {
  readonly disk: Disk;
  readonly log: Log;
}

const SLICE_BYTES = 1 << 18;
const MOST_OPEN = 32;
const FILE_NAME = /^segment-(\d{8,15})$/;

/** The segments in a directory, which is made if need be; what a write that was cut off left behind is removed. */
export function openSegments({ disk, log }: SegmentServices, directory: string): Segments {
  disk.makeDirectory(directory, log);
  for (const name of disk.list(directory)) if (name.endsWith(".tmp")) disk.remove(join(directory, name));
  return new DiskSegments(disk, directory);
}

class DiskSegments implements Segments {
  readonly #disk: Disk;
  readonly #directory: string;
  /** By number; what was read last stands last. */
  readonly #open = new Map<number, number>();

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  list(): number[] {
    const numbers = this.#disk.list(this.#directory).flatMap((name) => {
      const [, digits] = FILE_NAME.exec(name) ?? [];
      return digits === undefined ? [] : [Number(digits)];
    });
    return numbers.sort((one, other) => one - other);
  }

  sizeOf(number: number): number {
    return this.#disk.size(this.#fileOf(number));
  }

  async write(number: number, payloads: Iterable<Uint8Array>): Promise<RecordPlace[]> {
    const path = this.#pathOf(number);
    const temporary = `${path}.tmp`;
    const file = this.#disk.open(temporary, "create");
    let places: RecordPlace[];
    try {
      try {
        places = await this.#writeRecords(file, number, payloads);
        await this.#disk.flush(file);
      } finally {
        this.#disk.close(file);
      }
      this.#disk.rename(temporary, path);
    } catch (error) {
      removeQuietly(this.#disk, temporary);
      throw error;
    }
    await this.#disk.flushDirectory(this.#directory);
    return places;
  }

  read(number: number, { offset, sizeBytes }: RecordPlace): Buffer {
    const bytes = Buffer.allocUnsafeSlow(sizeBytes);
    const path = this.#pathOf(number);
    if (this.#readInto(number, bytes, offset) < sizeBytes) throw new SegmentDamageError(path, "ends before its time");
    if (payloadBytesOf(bytes) !== sizeBytes - RECORD_HEADER_BYTES) {
      throw new SegmentDamageError(path, `has no record of ${sizeBytes} bytes at byte ${offset}`);
    }
    return this.#check(number, bytes, offset);
  }

  *readAll(number: number): Generator<Buffer> {
    const end = this.#disk.size(this.#fileOf(number));
    const header = Buffer.alloc(RECORD_HEADER_BYTES);
    for (let offset = 0; offset < end;) {
      const path = this.#pathOf(number);
      if (this.#readInto(number, header, offset) < RECORD_HEADER_BYTES)
        throw new SegmentDamageError(path, "is cut off");
      const sizeBytes = RECORD_HEADER_BYTES + (payloadBytesOf(header) ?? Infinity);
      if (offset + sizeBytes > end) throw new SegmentDamageError(path, `has a damaged length at byte ${offset}`);
      yield this.read(number, { offset, sizeBytes });
      offset += sizeBytes;
    }
  }

  remove(number: number): void {
    this.#close(number);
    this.#disk.remove(this.#pathOf(number));
  }

  close(): void {
    for (const number of [...this.#open.keys()]) this.#close(number);
  }

  async #writeRecords(file: number, number: number, payloads: Iterable<Uint8Array>): Promise<RecordPlace[]> {
    const places: RecordPlace[] = [];
    const slice = new RecordBuffer();
    let [offset, written] = [0, 0];
    for (const payload of payloads) {
      const pieces = [payload];
      const sizeBytes = recordBytes(pieces);
      slice.add(pieces, sizeBytes, seedOf(number, offset));
      places.push({ offset, sizeBytes });
      offset += sizeBytes;
      if (slice.length < SLICE_BYTES) continue;
      written = await this.#append(file, slice, written);
      slice.clear();
      await nextTurn();
    }
    await this.#append(file, slice, written);
    return places;
  }

  async #append(file: number, { bytes, length }: RecordBuffer, position: number): Promise<number> {
    for (let done = 0; done < length;) {
      const rest = bytes.subarray(done, length);
      done += await this.#disk.writeLater(file, rest, rest.length, position + done);
    }
    return position + length;
  }

  #check(number: number, record: Buffer, offset: number): Buffer {
    const payload = record.subarray(RECORD_HEADER_BYTES);
    if (checksumOf(payload, seedOf(number, offset)) === record.readUInt32LE(8)) return payload;
    throw new SegmentDamageError(
      this.#pathOf(number),
      `is damaged: the record at byte ${offset} does not match its checksum`,
    );
  }

  #readInto(number: number, bytes: Buffer, offset: number): number {
    const file = this.#fileOf(number);
    let filled = 0;
    while (filled < bytes.length) {
      const count = this.#disk.read(file, bytes.subarray(filled), offset + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  #fileOf(number: number): number {
    const known = this.#open.get(number);
    this.#open.delete(number);
    const file = known ?? this.#openFile(number);
    this.#open.set(number, file);
    if (this.#open.size > MOST_OPEN) this.#close(this.#open.keys().next().value!);
    return file;
  }

  #openFile(number: number): number {
    try {
      return this.#disk.open(this.#pathOf(number), "read");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      throw new SegmentDamageError(this.#pathOf(number), "is missing");
    }
  }

  #close(number: number): void {
    const file = this.#open.get(number);
    this.#open.delete(number);
    if (file !== undefined) this.#disk.close(file);
  }

  #pathOf(number: number): string {
    return join(this.#directory, `segment-${String(number).padStart(8, "0")}`);
  }
}

/** A number of the segment and the place in it, so that neither can be exchanged. */
function seedOf(number: number, offset: number): number {
  return (Math.imul(number, 0x9e3779b1) + offset) >>> 0;
}

/** `undefined` where the length is damaged: it stands there twice, once inverted. */
function payloadBytesOf(header: Buffer): number | undefined {
  const length = header.readUInt32LE(0);
  return header.readUInt32LE(4) === ~length >>> 0 ? length : undefined;
}

function removeQuietly(disk: Disk, path: string): void {
  try {
    disk.remove(path);
  } catch {
    // Not there; what is left is removed at the next start.
  }
}
