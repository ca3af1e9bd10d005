/**
 * The data directory as plugins see it: each opens stores below a folder of its own; trouble with any of them is told
 * in one place.
 */
import { join } from "node:path";
import type { Registry } from "../core/registry.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import { openStore, type StorageSettings, type Store, type StoreDefinition } from "./store.ts";

export interface Storage {
  /** The `openStore` of one plugin's services. */
  openStore(
    plugin: string,
  ): <State, Event>(name: string, definition: StoreDefinition<State, Event>) => Promise<Store<State, Event>>;
  /** What is not well with any store right now, in sentences. */
  problems(): readonly string[];
  /** Writes a snapshot of every store that is open; answers their names. */
  snapshot(): Promise<readonly string[]>;
}

export function createStorage(
  services: { clock: Clock; log: Log; registry: Registry },
  place: { dataDir: string; settings: () => StorageSettings },
): Storage {
  const problems = new Map<string, string>();
  const stores = new Map<string, Pick<Store<never, never>, "compact">>();
  const corruptions = services.registry.ownValue(
    "pi_daemon_storage_corruptions_total",
    "counter",
    "Damaged state files found and set aside.",
  )([]);
  return {
    problems: () => [...problems.values()],
    async snapshot() {
      for (const store of stores.values()) await store.compact();
      return [...stores.keys()];
    },
    openStore: (plugin) => async (name, definition) => {
      const onHealth = (problem: string | undefined): void => {
        if (problem === undefined) problems.delete(`${plugin}/${name}`);
        else problems.set(`${plugin}/${name}`, problem);
      };
      const directory = join(place.dataDir, plugin);
      const home = { directory, name, settings: place.settings, onCorruption: () => corruptions.add(1), onHealth };
      const store = await openStore(services, home, definition);
      const key = `${plugin}/${name}`;
      const close = store.close.bind(store);
      store.close = () => {
        stores.delete(key);
        return close();
      };
      stores.set(key, store);
      return store;
    },
  };
}
