/** How one plugin's state is folded from its events, and how both are written. */
export interface StoreDefinition<State, Event> {
  /** Bumped when the encoding changes; a directory of a newer version is refused and left alone. */
  readonly version: number;
  readonly initial: () => State;
  /** Folds one event into the state, in place. Deterministic: time and randomness stand in the event. Never throws. */
  readonly apply: (state: State, event: Event) => void;
  /** The bytes of the event; several pieces are written one after the other, without a copy. */
  readonly encode: (event: Event) => readonly Uint8Array[];
  /** The reverse; throws on bytes that no version wrote. */
  readonly decode: (bytes: Buffer) => Event;
  /**
   * The state as it is at the moment of the call, in pieces, however slowly they are read and whatever is applied meanwhile
   * (a small state answers an array; a large one copies on write).
   */
  readonly snapshot: (state: State) => Iterable<Uint8Array>;
  /** The state that `snapshot` wrote, given the same pieces. `version` is the one that wrote them. */
  readonly restore: (pieces: Iterable<Buffer>, version: number) => State;
}

export interface Store<State, Event> {
  readonly state: State;
  /**
   * Writes the event, then applies it; resolves when both are done and the record is as durable as `storage.durability` says.
   * Rejects with a {@link StorageError} when it could not be written: the state is then as if it had never been asked for.
   * Events are applied in the order of the calls.
   */
  commit(event: Event): Promise<void>;
  /** Writes a snapshot now, in slices. */
  compact(): Promise<void>;
  close(): Promise<void>;
}

/** The disk refused. Becomes 503 with Retry-After. */
export class StorageError extends Error {}
