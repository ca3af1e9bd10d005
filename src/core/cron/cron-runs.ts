/**
 * A cron schedule and a time zone to the instants at which it runs.
 *
 * Wild schedules run at every instant whose local time matches. The others run once for each matching local time: in
 * the first pass of an hour that comes twice, and at the first instant after the gap for a time that the clocks skip.
 *
 * Units: seconds since 1970-01-01T00:00:00Z.
 * Cost: stretches of constant offset without a match are jumped over, so a run in forty years costs little more than
 * tomorrow's.
 */
import type { TimeZone } from "../time-zone.ts";
import { nextLocalTime, previousLocalTime } from "./local-time.ts";
import type { CronSchedule } from "./schedule.ts";

/** Local times and instants of the same name are less than this apart. */
const WIDEST_OFFSET = 86_400;

/** The first run later than `after`; Infinity when there is none. */
export function nextCronRun(schedule: CronSchedule, zone: TimeZone, after: number): number {
  if (schedule.never) return Infinity;
  let segment = zone.segmentAt(after);
  let local = Math.max(after + 1 + zone.offsetOf(segment), earliestLocal(schedule, zone, segment));
  for (;;) {
    local = nextLocalTime(schedule, local);
    if (local === Infinity) return Infinity;
    const run = local - zone.offsetOf(segment);
    const end = zone.endOf(segment, run);
    if (run < end) return run;
    if (!schedule.wild && local < end + zone.offsetOf(segment + 1)) return end;
    segment = Math.max(segment + 1, zone.segmentAt(local - WIDEST_OFFSET));
    // Not the later of this and `local`: the second pass of an hour goes back.
    local = earliestLocal(schedule, zone, segment);
  }
}

/** The last run earlier than `before`; -Infinity when there is none. */
export function previousCronRun(schedule: CronSchedule, zone: TimeZone, before: number): number {
  if (schedule.never) return -Infinity;
  let segment = zone.segmentAt(before - 1);
  let local = before - 1 + zone.offsetOf(segment);
  for (;;) {
    const start = zone.startOf(segment);
    const found = previousLocalTime(schedule, local);
    if (found >= earliestLocal(schedule, zone, segment)) return found - zone.offsetOf(segment);
    if (found === -Infinity) return -Infinity;
    // What is left of this stretch is its first instant, which stands for the times that were skipped before it.
    if (!schedule.wild && segment > 0 && found >= start + zone.offsetOf(segment - 1)) return start;
    const earlier = Math.min(start - 1, found + WIDEST_OFFSET);
    // Not `segment - 1`: the question may make the table grow at its front.
    segment = zone.segmentAt(earlier);
    local = Math.min(start, zone.endOf(segment, earlier)) - 1 + zone.offsetOf(segment);
  }
}

/** The first local time of a stretch that may give a run in it. */
function earliestLocal(schedule: CronSchedule, zone: TimeZone, segment: number): number {
  const start = zone.startOf(segment);
  const offset = zone.offsetOf(segment);
  if (schedule.wild || segment === 0) return start + offset;
  return start + Math.max(offset, zone.offsetOf(segment - 1));
}
