/** The search for runs against a scan of all minutes and seconds around changes of clocks, and all days of 28 years. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CronSchedule, findTimeZone, nextRun, parseSchedule, previousRun } from "../../../src/core/cron.ts";
import { forEachSeed, type Random } from "../../support/random.ts";
import { readClock } from "./naive-clock.ts";
import { type LocalTime, type NaiveSchedule, parseLabel, randomSchedule } from "./naive-schedule.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Changes of the clocks: an hour, half an hour, at midnight, twice for Ramadan, and a day that never was. */
const CHANGES: readonly [zone: string, at: string][] = [
  ["UTC", "2026-02-28T12:00:00Z"],
  ["Europe/Berlin", "2026-03-29T01:00:00Z"],
  ["Europe/Berlin", "2026-10-25T01:00:00Z"],
  ["America/New_York", "2026-03-08T07:00:00Z"],
  ["America/New_York", "2026-11-01T06:00:00Z"],
  ["Australia/Lord_Howe", "2026-04-04T15:00:00Z"],
  ["Australia/Lord_Howe", "2026-10-03T15:30:00Z"],
  ["Pacific/Chatham", "2026-04-04T14:00:00Z"],
  ["Pacific/Chatham", "2026-09-26T14:00:00Z"],
  ["Africa/Cairo", "2025-04-24T22:00:00Z"],
  ["Africa/Cairo", "2025-10-30T21:00:00Z"],
  ["Africa/Casablanca", "2025-02-23T02:00:00Z"],
  ["Africa/Casablanca", "2025-04-06T02:00:00Z"],
  ["Pacific/Apia", "2011-12-30T10:00:00Z"],
  ["Pacific/Kwajalein", "1969-09-30T13:00:00Z"],
];

/** A stretch of time in a zone, read once and used by many schedules. */
interface Window {
  readonly zone: string;
  readonly stepMs: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Every instant, for schedules that follow real time. */
  readonly instants: readonly Moment[];
  /** Every local time, with the one instant at which it counts. */
  readonly locals: readonly Moment[];
}

interface Moment {
  readonly time: LocalTime;
  readonly atMs: number;
}

function openWindow(zone: string, span: { fromMs: number; toMs: number; stepMs: number }): Window {
  const readings = readClock(zone, span);
  const firstOf = new Map<string, number>();
  for (const { label, atMs } of readings) if (!firstOf.has(label)) firstOf.set(label, atMs);
  const locals: Moment[] = [];
  const lastMs = Date.parse(`${readings.reduce((last, { label }) => (label > last ? label : last), "")}Z`);
  for (let localMs = Date.parse(`${readings[0]!.label}Z`); localMs <= lastMs; localMs += span.stepMs) {
    const label = new Date(localMs).toISOString().slice(0, 19);
    // The first instant of that name, or the first one after the gap that swallowed it.
    const atMs = firstOf.get(label) ?? readings.find((reading) => reading.label > label)!.atMs;
    locals.push({ time: parseLabel(label), atMs });
  }
  return { zone, ...span, instants: readings.map(({ label, atMs }) => ({ time: parseLabel(label), atMs })), locals };
}

/** The runs that the rule asks for, found by trying every moment. */
function scan(schedule: NaiveSchedule, window: Window): number[] {
  const moments = schedule.isWild ? window.instants : window.locals;
  const runs = new Set(moments.filter(({ time }) => schedule.matches(time)).map(({ atMs }) => atMs));
  return [...runs].sort((a, b) => a - b);
}

function search(schedule: CronSchedule, zone: string, span: { fromMs: number; toMs: number }): number[] {
  const runs: number[] = [];
  for (let atMs = nextRun(schedule, findTimeZone(zone)!, span.fromMs - 1); atMs !== null && atMs < span.toMs;) {
    runs.push(atMs);
    atMs = nextRun(schedule, findTimeZone(zone)!, atMs);
  }
  return runs;
}

function searchBack(schedule: CronSchedule, zone: string, span: { fromMs: number; toMs: number }): number[] {
  const runs: number[] = [];
  for (let atMs = previousRun(schedule, findTimeZone(zone)!, span.toMs); atMs !== null && atMs >= span.fromMs;) {
    runs.unshift(atMs);
    atMs = previousRun(schedule, findTimeZone(zone)!, atMs);
  }
  return runs;
}

function parse(text: string): CronSchedule {
  const result = parseSchedule(text);
  assert.ok(result.ok && result.schedule.kind === "cron", `${text} was refused: ${JSON.stringify(result)}`);
  return result.schedule;
}

function assertRuns(actual: readonly number[], expected: readonly number[], what: string): void {
  if (actual.length === expected.length && actual.every((atMs, index) => atMs === expected[index])) return;
  const write = (runs: readonly number[]): string[] => runs.map((atMs) => new Date(atMs).toISOString());
  assert.deepEqual(write(actual), write(expected), what);
}

/** Compares the searches, from the start of the window, from its end, and from a time within, with the scan. */
function compare(random: Random, window: Window): void {
  const { zone, fromMs, toMs, stepMs } = window;
  const naive = randomSchedule(random, { seconds: stepMs < MINUTE_MS, days: random.next() < 0.3 });
  const expected = scan(naive, window);
  const schedule = parse(naive.text);
  assertRuns(search(schedule, zone, { fromMs, toMs }), expected, `${naive.text} in ${zone}`);
  assertRuns(searchBack(schedule, zone, { fromMs, toMs }), expected, `${naive.text}, backwards`);
  const midMs = fromMs + random.int(1, toMs - fromMs - 1);
  const later = expected.filter((atMs) => atMs > midMs);
  const earlier = expected.filter((atMs) => atMs < midMs);
  assertRuns(search(schedule, zone, { fromMs: midMs + 1, toMs }), later, `${naive.text} after`);
  assertRuns(searchBack(schedule, zone, { fromMs, toMs: midMs }), earlier, `${naive.text} before`);
}

for (const [zone, at] of CHANGES) {
  test(`every minute of sixty hours around ${at} in ${zone}`, () => {
    const atMs = Date.parse(at);
    const span = { fromMs: atMs - 30 * HOUR_MS, toMs: atMs + 30 * HOUR_MS, stepMs: MINUTE_MS };
    const window = openWindow(zone, span);
    forEachSeed(10, (random) => compare(random, window));
  });
}

for (const [zone, at] of CHANGES.filter((_, index) => [2, 6].includes(index))) {
  test(`every second of two hours around ${at} in ${zone}`, () => {
    const atMs = Date.parse(at);
    const window = openWindow(zone, { fromMs: atMs - 1.1 * HOUR_MS, toMs: atMs + 1.1 * HOUR_MS, stepMs: 1000 });
    forEachSeed(4, (random) => compare(random, window));
  });
}

test("every day of 28 years, in which each shape of a year comes up", () => {
  const [fromMs, toMs] = [Date.UTC(2001, 0, 1), Date.UTC(2029, 0, 1)];
  const { instants } = openWindow("UTC", { fromMs, toMs, stepMs: 24 * HOUR_MS });
  forEachSeed(30, (random) => {
    const naive = randomSchedule(random, { seconds: false, days: true });
    const dayFields = naive.text.split(" ").slice(2).join(" ");
    const expected = instants.filter(({ time }) => naive.matchesDay(time)).map(({ atMs }) => atMs);
    const schedule = parse(`0 0 ${dayFields}`);
    assert.equal(schedule.never, expected.length === 0, `never of ${dayFields}`);
    assertRuns(search(schedule, "UTC", { fromMs, toMs }), expected, dayFields);
    assertRuns(searchBack(schedule, "UTC", { fromMs, toMs }), expected, `${dayFields}, backwards`);
  });
});
