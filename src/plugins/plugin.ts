/**
 * What a plugin is: the whole contract between the daemon and its parts.
 *
 * A plugin reaches the world only through {@link Services}; plugins never import each other. They start in the order of the
 * table in `index.ts` and stop in the reverse order.
 */
import type { Registry } from "../core/registry.ts";
import type { Schema } from "../core/validate.ts";
import type { Clock } from "../system/clock.ts";
import type { Route } from "../system/http.ts";
import type { Log } from "../system/log.ts";
import type { Store, StoreDefinition } from "../system/store.ts";

export { HttpError, jsonReply } from "../system/http.ts";

/** Turns pieces of text into the same, compressed. */
export type Compress = (pieces: AsyncIterable<string>) => AsyncIterable<Uint8Array>;

export interface Services {
  readonly clock: Clock;
  readonly log: Log;
  /** Every metric of the daemon, its own and its clients'. */
  readonly registry: Registry;
  readonly gzip: Compress;
  /** Opens the plugin's durable state, below `<dataDir>/<plugin>`. */
  openStore<State, Event>(name: string, definition: StoreDefinition<State, Event>): Promise<Store<State, Event>>;
}

export interface Plugin {
  readonly routes: readonly Route[];
  /** Takes over a config that has been checked; what cannot change live is left out by the daemon. */
  reconfigure(config: unknown): void;
  /** What is not well right now, in sentences; `/health` shows them. */
  problems(): readonly string[];
  /** Figures for `/admin/stats`. */
  stats(): Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

export interface PluginFactory<Config> {
  /** The key in `config.plugins` and of the plugin's own section. */
  readonly name: string;
  readonly schema: Schema<Config>;
  create(services: Services, config: Config): Promise<Plugin>;
}
