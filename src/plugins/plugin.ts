/**
 * What a plugin is: the whole contract between the daemon and its parts.
 *
 * A plugin reaches the world only through {@link Services}; plugins never import each other. They start in the order of the
 * table in `index.ts` and stop in the reverse order.
 */
import type { ReadDefinition } from "../core/definition.ts";
import type { Registry } from "../core/registry.ts";
import type { Schema } from "../core/validate.ts";
import type { Actions } from "../system/actions.ts";
import type { OpenCache } from "../system/blob-cache.ts";
import type { Clock } from "../system/clock.ts";
import type { DefinitionFile } from "../system/definition-folder.ts";
import type { EventBus } from "../system/event-bus.ts";
import type { Fetch } from "../system/fetch.ts";
import type { FindFolder } from "../system/find-folder.ts";
import type { OpenFolder } from "../system/folder.ts";
import type { Route } from "../system/http.ts";
import type { Log } from "../system/log.ts";
import type { EndOrphans } from "../system/orphans.ts";
import type { Segments } from "../system/segments.ts";
import type { MatchPattern } from "../system/match-pattern.ts";
import type { PluginFiles } from "../system/plugin-files.ts";
import type { Spawn } from "../system/spawn.ts";
import type { Store, StoreDefinition } from "../system/store.ts";

export { HttpError, jsonReply } from "../system/http.ts";
export { needBody, privateRoutes, refuseIssues, waitFor, withLocation } from "../system/http-handling.ts";

/** Turns pieces of text into the same, compressed. */
export type Compress = (pieces: AsyncIterable<string>) => AsyncIterable<Uint8Array>;

/** What plugins tell each other. Instants in milliseconds since the epoch. */
export interface Events {
  "job.started": { readonly job: string; readonly run: number; readonly trigger: string; readonly atMs: number };
  "job.finished": {
    readonly job: string;
    readonly run: number;
    readonly trigger: string;
    readonly state: string;
    readonly atMs: number;
    readonly durationMs: number;
    /** Why it is not ok, without secrets. */
    readonly error: string | undefined;
    readonly tags: readonly string[];
  };
  /** Slots that passed without a run: the daemon was down, the machine slept, the clock was set. */
  "job.missed": {
    readonly job: string;
    readonly firstSlotMs: number;
    readonly lastSlotMs: number;
    readonly count: number;
    readonly reason: string;
    readonly tags: readonly string[];
  };
}

/** The machine and the person that the daemon runs for. */
export interface Host {
  /** The daemon's own environment. It holds secrets: nothing of it is handed on unasked. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Of this run of the machine; empty where that is not known. */
  readonly bootId: string;
}

/** Reads definitions that stand outside of the config file as if they stood in it. */
export interface Definitions {
  read<T>(schema: Schema<T>, value: unknown): ReadDefinition<T>;
  /** A value of the config itself, to be shown: secrets are found by the marks of its schema and by their texts. */
  show(schema: Schema<unknown>, value: unknown, secrets: readonly string[]): unknown;
  readFolder(path: string): readonly DefinitionFile[];
}

export interface Services {
  readonly clock: Clock;
  readonly log: Log;
  /** Every metric of the daemon, its own and its clients'. */
  readonly registry: Registry;
  readonly gzip: Compress;
  readonly events: EventBus<Events>;
  /** Named operations that this plugin offers, and those of the others. */
  readonly actions: Actions;
  readonly host: Host;
  readonly definitions: Definitions;
  /** The secrets of the config that is in force: texts that no output may show. */
  secrets(): readonly string[];
  /** Runs a program, and sees it and its children to their end. */
  readonly spawn: Spawn;
  /** Ends what runs of a daemon that died have left behind. */
  readonly endOrphans: EndOrphans;
  /** Asks another server. */
  readonly fetch: Fetch;
  /** Tries a regular expression that a person wrote, for a moment. */
  readonly matchPattern: MatchPattern;
  /** Files of the plugin's own, below `<dataDir>/<plugin>/files`. */
  readonly files: PluginFiles;
  /** Opens a cache of the plugin's own, among its files. */
  readonly openCache: OpenCache;
  /** Reads a folder of a person's own. */
  readonly openFolder: OpenFolder;
  readonly findFolder: FindFolder;
  /** The project that work in a folder belongs to: the same for all of a git repository. */
  projectIdOf(folder: string): string;
  /** A text that was never given before and that nobody can guess. */
  randomId(): string;
  /** Lets everything else that is ready run first: long work calls it every few milliseconds. */
  turn(): Promise<void>;
  /** Opens the plugin's durable state, below `<dataDir>/<plugin>`. */
  openStore<State, Event>(name: string, definition: StoreDefinition<State, Event>): Promise<Store<State, Event>>;
  /** Files for what is too large for the store, or can be made again, below `<dataDir>/<plugin>/<name>`. */
  openSegments(name: string): Segments;
}

export interface Plugin {
  readonly routes: readonly Route[];
  /** Takes over a config that has been checked; what cannot change live is left out by the daemon. */
  reconfigure(config: unknown): void | Promise<void>;
  /** What is not well right now, in sentences; `/health` shows them. */
  problems(): readonly string[];
  /** Figures for `/admin/stats`. */
  stats(): Readonly<Record<string, unknown>>;
  /** How long a stop may take before the daemon goes on without it; a few seconds when absent. */
  readonly stopWithinMs?: number;
  stop(): Promise<void>;
}

export interface PluginFactory<Config> {
  /** The key in `config.plugins` and of the plugin's own section. */
  readonly name: string;
  readonly schema: Schema<Config>;
  create(services: Services, config: Config): Promise<Plugin>;
}
