/**
 * A recovered state -> a store that commits to it: batches to the journal, snapshots in the background, and the way
 * back from a disk that refuses.
 *
 * Order: a batch is written, flushed if that is asked for, applied, and then its commits resolve; one batch at a time.
 * The store is at rest when no batch lies between its write and its apply: only then is a new journal begun, because
 * only then does the state hold exactly the records of the journals before it.
 */
import type { Timer } from "./clock.ts";
import { CommitQueue } from "./commit-queue.ts";
import type { Batch } from "./commit-queue.ts";
import { quarantinePath } from "./files.ts";
import { JournalChain } from "./journal-chain.ts";
import { recordBytes } from "./record.ts";
import type { Damage, Recovered, RecoveryServices } from "./recovery.ts";
import { Snapshotter } from "./snapshotter.ts";
import { FILE_HEADER_BYTES, findLeftovers } from "./state-file.ts";
import { describeError, StorageError } from "./storage-error.ts";
import { StorageHealth } from "./storage-health.ts";
import type { Store, StoreDefinition, StoreHome } from "./store.ts";

/** Less than the second that is promised, to leave time for the flush itself. */
const FLUSH_AFTER_MS = 800;

export class JournaledStore<State, Event> implements Store<State, Event> {
  readonly state: State;
  readonly #services: RecoveryServices;
  readonly #home: StoreHome;
  readonly #definition: StoreDefinition<State, Event>;
  readonly #chain: JournalChain;
  readonly #health: StorageHealth;
  readonly #snapshotter: Snapshotter;
  readonly #queue = new CommitQueue<Event>();
  /** The number of the next record to be applied. */
  #applied: number;
  /** The number of the next record to be encoded. */
  #sequence: number;
  #commitsThisTurn = 0;
  #commitsLastTurn = 0;
  /** The loop of "sync" mode, while it runs. */
  #draining: Promise<void> | undefined;
  /** A batch lies between its write and its apply. */
  #inFlight = false;
  #damaged: readonly Damage[];
  #flushTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #closed: StorageError | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    services: RecoveryServices,
    home: StoreHome,
    parts: { definition: StoreDefinition<State, Event>; recovered: Recovered<State> },
  ) {
    const { definition, recovered } = parts;
    this.#services = services;
    this.#home = home;
    this.#definition = definition;
    this.#chain = new JournalChain(services.disk, home, { ...recovered, stateVersion: definition.version });
    this.#health = new StorageHealth(services.log, home);
    this.state = recovered.state;
    this.#applied = recovered.sequence;
    this.#sequence = recovered.sequence;
    this.#damaged = recovered.damaged;
    const source = {
      stateVersion: definition.version,
      isAtRest: () => !this.#inFlight && !this.#health.mustRewrite,
      sequence: () => this.#applied,
      pieces: () => definition.snapshot(this.state),
    };
    this.#snapshotter = new Snapshotter(services, home, { source, chain: this.#chain, health: this.#health });
  }

  /** Makes the files fit to be gone on with. A disk that refuses is no error here: commits are refused then. */
  async start(recovered: Recovered<State>): Promise<void> {
    const { disk, log } = this.#services;
    for (const path of findLeftovers(disk, this.#home)) attempt(() => disk.remove(path));
    for (const damage of recovered.damaged) {
      log.error("a file of the store is damaged; what could be read is used", { ...damage });
      this.#home.onCorruption();
    }
    const isFresh = recovered.generation === 0;
    if (recovered.damaged.length > 0 || (recovered.tail === undefined && !isFresh)) return this.#rewrite();
    try {
      if (recovered.tail !== undefined) this.#chain.reopen(recovered.tail);
      else this.#chain.begin(this.#applied);
      await this.#chain.flush();
    } catch (error) {
      this.#refuseUntilRewritten("the journal cannot be opened for writing", error);
    }
  }

  commit(event: Event): Promise<void> {
    const refusal = this.#closed ?? this.#health.refusal;
    if (refusal) return Promise.reject(refusal);
    const { durability, maxJournalBytes } = this.#home.settings();
    const limitBytes = maxJournalBytes - FILE_HEADER_BYTES;
    let outcome: Promise<void>;
    try {
      const pieces = this.#definition.encode(event);
      const sizeBytes = recordBytes(pieces);
      if (sizeBytes > limitBytes) {
        throw new RangeError(`An event of ${sizeBytes} bytes does not fit into a journal of ${maxJournalBytes} bytes`);
      }
      outcome = this.#queue.add({ event, pieces, sizeBytes, sequence: this.#sequence }, limitBytes);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    this.#sequence++;
    if (this.#commitsThisTurn++ === 0) {
      setImmediate(this.#endTurn);
      // Measured at one connection: the answer is sooner, and cheaper, when there is nobody to share the write with.
      if (this.#commitsLastTurn <= 1 && durability === "async") this.#pump();
    }
    return outcome;
  }

  compact(): Promise<void> {
    const refusal = this.#closed ?? (this.#health.mustRewrite ? this.#health.refusal : undefined);
    return refusal ? Promise.reject(refusal) : this.#snapshotter.request();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  readonly #endTurn = (): void => {
    this.#commitsLastTurn = this.#commitsThisTurn;
    this.#commitsThisTurn = 0;
    this.#pump();
  };

  /** Writes what is in the queue, now or, in "sync" mode, as one flush after the other allows. */
  #pump(): void {
    if (this.#queue.isEmpty || this.#draining) return;
    if (this.#home.settings().durability === "sync") {
      this.#draining = this.#drain().finally(() => (this.#draining = undefined));
      return;
    }
    for (let batch = this.#queue.take(); batch; batch = this.#queue.take()) {
      if (!this.#write(batch)) return;
      this.#settle(batch);
    }
    this.#armFlush();
  }

  async #drain(): Promise<void> {
    for (let batch = this.#queue.take(); batch; batch = this.#queue.take()) {
      if (!this.#write(batch)) return;
      this.#inFlight = true;
      const sizeBytes = batch.records.length;
      try {
        await this.#chain.flush();
      } catch (error) {
        // Taken back as far as the disk lets us, so that a restart does not bring back what was refused.
        this.#chain.takeBack(sizeBytes);
        this.#flushFailed(error, batch);
        return;
      } finally {
        this.#inFlight = false;
      }
      this.#settle(batch);
      this.#snapshotter.serve();
    }
  }

  #write(batch: Batch<Event>): boolean {
    try {
      this.#makeRoom(batch.records.length);
      this.#chain.append(batch.records.bytes, batch.records.length);
      return true;
    } catch (error) {
      this.#rejectAll(this.#health.refuse("the journal cannot be written", error), batch);
      this.#armRetry();
      return false;
    }
  }

  /** Applies a batch that is as durable as asked, and tells those who wait. */
  #settle(batch: Batch<Event>): void {
    for (const event of batch.events) {
      try {
        this.#definition.apply(this.state, event);
      } catch (error) {
        // The record stands, and replay will do the same.
        const problem = describeError(error);
        this.#services.log.error("an event could not be applied", { record: this.#applied, problem });
      }
      this.#applied++;
    }
    this.#health.succeeded();
    batch.resolve();
    this.#queue.giveBack(batch);
  }

  /** Sees to it that the journal takes `sizeBytes` more: begins a new one, with or without a snapshot. */
  #makeRoom(sizeBytes: number): void {
    const { maxJournalBytes } = this.#home.settings();
    this.#snapshotter.startIfDue(sizeBytes, maxJournalBytes);
    const current = this.#chain.current;
    if (!current || current.sizeBytes + sizeBytes > maxJournalBytes) this.#chain.begin(this.#applied);
  }

  #armFlush(): void {
    this.#flushTimer ??= this.#services.clock.after(FLUSH_AFTER_MS, () => {
      this.#flushTimer = undefined;
      this.#chain.flush().catch((error) => this.#flushFailed(error));
    });
  }

  /** What was acknowledged may be lost from the files: nothing more is, until all of it stands in new ones. */
  #flushFailed(error: unknown, batch?: Batch<Event>): void {
    if (this.#health.mustRewrite) {
      this.#rejectAll(this.#health.refusal!, batch);
      return;
    }
    this.#refuseUntilRewritten("the journal cannot be flushed", error, batch);
  }

  #refuseUntilRewritten(what: string, error: unknown, batch?: Batch<Event>): void {
    this.#rejectAll(this.#health.refuseUntilRewritten(what, error), batch);
    this.#armRetry();
  }

  #rejectAll(error: StorageError, batch?: Batch<Event>): void {
    this.#sequence = this.#applied;
    batch?.reject(error);
    this.#queue.rejectAll(error);
  }

  #armRetry(): void {
    if (this.#closed) return;
    this.#retryTimer ??= this.#services.clock.after(this.#health.retryMs, () => {
      this.#retryTimer = undefined;
      if (this.#health.mustRewrite) void this.#rewrite();
      else this.#probe();
    });
  }

  /** Looks whether the disk takes writes again. */
  #probe(): void {
    try {
      if (this.#chain.current) this.#chain.current.probe();
      else this.#chain.begin(this.#applied);
      this.#health.accept();
    } catch (error) {
      this.#health.refuse("the journal cannot be written", error);
      this.#armRetry();
    }
  }

  /** Writes the whole state to new files, sets the damaged ones aside, and takes commits again. */
  async #rewrite(): Promise<void> {
    try {
      await this.#draining;
      await this.#snapshotter.rewrite();
    } catch (error) {
      this.#refuseUntilRewritten("the state cannot be written anew", error);
      return;
    }
    this.#setDamagedAside();
    this.#health.rewritten();
    this.#snapshotter.serve();
  }

  #setDamagedAside(): void {
    const { clock, disk, log } = this.#services;
    for (const { path } of this.#damaged) {
      const target = quarantinePath(path, clock.wallMs());
      attempt(() => {
        disk.rename(path, target);
        log.warn("a damaged file was set aside", { path, target });
      });
    }
    this.#damaged = [];
  }

  async #close(): Promise<void> {
    this.#closed = new StorageError(`The ${this.#home.name} store is closed`);
    this.#pump();
    await this.#draining;
    this.#flushTimer?.cancel();
    this.#retryTimer?.cancel();
    await this.#snapshotter.stop(this.#closed);
    await this.#chain.flush().catch((error: unknown) => this.#flushFailed(error));
    // What could not be flushed has one more chance: new files.
    if (this.#health.mustRewrite) await this.#rewrite();
    this.#chain.close();
    if (this.#health.mustRewrite) throw this.#health.refusal!;
  }
}

/** For what is good to have and no reason to fail. */
function attempt(run: () => void): void {
  try {
    run();
  } catch {
    // The next start does it.
  }
}
