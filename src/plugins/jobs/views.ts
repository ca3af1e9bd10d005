/**
 * Jobs and runs as the API shows them: plain JSON without secrets.
 *
 * Units: instants in milliseconds since the epoch; `null` for what there is none of.
 */
import { describe, parseSchedule } from "../../core/cron.ts";
import type { Engine } from "./engine.ts";
import type { JobRecord } from "./history.ts";
import { isOver, type RunRow } from "./run-row.ts";
import { describeSource, type Job } from "./sources.ts";

export interface JobView {
  readonly name: string;
  readonly kind: string | null;
  readonly description: string | null;
  /** "config", "api", or the path of a file. */
  readonly source: string;
  readonly enabled: boolean;
  readonly tags: readonly string[];
  readonly schedule: string | null;
  /** The schedule in English. */
  readonly scheduleText: string | null;
  readonly timeZone: string;
  readonly paused: { readonly sinceMs: number; readonly note: string; readonly by: string } | null;
  /** Why it cannot run, when it cannot. */
  readonly problem: string | null;
  readonly running: readonly number[];
  readonly queued: readonly number[];
  readonly nextRunMs: number | null;
  /** The last run that is over, or slots that were missed since. */
  readonly last: RunView | null;
  readonly lastOkMs: number | null;
  /** Failures in a row. */
  readonly failures: number;
}

export type RunView = Omit<RunRow, "stdout" | "stderr" | "mark"> & {
  readonly stdout?: unknown;
  readonly stderr?: unknown;
};

export function viewJob(engine: Engine, name: string): JobView | undefined {
  const job = engine.agenda.find(name);
  const problem = engine.catalog().blocked.get(name);
  const record = engine.store.state.jobs.get(name);
  if (record === undefined || (job === undefined && problem === undefined)) return undefined;
  const runs = engine.dispatcher.runsOf(name);
  // A slot that was skipped says nothing of how the job does.
  const isTelling = (row: RunRow): boolean => isOver(row) && (row.state !== "skipped" || row.startedMs !== undefined);
  const last = record.runs.findLast(isTelling) ?? record.runs.findLast(isOver);
  return {
    name,
    kind: job?.kind ?? null,
    description: (job?.shown["description"] as string | undefined) ?? null,
    source: job === undefined ? "api" : sourceOf(job),
    enabled: job?.definition.enabled !== false,
    tags: (job?.shown["tags"] as readonly string[] | undefined) ?? [],
    schedule: job?.definition.schedule ?? null,
    scheduleText: job === undefined ? null : describeTiming(job, record),
    timeZone: record.timeZone,
    paused: record.paused ?? null,
    problem: problem ?? null,
    running: runs.filter((run) => run.hasBegun).map(({ id }) => id),
    queued: runs.filter((run) => !run.hasBegun).map(({ id }) => id),
    nextRunMs: engine.agenda.nextRunMs(name) ?? null,
    last: last === undefined ? null : viewRun(last),
    lastOkMs: record.lastOkMs ?? null,
    failures: record.failures,
  };
}

/** A run without its output. */
export function viewRun({ mark: _mark, stdout: _stdout, stderr: _stderr, ...row }: RunRow): RunView {
  return row;
}

/** A run with what is kept of its output in the history. */
export function viewRunWithOutput({ mark: _mark, ...row }: RunRow): RunView {
  return row;
}

function sourceOf({ source }: Job): string {
  return source.from === "file" ? describeSource(source) : source.from;
}

function describeTiming({ name, definition }: Job, record: JobRecord): string | null {
  if (definition.schedule === undefined) return null;
  const parsed = parseSchedule(definition.schedule, { jobId: name, anchorMs: record.sinceMs });
  return parsed.ok ? describe(parsed.schedule) : null;
}
