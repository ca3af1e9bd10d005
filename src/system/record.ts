/**
 * Checksummed records: byte pieces -> `length, ~length, checksum, payload` in one growing buffer, and back from a file.
 *
 * The length stands there twice (the second time inverted), so that a damaged length is told apart from a record that
 * was cut off. The checksum (CRC-32) is seeded with the record's number, so that a good record in the wrong place is no
 * good record.
 *
 * Units: bytes; all numbers little-endian, 32 bits.
 * Cost: reading holds one block of 1 MiB (or one record, if that is larger) in memory.
 */
import { crc32 } from "node:zlib";

import type { Disk } from "./disk.ts";
import { describeError } from "./storage-error.ts";

export const RECORD_HEADER_BYTES = 12;

const READ_BLOCK_BYTES = 1 << 20;
const FIRST_BUFFER_BYTES = 1 << 14;
const LARGEST_KEPT_BUFFER_BYTES = 1 << 23;

export function recordBytes(pieces: readonly Uint8Array[]): number {
  let total = RECORD_HEADER_BYTES;
  for (const piece of pieces) total += piece.length;
  return total;
}

/** CRC-32, going on from that of what stands before. */
export function checksumOf(bytes: Uint8Array, before: number): number {
  // Node hands zlib a null pointer for some empty arrays, and zlib then begins anew.
  return bytes.length === 0 ? before : crc32(bytes, before);
}

/** Records laid one after the other into a buffer that is used again and again. */
export class RecordBuffer {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES);
  #length = 0;

  /** The buffer; its first {@link length} bytes count, and only until the next `add` or `clear`. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Copies a record of these pieces to the end. `sizeBytes` is their {@link recordBytes}; `number` the record's number.
   */
  add(pieces: readonly Uint8Array[], sizeBytes: number, number: number): void {
    if (this.#length + sizeBytes > this.#bytes.length) this.#grow(this.#length + sizeBytes);
    const start = this.#length;
    const payloadBytes = sizeBytes - RECORD_HEADER_BYTES;
    let position = start + RECORD_HEADER_BYTES;
    let checksum = number >>> 0;
    for (const piece of pieces) {
      checksum = checksumOf(piece, checksum);
      this.#bytes.set(piece, position);
      position += piece.length;
    }
    this.#bytes.writeUInt32LE(payloadBytes, start);
    this.#bytes.writeUInt32LE(~payloadBytes >>> 0, start + 4);
    this.#bytes.writeUInt32LE(checksum, start + 8);
    this.#length = position;
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > LARGEST_KEPT_BUFFER_BYTES) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES);
  }

  #grow(neededBytes: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(neededBytes, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Where a region of records lies in a file, and the number of its first record. */
export interface RecordRegion {
  readonly start: number;
  readonly end: number;
  readonly firstNumber: number;
}

/**
 * Why no further record can be read: the region ends after a whole record; it ends within one (a write that was cut
 * off); or what stands there is no record.
 */
export type RecordsEnd = { kind: "whole" } | { kind: "torn" } | { kind: "damaged"; problem: string };

/** Reads the records of a region in turn. */
export class RecordReader {
  readonly #disk: Disk;
  readonly #file: number;
  readonly #region: RecordRegion;
  #number: number;
  #block = Buffer.alloc(0);
  #blockStart: number;
  #position: number;
  #end: RecordsEnd | undefined;

  constructor(disk: Disk, file: number, region: RecordRegion) {
    this.#disk = disk;
    this.#file = file;
    this.#region = region;
    this.#number = region.firstNumber;
    this.#position = region.start;
    this.#blockStart = region.start;
  }

  /** Just past the last good record. */
  get position(): number {
    return this.#position;
  }

  /** The number of the next record. */
  get number(): number {
    return this.#number;
  }

  /** Why {@link next} answered `undefined`. */
  get end(): RecordsEnd {
    return this.#end ?? { kind: "whole" };
  }

  /** The payload of the next record, a view that stays valid; `undefined` at the end, for whatever reason. */
  next(): Buffer | undefined {
    if (this.#end) return undefined;
    try {
      return this.#read();
    } catch (error) {
      return this.#stop({ kind: "damaged", problem: `cannot be read (${describeError(error)})` });
    }
  }

  #read(): Buffer | undefined {
    const rest = this.#region.end - this.#position;
    if (rest === 0) return this.#stop({ kind: "whole" });
    if (rest < RECORD_HEADER_BYTES) return this.#stop({ kind: "torn" });
    const header = this.#load(RECORD_HEADER_BYTES);
    const payloadBytes = this.#block.readUInt32LE(header);
    if (this.#block.readUInt32LE(header + 4) !== ~payloadBytes >>> 0) return this.#fault("has a damaged length");
    const sizeBytes = RECORD_HEADER_BYTES + payloadBytes;
    if (sizeBytes > rest) return this.#stop({ kind: "torn" });
    const start = this.#load(sizeBytes);
    const payload = this.#block.subarray(start + RECORD_HEADER_BYTES, start + sizeBytes);
    if (checksumOf(payload, this.#number >>> 0) !== this.#block.readUInt32LE(start + 8)) {
      return this.#fault("does not match its checksum");
    }
    this.#position += sizeBytes;
    this.#number++;
    return payload;
  }

  #fault(what: string): undefined {
    return this.#stop({ kind: "damaged", problem: `record ${this.#number} at byte ${this.#position} ${what}` });
  }

  #stop(end: RecordsEnd): undefined {
    this.#end = end;
  }

  /** Sees to it that `length` bytes from the position are in the block; answers where in the block they start. */
  #load(length: number): number {
    const start = this.#position - this.#blockStart;
    if (start + length <= this.#block.length) return start;
    // A new block each time, never the old one overwritten: events may have kept views of it.
    const wanted = Math.min(Math.max(length, READ_BLOCK_BYTES), this.#region.end - this.#position);
    const block = Buffer.allocUnsafeSlow(wanted);
    for (let filled = 0; filled < wanted;) {
      const read = this.#disk.read(this.#file, block.subarray(filled), this.#position + filled);
      if (read === 0) throw new Error("the file ends before its size");
      filled += read;
    }
    this.#block = block;
    this.#blockStart = this.#position;
    return 0;
  }
}
