/** A cron schedule's clock fields and a second of the day (0-86399) to the nearest matching second of that day. */
import { highestBit, isInPair, lowestBit, nextInPair, previousInPair } from "./bit-set.ts";
import type { CronSchedule } from "./schedule.ts";

/** The first matching second of a day that is at least `from` (0-86399); -1 when there is none. */
export function nextTimeOfDay(schedule: CronSchedule, from: number): number {
  const hour = (from / 3600) | 0;
  if (((schedule.hours >>> hour) & 1) === 1) {
    const minute = ((from - hour * 3600) / 60) | 0;
    if (isInPair(schedule.minutesLow, schedule.minutesHigh, minute)) {
      const second = nextInPair(schedule.secondsLow, schedule.secondsHigh, from - hour * 3600 - minute * 60);
      if (second >= 0) return hour * 3600 + minute * 60 + second;
    }
    const nextMinute = nextInPair(schedule.minutesLow, schedule.minutesHigh, minute + 1);
    if (nextMinute >= 0) return hour * 3600 + nextMinute * 60 + firstSecond(schedule);
  }
  const hours = schedule.hours & (-1 << (hour + 1));
  return hours === 0 ? -1 : lowestBit(hours) * 3600 + firstMinute(schedule) * 60 + firstSecond(schedule);
}

/** The last matching second of a day that is at most `from` (0-86399); -1 when there is none. */
export function previousTimeOfDay(schedule: CronSchedule, from: number): number {
  const hour = (from / 3600) | 0;
  if (((schedule.hours >>> hour) & 1) === 1) {
    const minute = ((from - hour * 3600) / 60) | 0;
    if (isInPair(schedule.minutesLow, schedule.minutesHigh, minute)) {
      const second = previousInPair(schedule.secondsLow, schedule.secondsHigh, from - hour * 3600 - minute * 60);
      if (second >= 0) return hour * 3600 + minute * 60 + second;
    }
    const previousMinute = previousInPair(schedule.minutesLow, schedule.minutesHigh, minute - 1);
    if (previousMinute >= 0) return hour * 3600 + previousMinute * 60 + lastSecond(schedule);
  }
  const hours = schedule.hours & ((1 << hour) - 1);
  return hours === 0 ? -1 : highestBit(hours) * 3600 + lastMinute(schedule) * 60 + lastSecond(schedule);
}

export function firstTimeOfDay(schedule: CronSchedule): number {
  return lowestBit(schedule.hours) * 3600 + firstMinute(schedule) * 60 + firstSecond(schedule);
}

export function lastTimeOfDay(schedule: CronSchedule): number {
  return highestBit(schedule.hours) * 3600 + lastMinute(schedule) * 60 + lastSecond(schedule);
}

function firstMinute(schedule: CronSchedule): number {
  return nextInPair(schedule.minutesLow, schedule.minutesHigh, 0);
}

function lastMinute(schedule: CronSchedule): number {
  return previousInPair(schedule.minutesLow, schedule.minutesHigh, 59);
}

function firstSecond(schedule: CronSchedule): number {
  return nextInPair(schedule.secondsLow, schedule.secondsHigh, 0);
}

function lastSecond(schedule: CronSchedule): number {
  return previousInPair(schedule.secondsLow, schedule.secondsHigh, 59);
}
