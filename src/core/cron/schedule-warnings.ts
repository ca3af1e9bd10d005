/** A schedule that is right but may not be meant, to sentences that say so. */
import { lowestBit, membersOf, membersOfPair } from "./bit-set.ts";
import { daysInMonth } from "./calendar.ts";
import { DAY_OF_MONTH, DAY_OF_WEEK, FIELDS, type FieldName, HOUR, MONTH } from "./field.ts";
import type { FieldReader } from "./field-reader.ts";
import type { CronSchedule } from "./schedule.ts";
import type { Span } from "./schedule-error.ts";

export interface ScheduleWarning {
  /**
   * `never`: no date matches. `star-day`: both day fields must match, since one begins with `*`. `either-day`: one of
   * the two is enough. `often`: less than 10 s between runs. `open-step`: `a/n`. `uneven-step`: `*` and a step, the
   * last one shorter. `short-month`: some of its months lack the day. `hash`: `H` without a job to spread by.
   */
  readonly code: "never" | "star-day" | "either-day" | "often" | "open-step" | "uneven-step" | "short-month" | "hash";
  readonly field: FieldName | "schedule";
  readonly message: string;
}

/** How the text of a cron schedule was read. */
export interface CronReading {
  readonly reader: FieldReader;
  readonly spans: readonly Span[];
  /** The index of the field that `spans` begins with. */
  readonly firstField: number;
  readonly needsBothDays: boolean;
  readonly hasJob: boolean;
}

const SHORTEST_CALM_SECONDS = 10;
const NONE: readonly ScheduleWarning[] = [];

export function findWarnings(schedule: CronSchedule, reading: CronReading): readonly ScheduleWarning[] {
  const warnings: ScheduleWarning[] = [];
  if (schedule.never)
    warnings.push({ code: "never", field: "day of month", message: "no date ever matches, so it never runs" });
  else warnShortMonth(schedule, warnings);
  warnDays(schedule, reading, warnings);
  warnOften(schedule, warnings);
  warnSteps(reading, warnings);
  if (reading.reader.hashes !== 0 && !reading.hasJob) {
    const message = "H is chosen by the job; without one these are not the times at which a job will run";
    warnings.push({ code: "hash", field: FIELDS[lowestBit(reading.reader.hashes)]!.name, message });
  }
  return warnings.length === 0 ? NONE : warnings;
}

function warnDays(schedule: CronSchedule, reading: CronReading, warnings: ScheduleWarning[]): void {
  if (reading.needsBothDays) return;
  const days = spanOf(reading, DAY_OF_MONTH);
  const weekdays = spanOf(reading, DAY_OF_WEEK);
  if (schedule.eitherDay) {
    const message = "runs on days that match either day field; a + before the day of week asks for both";
    warnings.push({ code: "either-day", field: "day of week", message });
    return;
  }
  const isPlain = ({ start, end }: Span): boolean => end - start === 1 && "*?".includes(reading.reader.text[start]!);
  if (isPlain(days) || isPlain(weekdays)) return;
  const field = "*?".includes(reading.reader.text[days.start]!) ? "day of month" : "day of week";
  const message = `both day fields must match because ${field} begins with *; other programs take either`;
  warnings.push({ code: "star-day", field, message });
}

function warnShortMonth(schedule: CronSchedule, warnings: ScheduleWarning[]): void {
  if (schedule.days >>> 28 === 0 || (schedule.days & 0xfffffff) !== 0 || schedule.eitherDay) return;
  if ((schedule.daysFromEnd | schedule.nearDays | schedule.nearDaysFromEnd) !== 0) return;
  const day = lowestBit(schedule.days) + 1;
  if (membersOf(schedule.months, 1).every((month) => daysInMonth(month, 0) >= day)) return;
  const message = `a month without day ${day} has no run; L is the last day of any month`;
  warnings.push({ code: "short-month", field: "day of month", message });
}

function warnOften(schedule: CronSchedule, warnings: ScheduleWarning[]): void {
  const { secondsLow, secondsHigh } = schedule;
  // Nearly all schedules run at second 0 alone.
  if (secondsHigh === 0 && (secondsLow & (secondsLow - 1)) === 0) return;
  const seconds = membersOfPair(secondsLow, secondsHigh);
  const gap = seconds.reduce(
    (least, second, at) => (at === 0 ? least : Math.min(least, second - seconds[at - 1]!)),
    60,
  );
  if (gap >= SHORTEST_CALM_SECONDS) return;
  const period = gap === 1 ? "every second" : `${gap} seconds apart`;
  warnings.push({
    code: "often",
    field: "second",
    message: `runs ${period}, which is too often for a job that starts an agent`,
  });
}

function warnSteps(reading: CronReading, warnings: ScheduleWarning[]): void {
  for (let index = reading.firstField; index <= DAY_OF_WEEK; index++) {
    const { name, low, size } = FIELDS[index]!;
    if ((reading.reader.openSteps >>> index) & 1) {
      const message = `a step after one number goes on to ${low + size - 1}; some programs refuse it: write a range`;
      warnings.push({ code: "open-step", field: name, message });
    }
    const { start, end } = spanOf(reading, index);
    if (reading.reader.text[start + 1] !== "/" || (index > HOUR && index !== MONTH)) continue;
    const step = Number(reading.reader.text.slice(start + 2, Math.min(end, start + 5)));
    if (reading.reader.text[start] !== "*" || !(size % step > 0)) continue;
    const message = `${size} is no multiple of ${step}: the last step before each ${name} ${low} is shorter`;
    warnings.push({ code: "uneven-step", field: name, message });
  }
}

function spanOf(reading: CronReading, index: number): Span {
  return reading.spans[index - reading.firstField]!;
}
