/**
 * When a store's state is written whole, and that it happens once at a time: asked for, due, or because the journals
 * can no longer be trusted.
 *
 * Units: bytes, milliseconds.
 * Order: a journal is begun and the state taken in the same instant, at which no batch lies between its write and its
 * apply.
 */
import type { Timer } from "./clock.ts";
import type { JournalChain } from "./journal-chain.ts";
import type { RecoveryServices } from "./recovery.ts";
import { writeSnapshot } from "./snapshot.ts";
import type { StorePlace } from "./state-file.ts";
import { describeError, StorageError } from "./storage-error.ts";
import type { StorageHealth } from "./storage-health.ts";

/** After a failure: the journals go on meanwhile, and on a full disk every attempt takes room away from them. */
const RETRY_AFTER_MS = 10_000;

/** The state to be written. */
export interface SnapshotSource {
  readonly stateVersion: number;
  /** Whether the state holds exactly the records that are in the journals. */
  isAtRest(): boolean;
  /** The sequence of the first record that the state lacks. */
  sequence(): number;
  /** The state as of now; see `StoreDefinition.snapshot`. */
  pieces(): Iterable<Uint8Array>;
}

export class Snapshotter {
  readonly #services: RecoveryServices;
  readonly #place: StorePlace;
  readonly #source: SnapshotSource;
  readonly #chain: JournalChain;
  readonly #health: StorageHealth;
  #running: Promise<void> | undefined;
  #wanted: PromiseWithResolvers<void>[] = [];
  #retry: Timer | undefined;
  /** What is being written is to be broken off. */
  #stopped: StorageError | undefined;
  /** Nothing but {@link rewrite} starts any more. */
  #isEnding = false;

  constructor(
    services: RecoveryServices,
    place: StorePlace,
    parts: { source: SnapshotSource; chain: JournalChain; health: StorageHealth },
  ) {
    this.#services = services;
    this.#place = place;
    this.#source = parts.source;
    this.#chain = parts.chain;
    this.#health = parts.health;
  }

  /** Resolves when a snapshot taken after the call is on the medium. */
  request(): Promise<void> {
    const wanted = Promise.withResolvers<void>();
    this.#wanted.push(wanted);
    this.serve();
    return wanted.promise;
  }

  /** Starts one snapshot for all who asked for one, if this is the moment. */
  serve(): void {
    if (this.#wanted.length === 0 || this.#running || !this.#source.isAtRest()) return;
    const wanted = this.#wanted.splice(0);
    this.#start(() => this.#chain.begin(this.#source.sequence())).then(
      () => wanted.forEach((each) => each.resolve()),
      (error) => wanted.forEach((each) => each.reject(error)),
    );
  }

  /**
   * To be called at rest: starts a snapshot if the journals, with `sizeBytes` more, would be larger than one may be.
   */
  startIfDue(sizeBytes: number, maxJournalBytes: number): void {
    if (this.#chain.bytesSinceSnapshot + sizeBytes <= maxJournalBytes || this.#running || this.#retry) return;
    // Its failure is told by the health, and the batch at hand does not depend on it.
    this.#start(() => this.#chain.begin(this.#source.sequence())).catch(() => {});
  }

  /**
   * Writes the state and begins a journal, both without need of any earlier file; resolves when they are on the medium.
   */
  async rewrite(): Promise<void> {
    while (this.#running) await this.#running;
    await this.#start(() => this.#chain.renew(this.#source.sequence()));
    await this.#chain.flush();
  }

  /** Breaks off what is being written, refuses those who wait, and leaves only {@link rewrite}. */
  async stop(reason: StorageError): Promise<void> {
    this.#stopped = reason;
    this.#isEnding = true;
    this.#retry?.cancel();
    for (const wanted of this.#wanted.splice(0)) wanted.reject(reason);
    while (this.#running) await this.#running;
    this.#stopped = undefined;
  }

  async #start(beginJournal: () => number): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#running = done.promise;
    try {
      await this.#write(beginJournal);
      this.#health.snapshotWritten();
      this.#retry?.cancel();
      this.#retry = undefined;
    } catch (error) {
      if (!this.#isEnding) this.#failed(error);
      throw new StorageError(`The snapshot was not written: ${describeError(error)}`, { cause: error });
    } finally {
      this.#running = undefined;
      done.resolve();
      this.serve();
    }
  }

  #failed(error: unknown): void {
    this.#health.snapshotFailed(error);
    this.#retry?.cancel();
    this.#retry = this.#services.clock.after(RETRY_AFTER_MS, () => {
      this.#retry = undefined;
      this.request().catch(() => {});
    });
  }

  async #write(beginJournal: () => number): Promise<void> {
    const sequence = this.#source.sequence();
    const generation = beginJournal();
    const sizeBytes = await writeSnapshot(this.#services, {
      place: this.#place,
      generation,
      sequence,
      stateVersion: this.#source.stateVersion,
      pieces: this.#source.pieces(),
      check: () => {
        if (this.#stopped) throw this.#stopped;
      },
    });
    this.#chain.adopt(generation);
    this.#services.log.debug("snapshot written", { generation, sequence, sizeBytes });
  }
}
