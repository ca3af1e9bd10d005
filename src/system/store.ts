/**
 * Durable state as a fold: `state = journal.reduce(apply, snapshot)`.
 *
 * Order: an event is encoded when it is committed, written with the others of its event-loop turn, and applied after
 * that.
 * Errors: {@link StorageError} as long as the disk refuses (the store looks by itself, every 0.1 to 2 s, whether it
 *   still does); {@link StateVersionError} on opening files of a newer version; a RangeError for an event larger than a
 *   journal may be.
 * Cost: one write a turn ("async"), one write and one fdatasync for all that arrived during the last one ("sync").
 * Not: a lock. Two processes must not open the same files; see `lock.ts`.
 */
import type { Clock } from "./clock.ts";
import type { Disk } from "./disk.ts";
import { nodeDisk } from "./disk.ts";
import { JournaledStore } from "./journaled-store.ts";
import type { Log } from "./log.ts";
import { recover } from "./recovery.ts";
import { describeError, StateVersionError, StorageError } from "./storage-error.ts";

export { StateVersionError, StorageError };

/** How one plugin's state is folded from its events, and how both are written. */
export interface StoreDefinition<State, Event> {
  /** Bumped when the encoding changes; a directory of a newer version is refused and left alone. */
  readonly version: number;
  readonly initial: () => State;
  /** Folds one event into the state, in place. Deterministic: time and randomness stand in the event. Never throws. */
  readonly apply: (state: State, event: Event) => void;
  /** The bytes of the event; the pieces are copied, one after the other, before `commit` returns. */
  readonly encode: (event: Event) => readonly Uint8Array[];
  /** The reverse, for every version up to this one; throws on bytes that no version wrote. */
  readonly decode: (bytes: Buffer) => Event;
  /**
   * The state as it is at the moment of the call, in pieces, however slowly they are read and whatever is applied
   * meanwhile (a small state answers an array; a large one copies on write). The first piece is asked for at once, so
   * that a generator may take hold of the state before its first `yield`.
   */
  readonly snapshot: (state: State) => Iterable<Uint8Array>;
  /** The state that `snapshot` wrote, given the same pieces. `version` is the one that wrote them. */
  readonly restore: (pieces: Iterable<Buffer>, version: number) => State;
}

export interface Store<State, Event> {
  readonly state: State;
  /**
   * Writes the event, then applies it; resolves when both are done and the record is as durable as `storage.durability`
   * says. Rejects with a {@link StorageError} when it could not be written: the state is then as if it had never been
   * asked for. Events are applied in the order of the calls.
   */
  commit(event: Event): Promise<void>;
  /** Writes a snapshot now, in slices. */
  compact(): Promise<void>;
  /** Writes and flushes what is pending, and ends. Rejects when something acknowledged may not be on the medium. */
  close(): Promise<void>;
}

/** Read anew at every write, so that a reload takes effect at once. */
export interface StorageSettings {
  /**
   * `async`: a commit is in the hands of the kernel when it resolves, and on the medium a second later. `sync`: it is
   * on the medium when it resolves.
   */
  readonly durability: "async" | "sync";
  /** No journal grows larger; a snapshot is due when all since the last one together would. At least 4096. */
  readonly maxJournalBytes: number;
}

export interface StoreServices {
  readonly clock: Clock;
  readonly log: Log;
  /** The real one, unless a test says otherwise. */
  readonly disk?: Disk;
}

export interface StoreHome {
  readonly directory: string;
  /** The first part of the file names, and what the store is called in the log. */
  readonly name: string;
  settings(): StorageSettings;
  /** A damaged file was found: it will be set aside as `*.corrupt-<time>`, and what could be read is used. */
  onCorruption(): void;
  /** Told the problem when there is one, and `undefined` when all is well again. */
  onHealth(problem: string | undefined): void;
}

/** Opens the store, with everything in it that was acknowledged. The directory is made if need be. */
export async function openStore<State, Event>(
  services: StoreServices,
  home: StoreHome,
  definition: StoreDefinition<State, Event>,
): Promise<Store<State, Event>> {
  const disk = services.disk ?? nodeDisk;
  const own = { clock: services.clock, log: services.log.child({ store: home.name }), disk };
  try {
    disk.makeDirectory(home.directory, own.log);
    const recovered = await recover(own, home, definition);
    const store = new JournaledStore(own, home, { definition, recovered });
    await store.start(recovered);
    return store;
  } catch (error) {
    if (error instanceof StateVersionError) throw error;
    const message = `Cannot open the ${home.name} store in ${home.directory}: ${describeError(error)}`;
    throw new StorageError(message, { cause: error });
  }
}
