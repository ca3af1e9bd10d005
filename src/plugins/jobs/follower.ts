/**
 * Reads the sources of jobs, at the start and at every reload, and hands on what they come to.
 *
 * Order: one reading after the other.
 * Errors: a change that cannot be written down rejects, is told of, and is tried again until it can.
 */
import type { Clock, Timer } from "../../system/clock.ts";
import type { Log } from "../../system/log.ts";
import type { JobsConfig } from "./config.ts";
import type { JobsState } from "./history.ts";
import { type Catalog, emptyCatalog, readCatalog, type SourceServices } from "./sources.ts";

export interface FollowerServices {
  readonly clock: Clock;
  readonly log: Log;
  readonly sources: SourceServices;
  readonly state: JobsState;
  /** Takes the jobs over; rejects with a StorageError. */
  take(catalog: Catalog, config: JobsConfig): Promise<void>;
}

export interface Follower {
  follow(config: JobsConfig): Promise<void>;
  catalog(): Catalog;
  config(): JobsConfig;
  /** Every secret that any job ever had: what was read once may be printed by a run that goes on. */
  secrets(): readonly string[];
  problems(): readonly string[];
  stop(): void;
}

const AGAIN_MS = 5_000;
const SHORTEST_LINE = 8;

export function createFollower(services: FollowerServices, initialConfig: JobsConfig): Follower {
  const { clock, log, sources, state } = services;
  let config = initialConfig;
  let catalog = emptyCatalog;
  let secrets: readonly string[] = [];
  let following: Promise<void> = Promise.resolve();
  let trouble: string | undefined;
  let again: Timer | undefined;

  async function followNow(next: JobsConfig): Promise<void> {
    const before = catalog;
    config = next;
    catalog = readCatalog(sources, { config, stored: storedDefinitions(state), before });
    const found = [...catalog.jobs.values()].flatMap((job) => job.secrets);
    secrets = [...new Set([...secrets, ...[...sources.secrets(), ...found].flatMap(withLines)])];
    for (const problem of added(before.problems, catalog.problems)) log.error("a job is not in force", { problem });
    for (const warning of added(before.warnings, catalog.warnings)) log.warn(warning);
    await services.take(catalog, config);
  }

  function follow(next: JobsConfig): Promise<void> {
    const done = following.then(() => followNow(next));
    following = done.then(
      () => void (trouble = undefined),
      ({ message }: Error) => {
        trouble = `the jobs could not be taken over: ${message}`;
        again?.cancel();
        again = clock.after(AGAIN_MS, () => void follow(config).catch(() => undefined));
      },
    );
    return done;
  }

  return {
    follow,
    catalog: () => catalog,
    config: () => config,
    secrets: () => secrets,
    problems: () => [...(trouble === undefined ? [] : [trouble]), ...catalog.problems],
    stop: () => again?.cancel(),
  };
}

/** A secret of many lines, a key for instance, is printed line by line; what is very short is no secret by itself. */
function withLines(secret: string): string[] {
  const lines = secret.split(/\r?\n/);
  return lines.length === 1 ? [secret] : [secret, ...lines.filter(({ length }) => length >= SHORTEST_LINE)];
}

/** The definitions made through the API, by name. */
function storedDefinitions(state: JobsState): ReadonlyMap<string, unknown> {
  const made = [...state.jobs.values()].filter(({ definition }) => definition !== undefined);
  return new Map(made.map(({ name, definition }) => [name, definition]));
}

function added(before: readonly string[], after: readonly string[]): readonly string[] {
  return after.filter((text) => !before.includes(text));
}
