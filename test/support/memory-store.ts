/** A store without a disk: commits wait until the test lets them through, or fail. Events go through their encoding, as on disk. */
import { type Store, type StoreDefinition, StorageError } from "../../src/system/store.ts";

export interface MemoryStore<State, Event> extends Store<State, Event> {
  /** While true, commits wait for `settle`. */
  hold: boolean;
  /** Lets waiting commits through, or fails them. */
  settle(outcome: "written" | "failed"): void;
  /** The state that a restart would find. */
  reopen(): State;
}

export function memoryStore<State, Event>(
  definition: StoreDefinition<State, Event>,
  again: StoreDefinition<State, Event> = definition,
): MemoryStore<State, Event> {
  const state = definition.initial();
  const journal: Buffer[] = [];
  let waiting: { event: Event; settle: (outcome: "written" | "failed") => void }[] = [];

  function write(event: Event): void {
    journal.push(Buffer.concat(definition.encode(event)));
    definition.apply(state, event);
  }

  return {
    state,
    hold: false,
    commit(event) {
      if (!this.hold) return Promise.resolve(write(event));
      return new Promise((resolve, reject) => {
        const settle = (outcome: "written" | "failed"): void => {
          if (outcome === "failed") return reject(new StorageError("no space left on device"));
          write(event);
          resolve();
        };
        waiting.push({ event, settle });
      });
    },
    settle(outcome) {
      for (const { settle } of waiting.splice(0)) settle(outcome);
    },
    reopen() {
      const found = again.initial();
      for (const record of journal) again.apply(found, again.decode(record));
      return found;
    },
    compact: async () => undefined,
    close: async () => undefined,
  };
}
