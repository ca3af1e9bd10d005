/**
 * A schedule to plain English: `0 9 * * 1-5` is "At 09:00, on Monday to Friday".
 *
 * Order: clock times, then days, then months.
 */
import { formatDuration } from "../duration.ts";
import { membersOf, membersOfPair } from "./bit-set.ts";
import { describeDays } from "./describe-days.ts";
import { isAll, listNumbers, listText, stepOf, twoDigits } from "./describe-list.ts";
import type { CronSchedule, Schedule } from "./schedule.ts";

const MOST_CLOCK_TIMES = 6;

export function describe(schedule: Schedule): string {
  switch (schedule.kind) {
    case "cron":
      return describeCron(schedule);
    case "every":
      return `Every ${formatDuration(schedule.periodMs)}`;
    case "at":
      return `Once, at ${new Date(schedule.atMs).toISOString().replace(".000Z", "Z")}`;
    case "reboot":
      return "Once after each boot of the machine";
    case "start":
      return "At each start of the daemon";
  }
}

function describeCron(schedule: CronSchedule): string {
  const days = describeDays(schedule);
  const times = describeTimes(schedule);
  const isDaily = days.length === 0 && /^at \d/.test(times[0]!);
  const text = [...times, ...days].join(", ") + (isDaily ? " every day" : "");
  const never = schedule.never ? "; no such date exists, so it never runs" : "";
  return text.charAt(0).toUpperCase() + text.slice(1) + never;
}

function describeTimes(schedule: CronSchedule): string[] {
  const seconds = membersOfPair(schedule.secondsLow, schedule.secondsHigh);
  const minutes = membersOfPair(schedule.minutesLow, schedule.minutesHigh);
  const hours = membersOf(schedule.hours, 0);
  const count = seconds.length * minutes.length * hours.length;
  if (count <= MOST_CLOCK_TIMES) return [listClockTimes(hours, minutes, seconds)];
  if (seconds.length > 1) return describeSeconds(seconds, minutes, hours);
  return describeMinutes(seconds[0]!, minutes, hours);
}

/** Several seconds of a minute: "every 10 seconds, in minute 5 of every hour". */
function describeSeconds(seconds: readonly number[], minutes: readonly number[], hours: readonly number[]): string[] {
  const period = describePeriod(seconds, "second", 60);
  const listed = `at seconds ${listNumbers(seconds)}`;
  if (isAll(minutes, 60)) return [period ?? `${listed} of every minute`, ...describeHours(hours)];
  return [period ?? listed, `in ${describeUnits(minutes, "minute", 60)} of ${describeUnits(hours, "hour", 24)}`];
}

/** One second of several minutes: "every 15 minutes, from 09:00 to 17:59". */
function describeMinutes(second: number, minutes: readonly number[], hours: readonly number[]): string[] {
  const period = describePeriod(minutes, "minute", 60);
  if (second !== 0) {
    return [`at second ${second} of ${period ?? describeUnits(minutes, "minute", 60)}`, ...describeHours(hours)];
  }
  if (period !== undefined) return [period, ...describeHours(hours)];
  const hourly = describePeriod(hours, "hour", 24);
  if (hourly !== undefined && minutes.length === 1 && minutes[0] === 0) return [hourly];
  return [`at ${describeUnits(minutes, "minute", 60)} of ${hourly ?? describeUnits(hours, "hour", 24)}`];
}

function listClockTimes(hours: readonly number[], minutes: readonly number[], seconds: readonly number[]): string {
  const withSeconds = seconds.length > 1 || seconds[0] !== 0;
  const times = hours.flatMap((hour) =>
    minutes.flatMap((minute) =>
      seconds.map((second) => [hour, minute, ...(withSeconds ? [second] : [])].map(twoDigits).join(":")),
    ),
  );
  return `at ${listText(times)}`;
}

/** "every minute", "every 15 minutes"; `undefined` when the values do not come round evenly. */
function describePeriod(values: readonly number[], unit: string, size: number): string | undefined {
  const step = stepOf(values, size);
  if (step === undefined) return undefined;
  return step === 1 ? `every ${unit}` : `every ${step} ${unit}s`;
}

function describeUnits(values: readonly number[], unit: string, size: number): string {
  if (isAll(values, size)) return `every ${unit}`;
  return `${values.length === 1 ? unit : `${unit}s`} ${listNumbers(values)}`;
}

/** Restricts a period to hours: "from 09:00 to 17:59". */
function describeHours(hours: readonly number[]): string[] {
  if (isAll(hours, 24)) return [];
  const [first, last] = [hours[0]!, hours.at(-1)!];
  if (last - first === hours.length - 1) return [`from ${twoDigits(first)}:00 to ${twoDigits(last)}:59`];
  return [`in hours ${listNumbers(hours)}`];
}
