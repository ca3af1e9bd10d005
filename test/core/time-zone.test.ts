import assert from "node:assert/strict";
import { test } from "node:test";
import { findTimeZone, TimeZone } from "../../src/core/time-zone.ts";
import { forEachSeed } from "../support/random.ts";
import { offsetOfReading, readClock } from "./cron/naive-clock.ts";

const HOUR_MS = 3_600_000;

function offsetAt(zone: TimeZone, atMs: number): number {
  return zone.offsetOf(zone.segmentAt(Math.floor(atMs / 1000)));
}

const YEARS: readonly [zone: string, from: string, to: string][] = [
  ["UTC", "2026-01-01", "2027-01-01"],
  ["Europe/Berlin", "2025-10-01", "2026-12-01"],
  ["America/New_York", "2025-10-01", "2026-12-01"],
  ["Australia/Lord_Howe", "2025-10-01", "2026-12-01"],
  ["Pacific/Chatham", "2025-10-01", "2026-12-01"],
  ["Africa/Cairo", "2010-01-01", "2011-01-01"],
  ["Africa/Casablanca", "2025-10-01", "2026-12-01"],
  ["Pacific/Apia", "2011-01-01", "2012-05-01"],
  // The shortest stretch of all: a week of summer time.
  ["America/Noronha", "2000-09-01", "2000-12-01"],
];

for (const [name, from, to] of YEARS) {
  test(`offsets of ${name} at every hour from ${from} to ${to}`, () => {
    const zone = new TimeZone(name);
    for (const reading of readClock(name, { fromMs: Date.parse(from), toMs: Date.parse(to), stepMs: HOUR_MS })) {
      assert.equal(offsetAt(zone, reading.atMs), offsetOfReading(reading), new Date(reading.atMs).toISOString());
    }
  });
}

const TRANSITIONS: readonly [zone: string, after: string, at: string, before: number, afterwards: number][] = [
  ["Europe/Berlin", "2026-01-01", "2026-03-29T01:00:00Z", 3600, 7200],
  ["Europe/Berlin", "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", 7200, 3600],
  ["America/New_York", "2026-01-01", "2026-03-08T07:00:00Z", -18_000, -14_400],
  ["Australia/Lord_Howe", "2026-05-01", "2026-10-03T15:30:00Z", 37_800, 39_600],
  ["Pacific/Chatham", "2026-01-01", "2026-04-04T14:00:00Z", 49_500, 45_900],
  ["Africa/Cairo", "2025-01-01", "2025-04-24T22:00:00Z", 7200, 10_800],
  ["Africa/Casablanca", "2025-01-01", "2025-02-23T02:00:00Z", 3600, 0],
  ["Pacific/Apia", "2011-12-01", "2011-12-30T10:00:00Z", -36_000, 50_400],
];

for (const [name, after, at, offsetBefore, offsetAfter] of TRANSITIONS) {
  test(`the change of ${name} after ${after}`, () => {
    const found = findTimeZone(name)!.nextTransition(Date.parse(after) / 1000, 366 * 86_400);
    assert.deepEqual(found, { atSeconds: Date.parse(at) / 1000, offsetBefore, offsetAfter });
  });
}

test("zones without changes have no next one", () => {
  for (const name of ["UTC", "Asia/Kolkata", "Etc/GMT+5"]) {
    assert.equal(findTimeZone(name)!.nextTransition(Date.parse("2026-01-01") / 1000, 366 * 86_400), undefined, name);
  }
});

test("the order of questions does not matter, however the table had to grow", () => {
  const instants = ["1900-06-01", "1945-05-01", "1969-07-01", "2026-03-29T01:00:00Z", "2044-02-29", "2080-07-01"];
  forEachSeed(4, (random) => {
    const zone = new TimeZone("Europe/Berlin");
    for (let round = 0; round < 20; round++) {
      const atMs = Date.parse(random.pick(instants)) + random.int(-48, 48) * HOUR_MS;
      const [reading] = readClock("Europe/Berlin", { fromMs: atMs, toMs: atMs + 1, stepMs: 1 });
      assert.equal(offsetAt(zone, atMs), offsetOfReading(reading!), new Date(atMs).toISOString());
    }
  });
});

test("before and after all known changes the outermost offset holds", () => {
  const zone = new TimeZone("America/New_York");
  assert.equal(offsetAt(zone, Date.parse("-100000-01-01T00:00:00Z")), -17_762);
  assert.equal(
    offsetAt(zone, Date.parse("+200000-07-01T00:00:00Z")),
    offsetAt(zone, Date.parse("2499-12-31T00:00:00Z")),
  );
  assert.equal(offsetAt(zone, Date.parse("2026-07-01T00:00:00Z")), -14_400);
  assert.equal(zone.startOf(zone.segmentAt(-1e12)), -Infinity);
});

test("names", () => {
  assert.equal(findTimeZone("europe/BERLIN")!.name, "Europe/Berlin");
  assert.equal(findTimeZone("Europe/Berlin"), findTimeZone("EUROPE/berlin"));
  assert.equal(findTimeZone("Asia/Kolkata")!.name, "Asia/Kolkata");
  assert.equal(findTimeZone("Asia/Calcutta")!.name, "Asia/Calcutta");
});

for (const name of [
  "",
  "Mars/Olympus",
  "+01:00",
  "-05:00",
  "Europe/Berlin ",
  "Europe/Berlin\u0000",
  "x".repeat(1e6),
  "../etc",
]) {
  test(`no zone: ${JSON.stringify(name.slice(0, 20))}`, () => assert.equal(findTimeZone(name), undefined));
}

test("offsets of all zones as Temporal gives them", (context) => {
  const temporal = (globalThis as { Temporal?: { Instant: { fromEpochMilliseconds(ms: number): TemporalInstant } } })
    .Temporal;
  if (temporal === undefined) return context.skip(`Node ${process.version} has no Temporal to compare with`);
  forEachSeed(3, (random) => {
    for (const name of Intl.supportedValuesOf("timeZone").filter(() => random.next() < 0.1)) {
      const atMs = random.int(Date.parse("1970-01-01") / 1000, Date.parse("2060-01-01") / 1000) * 1000;
      const expected: number =
        temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(name).offsetNanoseconds / 1e9;
      assert.equal(offsetAt(new TimeZone(name), atMs), expected, `${name} at ${new Date(atMs).toISOString()}`);
    }
  });
});

interface TemporalInstant {
  toZonedDateTimeISO(zone: string): { offsetNanoseconds: number };
}
