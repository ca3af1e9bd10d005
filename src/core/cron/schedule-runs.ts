/**
 * A schedule of any kind and a time zone to its runs.
 *
 * Units: instants in milliseconds since 1970-01-01T00:00:00Z; cron schedules run at whole seconds.
 */
import type { TimeZone } from "../time-zone.ts";
import { nextCronRun, previousCronRun } from "./cron-runs.ts";
import type { EverySchedule, Schedule } from "./schedule.ts";

/** What a Date can hold: some 275,000 years either way. */
const FARTHEST_MS = 8.64e15;

/**
 * The first run later than `afterMs`; null when there is none. Depends on its arguments alone. Throws RangeError for a
 * time that a Date cannot hold.
 */
export function nextRun(schedule: Schedule, zone: TimeZone, afterMs: number): number | null {
  checkInstant(afterMs);
  if (schedule.kind === "cron") {
    const runMs = nextCronRun(schedule, zone, Math.floor(afterMs / 1000)) * 1000;
    // A run that is not later would make a scheduler spin.
    if (runMs <= afterMs) throw new Error(`The run after ${afterMs} in ${zone.name} came out as ${runMs}`);
    return runMs === Infinity ? null : runMs;
  }
  if (schedule.kind === "every") return nextPeriod(schedule, afterMs);
  return schedule.kind === "at" && schedule.atMs > afterMs ? schedule.atMs : null;
}

/** The last run earlier than `beforeMs`; null when there is none. Throws RangeError as {@link nextRun} does. */
export function previousRun(schedule: Schedule, zone: TimeZone, beforeMs: number): number | null {
  checkInstant(beforeMs);
  if (schedule.kind === "cron") {
    const run = previousCronRun(schedule, zone, Math.ceil(beforeMs / 1000));
    return run === -Infinity ? null : run * 1000;
  }
  if (schedule.kind === "every") return previousPeriod(schedule, beforeMs);
  return schedule.kind === "at" && schedule.atMs < beforeMs ? schedule.atMs : null;
}

/** Whether a run falls on `atMs`, or, of a cron schedule, into its second. */
export function matches(schedule: Schedule, zone: TimeZone, atMs: number): boolean {
  const exactMs = schedule.kind === "cron" ? Math.floor(atMs / 1000) * 1000 : atMs;
  return nextRun(schedule, zone, exactMs - 1) === exactMs;
}

function checkInstant(atMs: number): void {
  if (!(Math.abs(atMs) <= FARTHEST_MS))
    throw new RangeError(`Expected an instant in milliseconds within ±${FARTHEST_MS}, got ${atMs}`);
}

function nextPeriod({ periodMs, anchorMs }: EverySchedule, afterMs: number): number {
  const periods = Math.max(1, Math.floor((afterMs - anchorMs) / periodMs) + 1);
  return anchorMs + periods * periodMs;
}

function previousPeriod({ periodMs, anchorMs }: EverySchedule, beforeMs: number): number | null {
  const periods = Math.ceil((beforeMs - anchorMs) / periodMs) - 1;
  return periods < 1 ? null : anchorMs + periods * periodMs;
}
