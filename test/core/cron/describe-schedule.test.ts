import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, parseSchedule } from "../../../src/core/cron.ts";
import { forEachSeed } from "../../support/random.ts";
import { randomSchedule } from "./naive-schedule.ts";

function describeText(text: string): string {
  const result = parseSchedule(text, { jobId: "backup", anchorMs: 0 });
  assert.ok(result.ok, `${text} was refused`);
  return describe(result.schedule);
}

const TEXTS: readonly [text: string, english: string][] = [
  ["* * * * *", "Every minute"],
  ["* * * * * *", "Every second"],
  ["*/10 * * * * *", "Every 10 seconds"],
  ["*/15 * * * *", "Every 15 minutes"],
  ["0,15,30,45 * * * *", "Every 15 minutes"],
  ["@hourly", "Every hour"],
  ["0 */2 * * *", "Every 2 hours"],
  ["@daily", "At 00:00 every day"],
  ["0 9 * * 1-5", "At 09:00, on Monday to Friday"],
  ["30 9,17 * * *", "At 09:30 and 17:30 every day"],
  ["15 30 9 * * *", "At 09:30:15 every day"],
  ["*/5 9-17 * * *", "Every 5 minutes, from 09:00 to 17:59"],
  ["*/20 6,18 * * *", "At 06:00, 06:20, 06:40, 18:00, 18:20 and 18:40 every day"],
  ["*/5 6,18 * * *", "Every 5 minutes, in hours 6 and 18"],
  ["5,35 * * * *", "At minutes 5 and 35 of every hour"],
  ["10 9-17 * * *", "At minute 10 of hours 9 to 17"],
  ["10 */3 * * *", "At minute 10 of every 3 hours"],
  ["*/7 * * * *", "At minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour"],
  ["30 * * * * *", "At second 30 of every minute"],
  ["30 */5 8 * * *", "At second 30 of every 5 minutes, from 08:00 to 08:59"],
  ["*/10 1 * * * *", "Every 10 seconds, in minute 1 of every hour"],
  ["0,7 * * * * *", "At seconds 0 and 7 of every minute"],
  ["30 2 1 * *", "At 02:30, on day 1 of the month"],
  ["0 0 1-7,15,20 * *", "At 00:00, on days 1 to 7, 15 and 20 of the month"],
  ["0 9 1,15 * MON", "At 09:00, on days 1 and 15 of the month, or on Monday"],
  ["0 0 13 * +FRI", "At 00:00, on day 13 of the month if it is Friday"],
  ["0 0 L * *", "At 00:00, on the last day of the month"],
  [
    "0 0 L-1,LW,L-3W * *",
    "At 00:00, on the day before the last, the last weekday and " +
      "the weekday nearest the 3rd day before the last of the month",
  ],
  [
    "0 12 15W,1,22W * *",
    "At 12:00, on day 1, the weekday nearest the 15th and the weekday nearest the 22nd of the month",
  ],
  ["0 0 * * 5#2,1#5", "At 00:00, on the second Friday and the fifth Monday of the month"],
  ["0 0 * * FRIL", "At 00:00, on the last Friday of the month"],
  ["0 22 * * FRI-SUN", "At 22:00, on Friday to Sunday"],
  ["0 22 * * 0,3", "At 22:00, on Sunday and Wednesday"],
  ["0 0 1 1-3,6 *", "At 00:00, on day 1 of the month, in January to March and June"],
  ["0 0 30 2 *", "At 00:00, on day 30 of the month, in February; no such date exists, so it never runs"],
  ["@every 90m", "Every 1h30m"],
  ["@at 2026-03-29T02:30:00+02:00", "Once, at 2026-03-29T00:30:00Z"],
  ["@reboot", "Once after each boot of the machine"],
  ["@start", "At each start of the daemon"],
];

for (const [text, english] of TEXTS) test(`${text}: ${english}`, () => assert.equal(describeText(text), english));

test("every schedule has a description, a sentence without holes", () => {
  forEachSeed(500, (random) => {
    const english = describeText(randomSchedule(random, { seconds: random.next() < 0.3, days: true }).text);
    assert.match(english, /^(At|Every) [ -~]+$/);
    assert.doesNotMatch(english, /undefined|NaN| {2}| ,|,,|and and|, $|null/);
  });
});
