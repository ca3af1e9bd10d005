/**
 * Jobs and runs as the API tells them -> words for a table: when it runs next, how the last run went, how long it took.
 */
import { findTimeZone, formatLocal } from "../core/cron.ts";
import type { JobShown, RunShown } from "../client.ts";
import { type Painter, readableDuration } from "./style.ts";

/** "in 3h 5m", "now"; or why there is no next run. */
export function describeNext(job: JobShown, nowMs: number): string {
  if (job.problem !== null) return "blocked";
  if (!job.enabled) return "not enabled";
  if (job.paused !== null) return "paused";
  if (job.nextRunMs === null) return job.schedule === null ? "when asked" : "-";
  const aheadMs = job.nextRunMs - nowMs;
  return aheadMs < 1000 ? "now" : `in ${readableDuration(aheadMs)}`;
}

/** "ok 5m 3s ago", "running", "-". */
export function describeLast(job: JobShown, nowMs: number): string {
  if (job.running.length > 0) return job.running.length === 1 ? "running" : `running (${job.running.length})`;
  const { last } = job;
  if (last === null) return job.queued.length > 0 ? "queued" : "-";
  return `${last.state} ${readableDuration(nowMs - (last.endedMs ?? last.createdMs))} ago`;
}

export function describeDuration(run: RunShown | null): string {
  return run?.durationMs === undefined ? "-" : readableDuration(run.durationMs);
}

/** "2026-03-29 03:00:00 +02:00" on the clocks of the zone. */
export function describeTime(ms: number | null | undefined, timeZone: string): string {
  if (ms === null || ms === undefined) return "-";
  const zone = findTimeZone(timeZone);
  return zone === undefined ? new Date(ms).toISOString() : formatLocal(zone, ms);
}

/** The slots of a row: one instant, or how many from when to when. */
export function describeSlots(run: RunShown, timeZone: string): string {
  const time = describeTime(run.slotMs ?? run.createdMs, timeZone);
  if (run.count === undefined || run.count === 1) return time;
  return `${time} (${run.isAtLeast ? "at least " : ""}${run.count} ${run.slotMs === undefined ? "times" : "slots"})`;
}

/** What is worth saying of how a run ended, on one line. */
export function describeWhy(run: RunShown): string {
  const why = run.error ?? run.reason;
  const cost = run.usage === undefined ? undefined : `$${run.usage.costUsd.toFixed(4)}`;
  const exit = run.signal ?? (run.exitCode === undefined || run.exitCode === 0 ? undefined : `exit ${run.exitCode}`);
  return [why ?? exit, cost, (run.attempts ?? 1) > 1 ? `${run.attempts} attempts` : undefined, run.note]
    .filter((part) => part !== undefined)
    .join(", ");
}

const COLOURS: Readonly<Record<string, "green" | "red" | "yellow" | "dim">> = {
  ok: "green",
  failed: "red",
  timeout: "red",
  interrupted: "red",
  missed: "yellow",
  running: "yellow",
  queued: "dim",
  skipped: "dim",
  cancelled: "dim",
};

/** Paints the first word of a line of text that is a state, after the table has been laid out. */
export function paintStates(line: string, paint: Painter): string {
  return line.replace(
    /(?<=\s{2}|^)(ok|failed|timeout|interrupted|missed|running|queued|skipped|cancelled)(?=\s|$)/g,
    (word) => paint(COLOURS[word]!, word),
  );
}
