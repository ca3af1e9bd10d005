/**
 * Commits as they come -> batches of records, each to be written at once, whose commits all have one outcome.
 *
 * Cost: a record is copied once, into a buffer that is used again; the commits of a batch share one promise.
 */
import { RecordBuffer } from "./record.ts";

/** A batch above this size is closed, so that a burst does not become one huge write. */
const FULL_BATCH_BYTES = 1 << 22;

export interface Commit<Event> {
  readonly event: Event;
  readonly pieces: readonly Uint8Array[];
  /** See `recordBytes`. */
  readonly sizeBytes: number;
  readonly sequence: number;
}

export class Batch<Event> {
  readonly records = new RecordBuffer();
  readonly events: Event[] = [];
  #outcome: PromiseWithResolvers<void> | undefined;

  /** Settled for every commit of the batch alike. */
  get outcome(): Promise<void> {
    this.#outcome ??= Promise.withResolvers<void>();
    return this.#outcome.promise;
  }

  resolve(): void {
    this.#outcome?.resolve();
    this.#clear();
  }

  reject(error: Error): void {
    this.#outcome?.reject(error);
    this.#clear();
  }

  #clear(): void {
    this.records.clear();
    this.events.length = 0;
    this.#outcome = undefined;
  }
}

export class CommitQueue<Event> {
  /** Oldest first; the last one still takes commits. */
  #batches: Batch<Event>[] = [];
  /** A settled batch, for its buffer. */
  #spare: Batch<Event> | undefined;

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /** Puts the commit into the last batch, or a new one when that would grow over `limitBytes`. */
  add(commit: Commit<Event>, limitBytes: number): Promise<void> {
    let batch = this.#batches.at(-1);
    if (!batch || batch.records.length + commit.sizeBytes > Math.min(limitBytes, FULL_BATCH_BYTES)) {
      batch = this.#begin();
    }
    batch.records.add(commit.pieces, commit.sizeBytes, commit.sequence);
    batch.events.push(commit.event);
    return batch.outcome;
  }

  /** The oldest batch, which takes no more commits. To be given back when it is settled. */
  take(): Batch<Event> | undefined {
    return this.#batches.shift();
  }

  giveBack(batch: Batch<Event>): void {
    this.#spare = batch;
  }

  rejectAll(error: Error): void {
    for (const batch of this.#batches.splice(0)) batch.reject(error);
  }

  #begin(): Batch<Event> {
    const batch = this.#spare ?? new Batch<Event>();
    this.#spare = undefined;
    this.#batches.push(batch);
    return batch;
  }
}
