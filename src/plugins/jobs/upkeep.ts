/**
 * Keeps the history of every job within its bounds, and the files of output and of agents' sessions within theirs.
 *
 * Errors: those of the store and of files; what could not be dropped now is dropped next time.
 */
import type { Clock, Timer } from "../../system/clock.ts";
import type { Log } from "../../system/log.ts";
import type { PluginFiles } from "../../system/plugin-files.ts";
import type { Store } from "../../system/store.ts";
import type { JobsEvent, JobsState } from "./history.ts";
import type { Policy } from "./job-policy.ts";
import { filesOf, findOldSessions, findStale, findSurplus, hasTooMany, KEEP_OF_GONE } from "./retention.ts";
import { isOver } from "./run-row.ts";

export interface UpkeepServices {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store<JobsState, JobsEvent>;
  readonly files: PluginFiles;
  /** `undefined` for a job that is gone. */
  policyOf(job: string): Policy | undefined;
  maxLogBytesTotal(): number;
}

export interface Upkeep {
  /** After a row was added to the job's history. */
  noteRow(job: string): void;
  /** Drops all that is too old or too much; answers how many rows and files. */
  prune(): Promise<{ readonly rows: number; readonly files: number }>;
  stop(): void;
}

const PERIOD_MS = 3_600_000;

export function startUpkeep(services: UpkeepServices): Upkeep {
  const { clock, log, store, files } = services;
  const timer: Timer = clock.every(PERIOD_MS, () => attend(prune()));

  async function pruneJob(name: string): Promise<number> {
    const record = store.state.jobs.get(name);
    const stale = record === undefined ? [] : findStale(record, limitsOf(name), clock.wallMs());
    if (stale.length === 0) return 0;
    await store.commit({ kind: "prune", job: name, ids: stale.map(({ id }) => id) });
    await files.remove(filesOf(stale));
    return stale.length;
  }

  function limitsOf(name: string): Pick<Policy, "keepRuns" | "keepForMs"> {
    return services.policyOf(name) ?? KEEP_OF_GONE;
  }

  async function prune(): Promise<{ rows: number; files: number }> {
    let rows = 0;
    for (const name of [...store.state.jobs.keys()]) rows += await pruneJob(name);
    const all = await files.list();
    const output = all.filter(({ name }) => name.startsWith("output/"));
    const [kept, lost] = [
      output.filter(({ name }) => hasRow(store.state, name)),
      output.filter(({ name }) => !hasRow(store.state, name)),
    ];
    const dropped = [
      ...lost.map(({ name }) => name),
      ...findSurplus(kept, services.maxLogBytesTotal()),
      ...findOldSessions(all, (name) => services.policyOf(name), clock.wallMs()),
    ];
    await files.remove(dropped);
    return { rows, files: dropped.length };
  }

  function attend(task: Promise<unknown>): void {
    task.catch((error: Error) => log.error("cannot drop old runs", { error: error.message }));
  }

  return {
    noteRow(name) {
      const record = store.state.jobs.get(name);
      if (record !== undefined && hasTooMany(record, limitsOf(name))) attend(pruneJob(name));
    },
    prune,
    stop: () => timer.cancel(),
  };
}

/** Whether a file of output belongs to a row that is kept, or to a run that goes on. */
function hasRow(state: JobsState, file: string): boolean {
  const [, job = "", id = ""] = /^output\/([^/]+)\/(\d+)-\d+\.log$/.exec(file) ?? [];
  const row = state.jobs.get(job)?.runs.find((each) => each.id === Number(id));
  return row !== undefined && (row.attempts !== undefined || !isOver(row));
}
