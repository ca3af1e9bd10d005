/**
 * Random cron schedules with a second, obvious meaning: a text, and functions that say whether a local time matches it.
 *
 * The meaning is built beside the text and never parsed from it.
 */
import type { Random } from "../../support/random.ts";

export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekday: number;
  readonly daysInMonth: number;
}

type DayTest = (date: LocalTime) => boolean;

interface NaiveField<Test> {
  readonly text: string;
  readonly test: Test;
}

export interface NaiveSchedule {
  readonly text: string;
  readonly isWild: boolean;
  matchesDay: DayTest;
  matches(time: LocalTime): boolean;
}

const WEEKDAY_NAMES = ["SUN", "mon", "Tue", "WED", "thu", "Fri", "SAT"];
const MONTH_NAMES = ["JAN", "feb", "Mar", "APR", "may", "Jun", "JUL", "aug", "Sep", "OCT", "nov", "Dec"];

/** Six fields when `seconds` are asked for, else five; `days` makes the day fields more varied than `*`. */
export function randomSchedule(random: Random, want: { seconds: boolean; days: boolean }): NaiveSchedule {
  const second = want.seconds ? randomNumbers(random, 0, 59) : { text: "", test: (value: number) => value === 0 };
  const minute = randomNumbers(random, 0, 59);
  const hour = randomNumbers(random, 0, 23);
  const { text, test: matchesDay } = randomDays(random, want.days);
  const clock = [...(want.seconds ? [second.text] : []), minute.text, hour.text];
  return {
    text: [...clock, text].join(" "),
    isWild: clock.some((field) => field.startsWith("*")),
    matchesDay,
    matches: (time) => second.test(time.second) && minute.test(time.minute) && hour.test(time.hour) && matchesDay(time),
  };
}

/** "2026-03-29T03:00:00" to numbers. */
export function parseLabel(label: string): LocalTime {
  const [year, month, day, hour, minute, second] = label.split(/\D/).map(Number) as [
    number,
    number,
    number,
    ...number[],
  ];
  return {
    year,
    month,
    day,
    hour: hour!,
    minute: minute!,
    second: second!,
    weekday: new Date(Date.UTC(year, month - 1, day)).getUTCDay(),
    daysInMonth: new Date(Date.UTC(year, month, 0)).getUTCDate(),
  };
}

function randomDays(random: Random, varied: boolean): NaiveField<DayTest> {
  const days = varied ? randomDates(random) : { text: "*", test: () => true };
  const weekdays = varied ? randomWeekdays(random) : { text: "*", test: () => true };
  const months = random.next() < 0.7 ? { text: "*", test: () => true } : randomNumbers(random, 1, 12, MONTH_NAMES);
  const both = random.next() < 0.2 ? "+" : "";
  const isOpen = /^[*?]/.test(days.text) || /^[*?]/.test(weekdays.text) || both !== "";
  return {
    text: `${days.text} ${months.text} ${both}${weekdays.text}`,
    test: (date) => {
      if (!months.test(date.month)) return false;
      const [byDate, byWeekday] = [days.test(date), weekdays.test(date)];
      return isOpen ? byDate && byWeekday : byDate || byWeekday;
    },
  };
}

function randomNumbers(
  random: Random,
  low: number,
  high: number,
  names: string[] = [],
): NaiveField<(value: number) => boolean> {
  return joinItems(random, () => randomNumberItem(random, { low, high, names }));
}

function randomNumberItem(
  random: Random,
  { low, high, names }: { low: number; high: number; names: string[] },
): NaiveField<(value: number) => boolean> {
  const write = (value: number): string =>
    names.length > 0 && random.next() < 0.5 ? names[value - low]! : String(value);
  const step = random.int(1, high - low + 1);
  const start = random.int(low, high);
  const end = random.int(start, high);
  switch (random.int(0, 5)) {
    case 0:
      return { text: "*", test: () => true };
    case 1:
      return { text: `*/${step}`, test: (value) => (value - low) % step === 0 };
    case 2:
      return { text: `${write(start)}-${write(end)}`, test: (value) => value >= start && value <= end };
    case 3:
      return {
        text: `${write(start)}-${write(end)}/${step}`,
        test: (value) => value >= start && value <= end && (value - start) % step === 0,
      };
    case 4:
      return { text: `${write(start)}/${step}`, test: (value) => value >= start && (value - start) % step === 0 };
    default:
      return { text: write(start), test: (value) => value === start };
  }
}

function randomDates(random: Random): NaiveField<DayTest> {
  return joinItems(random, () => {
    const number = random.int(1, 31);
    const back = random.int(0, 30);
    switch (random.int(0, 7)) {
      case 0:
        return { text: "?", test: () => true };
      case 1:
        return { text: "L", test: (date) => date.day === date.daysInMonth };
      case 2:
        return { text: `L-${back}`, test: (date) => date.day === date.daysInMonth - back };
      case 3:
        return { text: "lw", test: (date) => isNearestWeekday(date, date.daysInMonth) };
      case 4:
        return { text: `L-${back}W`, test: (date) => isNearestWeekday(date, date.daysInMonth - back) };
      case 5:
        return { text: `${number}W`, test: (date) => isNearestWeekday(date, number) };
      default: {
        const item = randomNumberItem(random, { low: 1, high: 31, names: [] });
        return { text: item.text, test: (date) => item.test(date.day) };
      }
    }
  });
}

function randomWeekdays(random: Random): NaiveField<DayTest> {
  return joinItems(random, () => {
    const weekday = random.int(0, 6);
    const name = random.next() < 0.5 ? WEEKDAY_NAMES[weekday]! : String(weekday === 0 ? random.pick([0, 7]) : weekday);
    const nth = random.int(1, 5);
    switch (random.int(0, 6)) {
      case 0:
        return { text: "?", test: () => true };
      case 1:
        return { text: `${name}L`, test: (date) => date.weekday === weekday && date.day > date.daysInMonth - 7 };
      case 2:
        return { text: `${name}#${nth}`, test: (date) => date.weekday === weekday && Math.ceil(date.day / 7) === nth };
      case 3:
        return { text: name, test: (date) => date.weekday === weekday };
      default: {
        const item = randomNumberItem(random, { low: 0, high: 6, names: WEEKDAY_NAMES });
        return { text: item.text, test: (date) => item.test(date.weekday) };
      }
    }
  });
}

/** One item, or now and then a list of up to three. */
function joinItems<Value>(
  random: Random,
  next: () => NaiveField<(value: Value) => boolean>,
): NaiveField<(value: Value) => boolean> {
  const items = Array.from({ length: random.next() < 0.7 ? 1 : random.int(2, 3) }, next);
  return {
    text: items.map((item) => item.text).join(","),
    test: (value) => items.some((item) => item.test(value)),
  };
}

/** Whether `date` is the working day nearest to `target` among the days of its month. */
function isNearestWeekday(date: LocalTime, target: number): boolean {
  if (target < 1 || target > date.daysInMonth) return false;
  const isWorking = (day: number): boolean => {
    const weekday = (((date.weekday + day - date.day) % 7) + 7) % 7;
    return day >= 1 && day <= date.daysInMonth && weekday !== 0 && weekday !== 6;
  };
  // A Saturday looks back first, a Sunday ahead: a distance of one is tried before one of two.
  for (const distance of [0, -1, 1, -2, 2]) if (isWorking(target + distance)) return date.day === target + distance;
  return false;
}
