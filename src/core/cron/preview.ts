/** A schedule, a zone and an instant to the next runs, as people read them, and what the next change of clocks does. */
import type { TimeZone, Transition } from "../time-zone.ts";
import { dateOfDay, dayOf, monthOf, yearOf } from "./calendar.ts";
import { listText, twoDigits } from "./describe-list.ts";
import { nextLocalTime } from "./local-time.ts";
import type { CronSchedule, Schedule } from "./schedule.ts";
import { nextRun } from "./schedule-runs.ts";

export interface PreviewedRun {
  readonly atMs: number;
  /** "2026-03-29 03:00:00 +02:00" */
  readonly local: string;
  /** "2026-03-29 01:00:00" */
  readonly utc: string;
}

/** The next change of the clocks in the zone and what it does to the schedule. */
export interface TransitionEffect {
  readonly atMs: number;
  /** How far the clocks are put forward; negative when they go back. */
  readonly shiftSeconds: number;
  /** Whether any run is moved, dropped or doubled. */
  readonly changesRuns: boolean;
  /** "29 Mar 2026: runs 03:00 instead of 02:30" */
  readonly text: string;
}

export interface SchedulePreview {
  readonly runs: readonly PreviewedRun[];
  /** null where the clocks do not change within a year, and for schedules that follow no clock. */
  readonly transition: TransitionEffect | null;
}

const DAY_SECONDS = 86_400;
const HORIZON_SECONDS = 366 * DAY_SECONDS;
const MOST_TIMES = 3;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function preview(
  schedule: Schedule,
  zone: TimeZone,
  span: { afterMs: number; count?: number },
): SchedulePreview {
  const { afterMs, count = 10 } = span;
  const runs: PreviewedRun[] = [];
  for (
    let atMs = nextRun(schedule, zone, afterMs);
    atMs !== null && runs.length < count;
    atMs = nextRun(schedule, zone, atMs)
  ) {
    runs.push({ atMs, local: formatLocal(zone, atMs), utc: formatClock(Math.floor(atMs / 1000)) });
  }
  const change =
    schedule.kind === "cron" ? zone.nextTransition(Math.floor(afterMs / 1000), HORIZON_SECONDS) : undefined;
  return { runs, transition: change === undefined ? null : describeEffect(schedule as CronSchedule, change) };
}

/** An instant on the zone's clocks, with the offset: "2026-03-29 03:00:00 +02:00". */
export function formatLocal(zone: TimeZone, atMs: number): string {
  const second = Math.floor(atMs / 1000);
  const offset = zone.offsetOf(zone.segmentAt(second));
  const size = Math.abs(offset);
  const parts = [Math.floor(size / 3600), Math.floor(size / 60) % 60, ...(size % 60 === 0 ? [] : [size % 60])];
  return `${formatClock(second + offset)} ${offset < 0 ? "-" : "+"}${parts.map(twoDigits).join(":")}`;
}

function formatClock(local: number): string {
  const date = dateOfDay(dayNumberOf(local));
  const time = formatTime(local);
  const day = [yearOf(date), monthOf(date), dayOf(date)].map(twoDigits).join("-");
  return `${day} ${time.length === 5 ? `${time}:00` : time}`;
}

/** "02:30", or "02:30:15". */
function formatTime(local: number): string {
  const second = local - dayNumberOf(local) * DAY_SECONDS;
  const parts = [Math.floor(second / 3600), Math.floor(second / 60) % 60, ...(second % 60 === 0 ? [] : [second % 60])];
  return parts.map(twoDigits).join(":");
}

function describeEffect(
  schedule: CronSchedule,
  { atSeconds, offsetBefore, offsetAfter }: Transition,
): TransitionEffect {
  const [from, to] = [atSeconds + offsetBefore, atSeconds + offsetAfter];
  const [low, high] = [Math.min(from, to), Math.max(from, to)];
  const times = schedule.never ? [] : localTimesBetween(schedule, low, high);
  const effect = { atMs: atSeconds * 1000, shiftSeconds: to - from, changesRuns: times.length > 0 };
  const day = `${formatDay(low)} ${yearOf(dateOfDay(dayNumberOf(low)))}`;
  const arrival = dayNumberOf(from) === dayNumberOf(to) ? formatTime(to) : `${formatTime(to)} on ${formatDay(to)}`;
  const moves = `the clocks go from ${formatTime(from)} to ${arrival}`;
  if (times.length === 0) return { ...effect, text: `${day}: ${moves}; no run is affected` };
  const listed = listText(times.length > MOST_TIMES ? [...times.slice(0, MOST_TIMES), "more"] : times);
  if (schedule.wild)
    return { ...effect, text: `${day}: ${to > from ? "no run" : "runs twice"} at ${listed}; ${moves}` };
  if (to > from)
    return { ...effect, text: `${day}: runs ${times.length > 1 ? "once " : ""}${arrival} instead of ${listed}` };
  return { ...effect, changesRuns: false, text: `${day}: runs once at ${listed}, the first time round; ${moves}` };
}

/** "29 Mar" */
function formatDay(local: number): string {
  const date = dateOfDay(dayNumberOf(local));
  return `${dayOf(date)} ${MONTHS[monthOf(date) - 1]!}`;
}

function dayNumberOf(local: number): number {
  return Math.floor(local / DAY_SECONDS);
}

/** The first matching local times in `[from, to)`, one more than are shown. */
function localTimesBetween(schedule: CronSchedule, from: number, to: number): string[] {
  const times: string[] = [];
  for (let local = nextLocalTime(schedule, from); local < to && times.length <= MOST_TIMES;) {
    times.push(formatTime(local));
    local = nextLocalTime(schedule, local + 1);
  }
  return times;
}
