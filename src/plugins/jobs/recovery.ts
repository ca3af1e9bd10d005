/**
 * What the daemon before this one left open -> rows that say so: runs that it did not see end, runs that it never
 * began.
 *
 * Order: processes that are left of those runs are ended first, so that no job runs beside its own ghost.
 */
import type { Clock } from "../../system/clock.ts";
import type { EndOrphans } from "../../system/orphans.ts";
import type { Log } from "../../system/log.ts";
import type { Store } from "../../system/store.ts";
import type { Submission } from "./active-run.ts";
import { type JobsEvent, type JobsState, rowOf } from "./history.ts";
import type { RunRow } from "./run-row.ts";
import type { Job } from "./sources.ts";

export interface RecoveryServices {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store<JobsState, JobsEvent>;
  readonly endOrphans: EndOrphans;
}

export interface Recovered {
  /** Runs that were going on. */
  readonly interrupted: readonly RunRow[];
  /** Slots whose runs had not begun, oldest first. */
  readonly missed: readonly RunRow[];
}

/** The daemon does not answer before this is over. */
const ORPHAN_GRACE_MS = 5_000;

export async function recoverRuns(services: RecoveryServices): Promise<Recovered> {
  const { store } = services;
  const open = [...store.state.active]
    .sort(([a], [b]) => a - b)
    .map(([id, job]) => rowOf(store.state, job, id))
    .filter((row) => row !== undefined);
  if (open.length === 0) return { interrupted: [], missed: [] };
  const running = open.filter(({ state }) => state === "running");
  await endOrphans(services, running);
  const isMissed = (row: RunRow): boolean => row.state === "queued" && row.slotMs !== undefined;
  for (const row of open) {
    const reason = isMissed(row)
      ? "the daemon was not running"
      : row.state === "running"
        ? "the daemon died while it ran"
        : "the daemon ended before it began";
    await store.commit({
      kind: "end",
      id: row.id,
      end: { state: isMissed(row) ? "missed" : "interrupted", reason, endedMs: services.clock.wallMs() },
    });
  }
  const after = (row: RunRow): RunRow => rowOf(store.state, row.job, row.id) ?? row;
  return { interrupted: open.filter((row) => !isMissed(row)).map(after), missed: open.filter(isMissed).map(after) };
}

async function endOrphans({ log, endOrphans: end }: RecoveryServices, running: readonly RunRow[]): Promise<void> {
  const marks = running.flatMap(({ mark }) => (mark === undefined ? [] : [mark]));
  if (marks.length === 0) return;
  const { ended, left } = await end(marks, ORPHAN_GRACE_MS);
  for (const { pid } of ended) log.warn("ended a process that an earlier daemon had left behind", { pid });
  for (const { pid } of left) log.error("a process that an earlier daemon had left behind does not end", { pid });
}

/**
 * The slots that were decided and whose runs never began, to be run late as those are that passed meanwhile: unless the
 * policy of their jobs says otherwise, or a younger slot is due and takes their place.
 */
export function findLost(
  missed: readonly RunRow[],
  nowMs: number,
  jobOf: (name: string) => LostJob | undefined,
): Submission[] {
  return [...new Set(missed.map(({ job }) => job))].flatMap((name) => {
    const { job, dueMs } = jobOf(name) ?? {};
    if (job === undefined || job.policy.catchUp === "none" || (dueMs !== undefined && dueMs <= nowMs)) return [];
    const most = job.policy.catchUp === "all" ? job.policy.catchUpMax : 1;
    const young = missed.filter((row) => row.job === name && nowMs - row.slotMs! <= job.policy.catchUpWindowMs);
    return young
      .slice(-most)
      .map(({ slotMs }) => ({ job, slotMs, trigger: "catch-up", insistence: "after-all" }) as const);
  });
}

/** A job that runs by the clock, and when it is due next. */
export interface LostJob {
  readonly job: Job;
  readonly dueMs: number | undefined;
}
