/**
 * Day numbers to dates of the Gregorian calendar and back, by whole numbers alone.
 *
 * Source: the 400-year cycle of 146,097 days, counted from 1 March so that a leap day is the last of its year.
 * Units: a day number counts days since 1970-01-01; months are 1-12, days 1-31, weekdays 0 (Sunday) to 6.
 * Cost: no Date object; a date is packed into one integer.
 */
const DAYS_TO_1970 = 719_468;
const CYCLE_DAYS = 146_097;
const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/** A date as one integer; read it with {@link yearOf}, {@link monthOf} and {@link dayOf}. */
export type PackedDate = number;

export function dateOfDay(dayNumber: number): PackedDate {
  const shifted = dayNumber + DAYS_TO_1970;
  const cycle = Math.floor(shifted / CYCLE_DAYS);
  const day = shifted - cycle * CYCLE_DAYS;
  const leaps = ((day / 1460) | 0) - ((day / 36_524) | 0) + ((day / 146_096) | 0);
  const yearOfCycle = ((day - leaps) / 365) | 0;
  const dayOfYear = day - (365 * yearOfCycle + (yearOfCycle >> 2) - ((yearOfCycle / 100) | 0));
  const monthFromMarch = ((5 * dayOfYear + 2) / 153) | 0;
  const dayOfMonth = dayOfYear - (((153 * monthFromMarch + 2) / 5) | 0) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0);
  return year * 512 + month * 32 + dayOfMonth;
}

export function yearOf(date: PackedDate): number {
  return date >> 9;
}

export function monthOf(date: PackedDate): number {
  return (date >> 5) & 15;
}

export function dayOf(date: PackedDate): number {
  return date & 31;
}

/** 1 in a leap year, else 0. */
export function leapDaysIn(year: number): number {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 1 : 0;
}

/** The day number of 1 January. */
export function firstDayOfYear(year: number): number {
  const past = year - 1;
  return 365 * (year - 1970) + Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) - 477;
}

/** Days between 1 January and the first of the month (13 = the whole year). */
export function daysBeforeMonth(month: number, leapDays: number): number {
  return DAYS_BEFORE_MONTH[month - 1]! + (month > 2 ? leapDays : 0);
}

export function daysInMonth(month: number, leapDays: number): number {
  return daysBeforeMonth(month + 1, leapDays) - daysBeforeMonth(month, leapDays);
}

export function weekdayOf(dayNumber: number): number {
  // 1970-01-01 was a Thursday; the remainder of a negative day number is negative.
  return ((dayNumber % 7) + 11) % 7;
}
