/**
 * One journal file: records appended at its end, and flushed to the medium on demand.
 *
 * Errors: those of the disk. After a failed append the file ends where it ended before, or `usable` is false. After a
 * failed flush `usable` is false for good: the kernel reports a lost page once and then calls it clean, so that a
 * second fdatasync would succeed and prove nothing.
 */
import type { Disk } from "./disk.ts";
import { RECORD_HEADER_BYTES } from "./record.ts";
import { encodeHeader, FILE_HEADER_BYTES, newHeader, statePath } from "./state-file.ts";
import type { StorePlace } from "./state-file.ts";

/** Enough room for the next batches, so that a probe that succeeds means something. */
const PROBE_BYTES = 1 << 16;

export interface JournalStart {
  readonly generation: number;
  readonly sequence: number;
  readonly stateVersion: number;
}

export class Journal {
  readonly generation: number;
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #file: number;
  #sizeBytes: number;
  #usable = true;
  /** What was to be cut off is still there, behind the first {@link sizeBytes}. */
  #isUncut = false;
  /** Something was written, or cut, since the last flush began. */
  #dirty = true;
  /** The file's name may not be on the medium yet. */
  #unlisted = true;

  private constructor(disk: Disk, directory: string, opened: { file: number; generation: number; sizeBytes: number }) {
    this.#disk = disk;
    this.#directory = directory;
    this.#file = opened.file;
    this.generation = opened.generation;
    this.#sizeBytes = opened.sizeBytes;
  }

  /** Begins a new file; leaves none behind when that fails. */
  static create(disk: Disk, place: StorePlace, start: JournalStart): Journal {
    const path = statePath(place, "journal", start.generation);
    const file = disk.open(path, "create");
    const journal = new Journal(disk, place.directory, { file, generation: start.generation, sizeBytes: 0 });
    try {
      journal.append(encodeHeader(newHeader("journal", start)), FILE_HEADER_BYTES);
      return journal;
    } catch (error) {
      journal.close();
      attempt(() => disk.remove(path));
      throw error;
    }
  }

  /** Goes on with a file that is there, after its first `sizeBytes`; what stands behind them is cut off. */
  static reopen(disk: Disk, place: StorePlace, tail: { generation: number; sizeBytes: number }): Journal {
    const file = disk.open(statePath(place, "journal", tail.generation), "change");
    try {
      if (disk.size(file) !== tail.sizeBytes) disk.truncate(file, tail.sizeBytes);
      return new Journal(disk, place.directory, { file, ...tail });
    } catch (error) {
      disk.close(file);
      throw error;
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Whether it holds no record. */
  get isEmpty(): boolean {
    return this.#sizeBytes <= FILE_HEADER_BYTES;
  }

  get usable(): boolean {
    return this.#usable;
  }

  get dirty(): boolean {
    return this.#dirty || this.#unlisted;
  }

  /** Writes the first `length` bytes at the end: all of them, or none. */
  append(bytes: Buffer, length: number): void {
    try {
      this.#write(bytes, length);
    } catch (error) {
      this.cutTo(this.#sizeBytes);
      throw error;
    }
    this.#sizeBytes += length;
    this.#dirty = true;
  }

  /**
   * Takes back what was written after the first `sizeBytes`; where that fails, the file is not usable, and flush tries
   * again.
   */
  cutTo(sizeBytes: number): void {
    this.#sizeBytes = sizeBytes;
    this.#dirty = true;
    try {
      this.#cut();
    } catch {
      this.#usable = false;
    }
  }

  /** Throws unless there is room: writes what reads as a record that was cut off, and cuts it off. */
  probe(): void {
    const bytes = Buffer.alloc(PROBE_BYTES);
    const payloadBytes = PROBE_BYTES - RECORD_HEADER_BYTES + 1;
    bytes.writeUInt32LE(payloadBytes, 0);
    bytes.writeUInt32LE(~payloadBytes >>> 0, 4);
    try {
      this.#write(bytes, bytes.length);
    } finally {
      this.cutTo(this.#sizeBytes);
    }
  }

  /** Resolves when what was appended before the call is on the medium, the file's name included. */
  async flush(): Promise<void> {
    this.#dirty = false;
    try {
      if (this.#isUncut) this.#cut();
      await this.#disk.flush(this.#file);
      if (this.#unlisted) await this.#disk.flushDirectory(this.#directory);
      this.#unlisted = false;
    } catch (error) {
      this.#usable = false;
      throw error;
    }
  }

  close(): void {
    this.#usable = false;
    // The descriptor is gone either way, and what close could report, flush has reported.
    attempt(() => this.#disk.close(this.#file));
  }

  #cut(): void {
    this.#isUncut = true;
    this.#disk.truncate(this.#file, this.#sizeBytes);
    this.#isUncut = false;
  }

  #write(bytes: Buffer, length: number): void {
    let written = this.#disk.write(this.#file, bytes, length, this.#sizeBytes);
    // A short write is followed by another, which then says why.
    while (written < length) {
      const rest = bytes.subarray(written, length);
      written += this.#disk.write(this.#file, rest, rest.length, this.#sizeBytes + written);
    }
  }
}

function attempt(run: () => void): void {
  try {
    run();
  } catch {
    // Clearing up after a failure that is reported already.
  }
}
