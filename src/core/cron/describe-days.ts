/** The day and month fields of a cron schedule to English: "on the last Friday of the month", "in January to March". */
import { membersOf } from "./bit-set.ts";
import { listNumbers, listText, ordinal } from "./describe-list.ts";
import type { CronSchedule } from "./schedule.ts";

const EVERY_DAY = 31;
const EVERY_MONTH = 12;
const EVERY_WEEKDAY = 7;
const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const NTH = ["first", "second", "third", "fourth", "fifth"];

/** No phrase, one for the days, one for the months, or both. */
export function describeDays(schedule: CronSchedule): string[] {
  const dates = describeDates(schedule);
  const weekdays = describeWeekdays(schedule);
  const days = [dates, weekdays].filter((phrase) => phrase !== "");
  const phrases = days.length === 0 ? [] : [`on ${days.join(schedule.eitherDay ? ", or on " : " if it is ")}`];
  const months = membersOf(schedule.months, 1);
  if (months.length < EVERY_MONTH) phrases.push(`in ${listNumbers(months, (month) => MONTHS[month - 1]!)}`);
  return phrases;
}

function describeDates(schedule: CronSchedule): string {
  const days = membersOf(schedule.days, 1);
  if (days.length === EVERY_DAY) return "";
  const words = days.length === 0 ? [] : [`${days.length === 1 ? "day" : "days"} ${listNumbers(days)}`];
  for (const back of membersOf(schedule.daysFromEnd, 0)) words.push(dayFromEnd(back));
  for (const day of membersOf(schedule.nearDays, 1)) words.push(`the weekday nearest the ${ordinal(day)}`);
  for (const back of membersOf(schedule.nearDaysFromEnd, 0)) {
    words.push(back === 0 ? "the last weekday" : `the weekday nearest ${dayFromEnd(back)}`);
  }
  return `${listText(words)} of the month`;
}

function dayFromEnd(back: number): string {
  if (back === 0) return "the last day";
  return back === 1 ? "the day before the last" : `the ${ordinal(back)} day before the last`;
}

function describeWeekdays(schedule: CronSchedule): string {
  const every = membersOf(schedule.weekdays, 0);
  if (every.length === EVERY_WEEKDAY) return "";
  const words = every.length === 0 ? [] : [listWeekdays(every)];
  const counted: string[] = [];
  for (let nth = 0; nth < NTH.length; nth++) {
    const week = nth === 4 ? schedule.fifthWeekdays : (schedule.nthWeekdays >>> (7 * nth)) & 0x7f;
    for (const weekday of membersOf(week, 0)) counted.push(`the ${NTH[nth]!} ${WEEKDAYS[weekday]!}`);
  }
  for (const weekday of membersOf(schedule.lastWeekdays, 0)) counted.push(`the last ${WEEKDAYS[weekday]!}`);
  return counted.length === 0 ? words.join("") : `${listText([...words, ...counted])} of the month`;
}

/** Sunday comes last where it closes a row: Friday to Sunday. */
function listWeekdays(weekdays: readonly number[]): string {
  const closesRow = weekdays[0] === 0 && weekdays.includes(6);
  const order = closesRow ? [...weekdays.slice(1), 7] : weekdays;
  return listNumbers(order, (weekday) => WEEKDAYS[weekday % 7]!);
}
