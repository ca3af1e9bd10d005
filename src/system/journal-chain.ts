/**
 * The journals of one store in their order: the one that is written to, and those before it that a snapshot still
 * needs.
 *
 * Order: records are on the medium in the order of their sequence: a journal is flushed only after those before it.
 * Errors: those of the disk. After a failed flush every further flush fails too, until {@link JournalChain.renew}.
 */
import type { Disk } from "./disk.ts";
import { Journal } from "./journal.ts";
import type { StorePlace } from "./state-file.ts";
import { statePath } from "./state-file.ts";

const SNAPSHOTS_KEPT = 2;

/** What a chain goes on with. */
export interface ChainStart {
  readonly stateVersion: number;
  /** The highest generation that any file has, damaged ones included; 0 when there is none. */
  readonly generation: number;
  /** The journals that are there, oldest first, and how many of their first bytes are good. */
  readonly journals: readonly { generation: number; sizeBytes: number }[];
  /** The generations that have a good snapshot, oldest first. */
  readonly snapshots: readonly number[];
}

export class JournalChain {
  readonly #disk: Disk;
  readonly #place: StorePlace;
  readonly #stateVersion: number;
  /** The journals before the current one, by generation. */
  readonly #sizes = new Map<number, number>();
  /** Of {@link #sizes}, what the newest snapshot does not stand for. */
  #earlierBytes = 0;
  #snapshots: number[];
  #generation: number;
  #current: Journal | undefined;
  /** Earlier journals that still hold unflushed records, oldest first. */
  #closing: Journal[] = [];
  #failure: unknown;
  #flushing: Promise<void> | undefined;

  constructor(disk: Disk, place: StorePlace, start: ChainStart) {
    this.#disk = disk;
    this.#place = place;
    this.#stateVersion = start.stateVersion;
    this.#generation = start.generation;
    this.#snapshots = [...start.snapshots];
    for (const journal of start.journals) this.#sizes.set(journal.generation, journal.sizeBytes);
    this.#countEarlierBytes();
  }

  /** The journal to append to, if there is one that can be. */
  get current(): Journal | undefined {
    return this.#current?.usable ? this.#current : undefined;
  }

  get dirty(): boolean {
    return this.#closing.length > 0 || this.#current?.dirty === true;
  }

  /** The bytes of all journals that the newest snapshot does not stand for. */
  get bytesSinceSnapshot(): number {
    return this.#earlierBytes + (this.#current?.sizeBytes ?? 0);
  }

  /** Goes on with the newest journal that is there. What is not good in it, and in those before it, is cut off. */
  reopen(tail: number): void {
    for (const [generation, sizeBytes] of this.#sizes) {
      if (generation < this.#newestSnapshot) continue;
      // The process before this one may have ended before it had flushed them.
      const journal = Journal.reopen(this.#disk, this.#place, { generation, sizeBytes });
      if (generation === tail) this.#current = journal;
      else this.#closing.push(journal);
    }
    this.#sizes.delete(tail);
    this.#countEarlierBytes();
  }

  /** Begins a new journal, whose first record will have this sequence, and answers its generation. */
  begin(sequence: number): number {
    // Counted up first: a file whose making failed may still be there.
    const generation = ++this.#generation;
    const journal = Journal.create(this.#disk, this.#place, { generation, sequence, stateVersion: this.#stateVersion });
    this.#retire();
    this.#current = journal;
    return generation;
  }

  /**
   * Like {@link begin}, after a failed flush: what could not be flushed is given up, and must be in the snapshot to
   * come.
   */
  renew(sequence: number): number {
    const generation = this.begin(sequence);
    for (const journal of this.#closing) journal.close();
    this.#closing = [];
    this.#failure = undefined;
    return generation;
  }

  /** Writes the first `length` bytes at the end: all of them, or none. There must be a {@link current} journal. */
  append(bytes: Buffer, length: number): void {
    this.#current!.append(bytes, length);
  }

  /** Undoes the last append, of `length` bytes, as far as the disk lets us. */
  takeBack(length: number): void {
    const { sizeBytes } = this.#current!;
    this.#current!.cutTo(sizeBytes - length);
  }

  /** Resolves when all that was appended before the call is on the medium. */
  async flush(): Promise<void> {
    // One at a time: of two fdatasyncs that overlap, only one is told of a lost page.
    while (this.#flushing) await this.#flushing;
    if (this.#failure !== undefined) throw this.#failure;
    const done = Promise.withResolvers<void>();
    this.#flushing = done.promise;
    try {
      await this.#flushInOrder();
    } catch (error) {
      this.#failure = error;
      throw error;
    } finally {
      this.#flushing = undefined;
      done.resolve();
    }
  }

  /**
   * The snapshot of this generation is on the medium: removes what is no longer needed to come back from the last two.
   */
  adopt(generation: number): void {
    const snapshots = [...this.#snapshots, generation];
    for (const old of snapshots.slice(0, -SNAPSHOTS_KEPT)) this.#remove(statePath(this.#place, "snapshot", old));
    this.#snapshots = snapshots.slice(-SNAPSHOTS_KEPT);
    this.#countEarlierBytes();
    // With a single snapshot, the one before it is the initial state, and every journal is needed from there.
    if (this.#snapshots.length < SNAPSHOTS_KEPT) return;
    for (const old of [...this.#sizes.keys()]) {
      if (old >= this.#snapshots[0]!) continue;
      this.#remove(statePath(this.#place, "journal", old));
      this.#sizes.delete(old);
    }
  }

  close(): void {
    for (const journal of this.#closing) journal.close();
    this.#closing = [];
    this.#current?.close();
  }

  async #flushInOrder(): Promise<void> {
    for (let oldest = this.#closing[0]; oldest; oldest = this.#closing[0]) {
      if (oldest.dirty) await oldest.flush();
      oldest.close();
      this.#closing.shift();
    }
    if (this.#current?.dirty) await this.#current.flush();
  }

  #retire(): void {
    const last = this.#current;
    if (!last) return;
    if (last.isEmpty) {
      // On a failing disk each attempt would leave one behind.
      last.close();
      this.#remove(statePath(this.#place, "journal", last.generation));
      return;
    }
    this.#sizes.set(last.generation, last.sizeBytes);
    this.#closing.push(last);
    this.#countEarlierBytes();
  }

  get #newestSnapshot(): number {
    return this.#snapshots.at(-1) ?? 0;
  }

  #countEarlierBytes(): void {
    this.#earlierBytes = 0;
    for (const [generation, sizeBytes] of this.#sizes) {
      if (generation >= this.#newestSnapshot) this.#earlierBytes += sizeBytes;
    }
  }

  #remove(path: string): void {
    try {
      this.#disk.remove(path);
    } catch {
      // Gone already, or to be removed after the next snapshot's start: an old file too many does no harm.
    }
  }
}
