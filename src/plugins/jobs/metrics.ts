/**
 * What the jobs plugin shows to Prometheus. The only label of the client's making is the name of a job; series of a job
 * that is gone go.
 *
 * Units: seconds, dollars.
 */
import type { LabelSet } from "../../core/label-set.ts";
import type { Registry } from "../../core/registry.ts";
import type { RunRow } from "./run-row.ts";

/** What is read, not counted, before each exposition. */
export interface JobGauges {
  readonly name: string;
  readonly running: number;
  readonly nextRunMs: number | undefined;
  readonly lastOkMs: number | undefined;
}

export interface JobMetrics {
  started(row: RunRow): void;
  ended(row: RunRow): void;
  missed(job: string, count: number): void;
  skipped(job: string): void;
  clockStepped(): void;
  forget(job: string): void;
}

type Own = readonly [name: string, type: "counter" | "gauge", help: string];

const BY_JOB = {
  runs: [
    "pi_daemon_job_runs_total",
    "counter",
    "Runs of a job that have ended, and slots that were skipped, by outcome.",
  ],
  missed: ["pi_daemon_job_missed_total", "counter", "Slots that passed without a run."],
  cost: ["pi_daemon_job_cost_usd_total", "counter", "Dollars that the agent runs of a job have cost."],
  running: ["pi_daemon_job_running", "gauge", "Runs of a job that are going on."],
  lastSuccess: ["pi_daemon_job_last_success_timestamp_seconds", "gauge", "When a run of the job last ended well."],
  nextRun: ["pi_daemon_job_next_run_timestamp_seconds", "gauge", "When the job is due next."],
} as const satisfies Record<string, Own>;
const DURATION = "pi_daemon_job_duration_seconds";
/** From a script that does nothing to an agent that works all day. */
const DURATION_BOUNDS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];

/** Ends of runs and of rows that were no runs; a series for each stands from the first row of a job on. */
const OUTCOMES = ["ok", "failed", "timeout", "skipped", "interrupted", "cancelled"] as const;

export interface MetricSources {
  gauges(): Iterable<JobGauges>;
  lastTickMs(): number;
}

export function createJobMetrics(registry: Registry, sources: MetricSources): JobMetrics {
  const family = (key: keyof typeof BY_JOB) => registry.ownValue(...(BY_JOB[key] as Own));
  const [runs, missed, cost, running, lastSuccess, nextRun] = [
    family("runs"),
    family("missed"),
    family("cost"),
    family("running"),
    family("lastSuccess"),
    family("nextRun"),
  ];
  const durations = registry.ownHistogram(
    DURATION,
    "Seconds from the start of a run to its end, all attempts together.",
    DURATION_BOUNDS,
  );
  const delays = registry.ownHistogram(
    "pi_daemon_job_start_delay_seconds",
    "Seconds from the slot of a scheduled run to its start.",
  )([]);
  const steps = registry.ownValue(
    "pi_daemon_job_clock_steps_total",
    "counter",
    "Times the wall clock was found set, or the machine had slept.",
  )([]);
  const tick = registry.ownValue(
    "pi_daemon_job_last_tick_timestamp_seconds",
    "gauge",
    "When the scheduler last looked at the clock.",
  )([]);
  const known = new Set<string>();

  function meet(job: string): void {
    if (known.has(job)) return;
    known.add(job);
    for (const outcome of OUTCOMES) runs(["job", job, "outcome", outcome]);
    missed(["job", job]);
  }

  registry.beforeExposition(() => {
    tick.set(sources.lastTickMs() / 1000);
    for (const { name, running: count, nextRunMs, lastOkMs } of sources.gauges()) {
      meet(name);
      running(["job", name]).set(count);
      if (nextRunMs === undefined) drop(registry, BY_JOB.nextRun[0], ["job", name]);
      else nextRun(["job", name]).set(nextRunMs / 1000);
      if (lastOkMs !== undefined) lastSuccess(["job", name]).set(lastOkMs / 1000);
    }
  });

  return {
    started({ trigger, slotMs, startedMs }) {
      if (trigger === "schedule" && slotMs !== undefined && startedMs !== undefined)
        delays.observe(Math.max(0, startedMs - slotMs) / 1000);
    },
    ended({ job, state, startedMs, durationMs = 0, usage }) {
      meet(job);
      runs(["job", job, "outcome", state]).add(1);
      if (startedMs !== undefined) durations(["job", job]).observe(durationMs / 1000);
      if (usage !== undefined) cost(["job", job]).add(usage.costUsd);
    },
    missed(job, count) {
      meet(job);
      missed(["job", job]).add(count);
    },
    skipped(job) {
      meet(job);
      runs(["job", job, "outcome", "skipped"]).add(1);
    },
    clockStepped: () => steps.add(1),
    forget(job) {
      known.delete(job);
      for (const outcome of OUTCOMES) drop(registry, BY_JOB.runs[0], ["job", job, "outcome", outcome]);
      for (const name of [...Object.values(BY_JOB).map(([each]) => each), DURATION]) drop(registry, name, ["job", job]);
    },
  };
}

/** Takes a series out of its family, when it is there. */
function drop(registry: Registry, name: string, labels: LabelSet): void {
  const family = registry.family(name);
  const series = family?.find(labels);
  if (series !== undefined) family!.remove(series);
}
