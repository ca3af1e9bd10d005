import assert from "node:assert/strict";
import { test } from "node:test";
import { findTimeZone, formatLocal, matches, nextRun, parseSchedule, previousRun } from "../../../src/core/cron.ts";
import { TimeZone } from "../../../src/core/time-zone.ts";
import type { ParseOptions, Schedule } from "../../../src/core/cron.ts";

const UTC = findTimeZone("UTC")!;

function parse(text: string, options?: ParseOptions): Schedule {
  const result = parseSchedule(text, options);
  assert.ok(result.ok, `${text} was refused`);
  return result.schedule;
}

/** The next runs as local times with offsets, "29 03:00 +02:00". */
function localRuns(text: string, zoneName: string, from: { after: string; count: number }): string[] {
  const zone = findTimeZone(zoneName)!;
  const runs: string[] = [];
  for (let atMs: number | null = Date.parse(from.after); runs.length < from.count;) {
    atMs = nextRun(parse(text), zone, atMs);
    assert.ok(atMs !== null, `${text} came to an end`);
    runs.push(formatLocal(zone, atMs).replace(/^\d{4}-\d\d-(\d\d \d\d:\d\d):00/, "$1"));
  }
  return runs;
}

const BERLIN = "+01:00";
const CHANGES: readonly [zone: string, text: string, after: string, runs: string[], why: string][] = [
  ["America/New_York", "30 2 * * *", "2026-03-08T05:00:00Z", ["08 03:00 -04:00", "09 02:30 -04:00"], "after the gap"],
  ["America/New_York", "0,30 2 * * *", "2026-03-08T05:00:00Z", ["08 03:00 -04:00", "09 02:00 -04:00"], "once"],
  [
    "America/New_York",
    "0 */2 * * *",
    "2026-03-08T04:59:00Z",
    ["08 00:00 -05:00", "08 04:00 -04:00", "08 06:00 -04:00"],
    "wild: no 02:00",
  ],
  ["America/New_York", "*/30 2 * * *", "2026-03-08T05:00:00Z", ["09 02:00 -04:00"], "wild: none that day"],
  ["America/New_York", "30 1 * * *", "2026-11-01T04:00:00Z", ["01 01:30 -04:00", "02 01:30 -05:00"], "the first pass"],
  [
    "America/New_York",
    "30 1,2 * * *",
    "2026-11-01T04:00:00Z",
    ["01 01:30 -04:00", "01 02:30 -05:00", "02 01:30 -05:00"],
    "each once",
  ],
  [
    "America/New_York",
    "*/30 * * * *",
    "2026-11-01T04:59:00Z",
    ["01 01:00 -04:00", "01 01:30 -04:00", "01 01:00 -05:00", "01 01:30 -05:00", "01 02:00 -05:00"],
    "wild: both passes",
  ],
  ["America/New_York", "30 1 * * *", "2026-11-01T06:10:00Z", ["02 01:30 -05:00"], "asked in the second pass"],
  ["Europe/Berlin", "30 2 * * *", "2026-03-28T12:00:00Z", ["29 03:00 +02:00", "30 02:30 +02:00"], "after the gap"],
  ["Europe/Berlin", "0 3 * * *", "2026-03-28T12:00:00Z", ["29 03:00 +02:00", "30 03:00 +02:00"], "not in the gap"],
  ["Europe/Berlin", "30 2,3 * * *", "2026-03-28T12:00:00Z", ["29 03:00 +02:00", "29 03:30 +02:00"], "two runs"],
  ["Europe/Berlin", "30 2 * * *", "2026-10-24T12:00:00Z", ["25 02:30 +02:00", `26 02:30 ${BERLIN}`], "the first pass"],
  ["Europe/Berlin", "0 * * * *", "2026-10-25T00:30:00Z", [`25 02:00 ${BERLIN}`, `25 03:00 ${BERLIN}`], "wild"],
  [
    "Australia/Lord_Howe",
    "15 2 * * *",
    "2026-10-03T00:00:00Z",
    ["04 02:30 +11:00", "05 02:15 +11:00"],
    "a gap of half an hour",
  ],
  ["Australia/Lord_Howe", "45 1 * * *", "2026-04-04T12:00:00Z", ["05 01:45 +11:00", "06 01:45 +10:30"], "half an hour"],
  [
    "Australia/Lord_Howe",
    "*/15 1 * * *",
    "2026-04-04T14:25:00Z",
    ["05 01:30 +11:00", "05 01:45 +11:00", "05 01:30 +10:30", "05 01:45 +10:30", "06 01:00 +10:30"],
    "half an hour twice",
  ],
  [
    "Pacific/Chatham",
    "0 3 * * *",
    "2026-09-26T00:00:00Z",
    ["27 03:45 +13:45", "28 03:00 +13:45"],
    "from 02:45 to 03:45",
  ],
  ["Pacific/Chatham", "0 3 * * *", "2026-04-04T00:00:00Z", ["05 03:00 +13:45", "06 03:00 +12:45"], "the first pass"],
  [
    "Africa/Cairo",
    "0 0 * * *",
    "2025-04-24T12:00:00Z",
    ["25 01:00 +03:00", "26 00:00 +03:00"],
    "a day without midnight",
  ],
  ["Africa/Cairo", "30 23 * * *", "2025-10-30T12:00:00Z", ["30 23:30 +03:00", "31 23:30 +02:00"], "midnight twice"],
  ["Africa/Casablanca", "30 2 * * *", "2025-02-22T12:00:00Z", ["23 02:30 +01:00", "24 02:30 +00:00"], "into Ramadan"],
  ["Africa/Casablanca", "30 2 * * *", "2025-04-05T12:00:00Z", ["06 03:00 +01:00", "07 02:30 +01:00"], "out of Ramadan"],
  [
    "Pacific/Apia",
    "0 12 * * *",
    "2011-12-29T00:00:00Z",
    ["29 12:00 -10:00", "31 00:00 +14:00", "31 12:00 +14:00"],
    "the 30th never was: its run comes when it would have ended",
  ],
  ["Pacific/Apia", "0 */6 30 12 *", "2011-12-29T00:00:00Z", ["30 00:00 +14:00"], "wild: a year later"],
];

for (const [zone, text, after, runs, why] of CHANGES) {
  test(`${text} in ${zone} after ${after}: ${why}`, () => {
    assert.deepEqual(localRuns(text, zone, { after, count: runs.length }), runs);
  });
}

const RARE: readonly [zone: string, text: string, run: string, why: string][] = [
  ["Europe/Berlin", "30 2 29 3 *", "2026-03-29T01:00:00Z", "in the gap"],
  ["America/New_York", "30 2 8 3 *", "2026-03-08T07:00:00Z", "in the gap"],
  ["Pacific/Chatham", "0 3 27 9 *", "2026-09-26T14:00:00Z", "in the gap"],
  ["Europe/Berlin", "30 2 25 10 *", "2026-10-25T00:30:00Z", "in the first pass"],
  ["America/New_York", "30 1 1 11 *", "2026-11-01T05:30:00Z", "in the first pass"],
  ["America/New_York", "*/30 1 1 11 *", "2026-11-01T05:00:00Z", "wild, the first of four"],
];

for (const [name, text, run, why] of RARE) {
  test(`${text} in ${name}, looked for from months away: ${why}`, () => {
    const [schedule, zone, atMs] = [parse(text), findTimeZone(name)!, Date.parse(run)];
    for (const days of [1, 30, 100, 300])
      assert.equal(nextRun(schedule, zone, atMs - days * 86_400_000), atMs, `${days}`);
    const last = schedule.kind === "cron" && schedule.wild ? atMs + 5_400_000 : atMs;
    for (const days of [1, 30, 100, 300])
      assert.equal(previousRun(schedule, zone, atMs + days * 86_400_000), last, `${days}`);
  });
}

test("looking back over the edge of the zone's table never comes out ahead", () => {
  const zone = new TimeZone("Europe/Berlin");
  zone.segmentAt(Date.parse("2026-01-01") / 1000);
  const run = previousRun(parse("0 0 1 3,12 *"), zone, Date.parse("2025-02-01"));
  assert.equal(run, Date.parse("2024-11-30T23:00:00Z"));
});

test("a leap day on a Monday, forty years ahead where 2100 is no leap year", () => {
  const schedule = parse("0 0 29 2 +MON");
  const run = (after: string): string | undefined =>
    new Date(nextRun(schedule, findTimeZone("America/New_York")!, Date.parse(after))!).toISOString().slice(0, 10);
  assert.equal(run("2026-01-01"), "2044-02-29");
  assert.equal(run("2072-03-01"), "2112-02-29");
});

test("a schedule that never matches has no next and no previous run", () => {
  const schedule = parse("0 0 31 4,6,9,11 *");
  assert.equal(nextRun(schedule, UTC, 0), null);
  assert.equal(previousRun(schedule, UTC, 0), null);
  assert.equal(matches(schedule, UTC, 0), false);
});

test("parts of a second", () => {
  const schedule = parse("* * * * * *");
  assert.equal(nextRun(schedule, UTC, 999), 1000);
  assert.equal(nextRun(schedule, UTC, 1000), 2000);
  assert.equal(nextRun(schedule, UTC, 999.5), 1000);
  assert.equal(nextRun(schedule, UTC, -1), 0);
  assert.equal(previousRun(schedule, UTC, 1001), 1000);
  assert.equal(previousRun(schedule, UTC, 1000), 0);
  assert.equal(matches(parse("* * * * *"), UTC, 60_999), true);
  assert.equal(matches(parse("* * * * *"), UTC, 61_000), false);
});

test("@every keeps in step with its anchor", () => {
  const schedule = parse("@every 90s", { anchorMs: 1_000_500 });
  assert.equal(nextRun(schedule, UTC, 1_000_500), 1_090_500);
  assert.equal(nextRun(schedule, UTC, 1_090_499), 1_090_500);
  assert.equal(nextRun(schedule, UTC, 1_090_500), 1_180_500);
  assert.equal(nextRun(schedule, UTC, -5e9), 1_090_500, "the anchor itself is no run");
  assert.equal(previousRun(schedule, UTC, 1_180_500), 1_090_500);
  assert.equal(previousRun(schedule, UTC, 1_180_501), 1_180_500);
  assert.equal(previousRun(schedule, UTC, 1_090_500), null);
  assert.equal(matches(schedule, UTC, 1_090_500), true);
});

test("@at runs once, and events never by the clock", () => {
  const schedule = parse("@at 1970-01-01T00:01:00Z");
  assert.deepEqual([nextRun(schedule, UTC, 59_999), nextRun(schedule, UTC, 60_000)], [60_000, null]);
  assert.deepEqual([previousRun(schedule, UTC, 60_001), previousRun(schedule, UTC, 60_000)], [60_000, null]);
  assert.equal(matches(schedule, UTC, 60_000), true);
  for (const text of ["@reboot", "@start"]) {
    assert.deepEqual([nextRun(parse(text), UTC, 0), previousRun(parse(text), UTC, 0)], [null, null]);
  }
});

test("a time that a Date cannot hold is refused, and the outermost ones are not", () => {
  for (const text of ["* * * * *", "@every 1s", "@at 2026-01-01T00:00:00Z"]) {
    for (const atMs of [NaN, Infinity, -Infinity, 8.65e15]) {
      assert.throws(() => nextRun(parse(text), UTC, atMs), RangeError);
      assert.throws(() => previousRun(parse(text), UTC, atMs), RangeError);
    }
  }
  const zone = findTimeZone("Europe/Berlin")!;
  assert.equal(nextRun(parse("* * * * *"), zone, -8.64e15), -8.64e15 + 32_000, "its first minute by Berlin's sun time");
  assert.ok(nextRun(parse("0 0 29 2 *"), zone, 8.64e15)! > 8.64e15);
  assert.ok(previousRun(parse("0 0 29 2 *"), zone, -8.64e15)! < -8.64e15);
});
