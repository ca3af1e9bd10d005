/**
 * A schedule's day fields and the shape of a month (its first weekday and its length) to the days of it that match.
 *
 * Units: a result is a bit mask, bit 0 = the 1st.
 * Cost: a few integer operations; only `L` and `W` loop over their own members.
 */
import { daysBeforeMonth, daysInMonth } from "./calendar.ts";
import { lowestBit } from "./bit-set.ts";
import type { CronSchedule } from "./schedule.ts";

/** One bit in each of five weeks. */
const EVERY_WEEK = 0x10204081;
const SATURDAY = 6;
const SUNDAY = 0;

export function matchingDays(schedule: CronSchedule, firstWeekday: number, length: number): number {
  let byDate = schedule.days;
  if ((schedule.daysFromEnd | schedule.nearDays | schedule.nearDaysFromEnd) !== 0) {
    byDate |= datesFromEnd(schedule, length) | nearestWeekdays(schedule, firstWeekday, length);
  }
  let byWeekday = Math.imul(rotateWeek(schedule.weekdays, firstWeekday), EVERY_WEEK);
  if ((schedule.nthWeekdays | schedule.fifthWeekdays | schedule.lastWeekdays) !== 0) {
    byWeekday |= countedWeekdays(schedule, firstWeekday, length);
  }
  return (schedule.eitherDay ? byDate | byWeekday : byDate & byWeekday) & (0x7fffffff >>> (31 - length));
}

/**
 * Whether no date of any year matches.
 *
 * Exact: a year starts on one of seven weekdays and is a leap year or not, and all of these fourteen shapes occur.
 */
export function hasNoDate(schedule: CronSchedule): boolean {
  for (let rest = schedule.months; rest !== 0; rest &= rest - 1) {
    const month = lowestBit(rest) + 1;
    for (let shape = 0; shape < 14; shape++) {
      const leapDays = shape & 1;
      const firstWeekday = ((shape >> 1) + daysBeforeMonth(month, leapDays)) % 7;
      if (matchingDays(schedule, firstWeekday, daysInMonth(month, leapDays)) !== 0) return false;
    }
  }
  return true;
}

/** Seven bits by weekday to seven bits by day, for a week that starts on `firstWeekday`. */
function rotateWeek(week: number, firstWeekday: number): number {
  return ((week >>> firstWeekday) | (week << (7 - firstWeekday))) & 0x7f;
}

function datesFromEnd(schedule: CronSchedule, length: number): number {
  let mask = 0;
  for (let rest = schedule.daysFromEnd; rest !== 0; rest &= rest - 1) {
    const day = length - lowestBit(rest);
    if (day >= 1) mask |= 1 << (day - 1);
  }
  return mask;
}

function nearestWeekdays(schedule: CronSchedule, firstWeekday: number, length: number): number {
  let mask = 0;
  for (let rest = schedule.nearDays; rest !== 0; rest &= rest - 1) {
    mask |= nearestWeekday(lowestBit(rest) + 1, firstWeekday, length);
  }
  for (let rest = schedule.nearDaysFromEnd; rest !== 0; rest &= rest - 1) {
    mask |= nearestWeekday(length - lowestBit(rest), firstWeekday, length);
  }
  return mask;
}

/** The bit of the working day nearest to `day` in the same month; 0 for a day that the month lacks. */
function nearestWeekday(day: number, firstWeekday: number, length: number): number {
  if (day < 1 || day > length) return 0;
  const weekday = (firstWeekday + day - 1) % 7;
  if (weekday === SATURDAY) return 1 << ((day > 1 ? day - 1 : day + 2) - 1);
  if (weekday === SUNDAY) return 1 << ((day < length ? day + 1 : day - 2) - 1);
  return 1 << (day - 1);
}

function countedWeekdays(schedule: CronSchedule, firstWeekday: number, length: number): number {
  let mask = rotateWeek(schedule.fifthWeekdays, firstWeekday) << 28;
  for (let shift = 0; shift < 28; shift += 7) {
    mask |= rotateWeek((schedule.nthWeekdays >>> shift) & 0x7f, firstWeekday) << shift;
  }
  return mask | (rotateWeek(schedule.lastWeekdays, (firstWeekday + length) % 7) << (length - 7));
}
