/**
 * A cron schedule and a local time to the nearest matching local time, in a world without time zones.
 *
 * Units: seconds since 1970-01-01T00:00:00 by the clock on the wall.
 * Cost: no loop over days; a search that finds nothing ends after 400 years, the period of the calendar (about 5 us
 * when one month is listed).
 */
import { highestBit, lowestBit, rangeOfBits } from "./bit-set.ts";
import { dateOfDay, dayOf, daysBeforeMonth, daysInMonth, firstDayOfYear, leapDaysIn } from "./calendar.ts";
import { monthOf, weekdayOf, yearOf } from "./calendar.ts";
import { matchingDays } from "./day-mask.ts";
import type { CronSchedule } from "./schedule.ts";
import { firstTimeOfDay, lastTimeOfDay, nextTimeOfDay, previousTimeOfDay } from "./time-of-day.ts";

const DAY_SECONDS = 86_400;
const CYCLE_YEARS = 400;

/** The first matching time that is at least `from`; Infinity when there is none. */
export function nextLocalTime(schedule: CronSchedule, from: number): number {
  const today = Math.floor(from / DAY_SECONDS);
  const date = dateOfDay(today);
  const month = monthOf(date);
  const day = dayOf(date);
  if (((schedule.months >>> (month - 1)) & 1) === 1) {
    const firstDay = today - day + 1;
    const length = daysInMonth(month, leapDaysIn(yearOf(date)));
    let days = matchingDays(schedule, weekdayOf(firstDay), length) & (-1 << (day - 1));
    if (((days >>> (day - 1)) & 1) === 1) {
      const time = nextTimeOfDay(schedule, from - today * DAY_SECONDS);
      if (time >= 0) return today * DAY_SECONDS + time;
      days &= days - 1;
    }
    if (days !== 0) return (firstDay + lowestBit(days)) * DAY_SECONDS + firstTimeOfDay(schedule);
  }
  const nextDay = nextMatchingDay(schedule, yearOf(date), month);
  return nextDay === Infinity ? Infinity : nextDay * DAY_SECONDS + firstTimeOfDay(schedule);
}

/** The last matching time that is at most `from`; -Infinity when there is none. */
export function previousLocalTime(schedule: CronSchedule, from: number): number {
  const today = Math.floor(from / DAY_SECONDS);
  const date = dateOfDay(today);
  const month = monthOf(date);
  const day = dayOf(date);
  if (((schedule.months >>> (month - 1)) & 1) === 1) {
    const firstDay = today - day + 1;
    const length = daysInMonth(month, leapDaysIn(yearOf(date)));
    let days = matchingDays(schedule, weekdayOf(firstDay), length) & rangeOfBits(0, day - 1, 1);
    if (((days >>> (day - 1)) & 1) === 1) {
      const time = previousTimeOfDay(schedule, from - today * DAY_SECONDS);
      if (time >= 0) return today * DAY_SECONDS + time;
      days ^= 1 << (day - 1);
    }
    if (days !== 0) return (firstDay + highestBit(days)) * DAY_SECONDS + lastTimeOfDay(schedule);
  }
  const previousDay = previousMatchingDay(schedule, yearOf(date), month);
  return previousDay === -Infinity ? -Infinity : previousDay * DAY_SECONDS + lastTimeOfDay(schedule);
}

/** The first matching day after the given month. */
function nextMatchingDay(schedule: CronSchedule, startYear: number, month: number): number {
  let monthsLeft = schedule.months & (-1 << month);
  let newYear = firstDayOfYear(startYear);
  for (let year = startYear; year <= startYear + CYCLE_YEARS; year++) {
    const leapDays = leapDaysIn(year);
    for (; monthsLeft !== 0; monthsLeft &= monthsLeft - 1) {
      const next = lowestBit(monthsLeft) + 1;
      const firstDay = newYear + daysBeforeMonth(next, leapDays);
      const days = matchingDays(schedule, weekdayOf(firstDay), daysInMonth(next, leapDays));
      if (days !== 0) return firstDay + lowestBit(days);
    }
    monthsLeft = schedule.months;
    newYear += 365 + leapDays;
  }
  return Infinity;
}

/** The last matching day before the given month. */
function previousMatchingDay(schedule: CronSchedule, startYear: number, month: number): number {
  let monthsLeft = schedule.months & ((1 << (month - 1)) - 1);
  for (let year = startYear; year >= startYear - CYCLE_YEARS; year--) {
    const leapDays = leapDaysIn(year);
    const newYear = firstDayOfYear(year);
    while (monthsLeft !== 0) {
      const previous = highestBit(monthsLeft) + 1;
      monthsLeft ^= 1 << (previous - 1);
      const firstDay = newYear + daysBeforeMonth(previous, leapDays);
      const days = matchingDays(schedule, weekdayOf(firstDay), daysInMonth(previous, leapDays));
      if (days !== 0) return firstDay + highestBit(days);
    }
    monthsLeft = schedule.months;
  }
  return -Infinity;
}
