import assert from "node:assert/strict";
import { test } from "node:test";
import { findTimeZone, formatLocal, parseSchedule, preview, type SchedulePreview } from "../../../src/core/cron.ts";

function previewText(text: string, zone: string, from: { after: string; count?: number }): SchedulePreview {
  const result = parseSchedule(text);
  assert.ok(result.ok, `${text} was refused`);
  const { after, ...rest } = from;
  return preview(result.schedule, findTimeZone(zone)!, { afterMs: Date.parse(after), ...rest });
}

test("the next runs by the zone's clocks and in UTC", () => {
  const { runs } = previewText("30 9 * * *", "Europe/Berlin", { after: "2026-03-28T00:00:00Z", count: 2 });
  assert.deepEqual(runs, [
    { atMs: Date.parse("2026-03-28T08:30:00Z"), local: "2026-03-28 09:30:00 +01:00", utc: "2026-03-28 08:30:00" },
    { atMs: Date.parse("2026-03-29T07:30:00Z"), local: "2026-03-29 09:30:00 +02:00", utc: "2026-03-29 07:30:00" },
  ]);
  assert.equal(previewText("* * * * *", "UTC", { after: "2026-03-28T00:00:00Z" }).runs.length, 10);
  assert.equal(previewText("@at 2026-05-01T00:00:00Z", "UTC", { after: "2026-03-28T00:00:00Z" }).runs.length, 1);
  assert.equal(previewText("0 0 30 2 *", "UTC", { after: "2026-03-28T00:00:00Z" }).runs.length, 0);
});

test("local times with old and negative offsets", () => {
  assert.equal(
    formatLocal(findTimeZone("Africa/Monrovia")!, Date.parse("1960-01-01T00:00:00Z")),
    "1959-12-31 23:15:30 -00:44:30",
  );
  assert.equal(
    formatLocal(findTimeZone("Asia/Kolkata")!, Date.parse("2026-01-01T00:00:07.9Z")),
    "2026-01-01 05:30:07 +05:30",
  );
});

const EFFECTS: readonly [text: string, zone: string, after: string, effect: string, changesRuns: boolean][] = [
  ["30 2 * * *", "Europe/Berlin", "2026-03-01", "29 Mar 2026: runs 03:00 instead of 02:30", true],
  ["0,30 2 * * *", "Europe/Berlin", "2026-03-01", "29 Mar 2026: runs once 03:00 instead of 02:00 and 02:30", true],
  [
    "*/30 2 * * *",
    "Europe/Berlin",
    "2026-03-01",
    "29 Mar 2026: no run at 02:00 and 02:30; the clocks go from 02:00 to 03:00",
    true,
  ],
  [
    "*/10 * * * *",
    "Europe/Berlin",
    "2026-03-01",
    "29 Mar 2026: no run at 02:00, 02:10, 02:20 and more; the clocks go from 02:00 to 03:00",
    true,
  ],
  [
    "0 12 * * *",
    "Europe/Berlin",
    "2026-03-01",
    "29 Mar 2026: the clocks go from 02:00 to 03:00; no run is affected",
    false,
  ],
  [
    "30 2 * * 1-5",
    "Europe/Berlin",
    "2026-03-01",
    "29 Mar 2026: the clocks go from 02:00 to 03:00; no run is affected",
    false,
  ],
  [
    "30 2 * * *",
    "Europe/Berlin",
    "2026-10-01",
    "25 Oct 2026: runs once at 02:30, the first time round; the clocks go from 03:00 to 02:00",
    false,
  ],
  [
    "*/30 * * * *",
    "Europe/Berlin",
    "2026-10-01",
    "25 Oct 2026: runs twice at 02:00 and 02:30; the clocks go from 03:00 to 02:00",
    true,
  ],
  ["15 2 * * *", "Australia/Lord_Howe", "2026-10-01", "4 Oct 2026: runs 02:30 instead of 02:15", true],
  ["30 0 * * *", "Africa/Cairo", "2025-04-01", "25 Apr 2025: runs 01:00 instead of 00:30", true],
  ["30 23 * * *", "America/Nuuk", "2024-03-01", "30 Mar 2024: runs 00:00 on 31 Mar instead of 23:30", true],
  ["0 12 * * *", "Pacific/Apia", "2011-12-01", "30 Dec 2011: runs 00:00 on 31 Dec instead of 12:00", true],
];

for (const [text, zone, after, effect, changesRuns] of EFFECTS) {
  test(`${text} in ${zone}: ${effect}`, () => {
    const { transition } = previewText(text, zone, { after });
    assert.equal(transition?.text, effect);
    assert.equal(transition.changesRuns, changesRuns);
  });
}

test("no effect where the clocks do not change, or the schedule follows no clock", () => {
  assert.equal(previewText("30 2 * * *", "UTC", { after: "2026-03-01" }).transition, null);
  assert.equal(previewText("30 2 * * *", "Asia/Kolkata", { after: "2026-03-01" }).transition, null);
  assert.equal(previewText("@every 5m", "Europe/Berlin", { after: "2026-03-01" }).transition, null);
});

test("the moment and size of the change", () => {
  const { transition } = previewText("0 12 * * *", "Australia/Lord_Howe", { after: "2026-03-01" });
  assert.equal(transition?.atMs, Date.parse("2026-04-04T15:00:00Z"));
  assert.equal(transition.shiftSeconds, -1800);
});
