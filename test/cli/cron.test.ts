import assert from "node:assert/strict";
import { test } from "node:test";
import { commandLine } from "../support/command-line.ts";
import { fakeClock } from "../support/fake-clock.ts";

const clock = fakeClock(Date.parse("2026-03-27T12:00:00Z"));

test("a schedule in English, its next runs, and what the next change of the clocks does", async (t) => {
  const { code, out, err } = await commandLine(t).call(
    ["cron", "explain", "30 2 * * *", "--tz", "Europe/Berlin", "--count", "3"],
    { clock },
  );
  assert.deepEqual([code, err], [0, ""]);
  assert.deepEqual(out.split("\n"), [
    "At 02:30 every day",
    "",
    "NEXT RUNS (Europe/Berlin)   UTC",
    "2026-03-28 02:30:00 +01:00  2026-03-28 01:30:00 UTC",
    "2026-03-29 03:00:00 +02:00  2026-03-29 01:00:00 UTC",
    "2026-03-30 02:30:00 +02:00  2026-03-30 00:30:00 UTC",
    "",
    "Next change of the clocks: 29 Mar 2026: runs 03:00 instead of 02:30",
    "",
  ]);
});

test("as JSON; with what may not be meant", async (t) => {
  const { out } = await commandLine(t).call(["cron", "explain", "0 0 */2 * 1", "--tz", "UTC", "--json"], { clock });
  const told = JSON.parse(out) as { text: string; runs: unknown[]; warnings: { code: string }[] };
  assert.deepEqual([told.runs.length, told.warnings.map(({ code }) => code)], [10, ["star-day"]]);
  assert.match(
    (await commandLine(t).call(["cron", "explain", "0 0 */2 * 1", "--tz", "UTC"], { clock })).out,
    /^note: both day fields must match/m,
  );
});

test("a schedule without quotation marks", async (t) => {
  const { code, err } = await commandLine(t).call(["cron", "explain", "0", "9", "notes.txt", "1-5"]);
  assert.equal(code, 2);
  assert.match(err, /^pi-daemon: a schedule is one word, and here are 4\n  put it in quotation marks: /);
});

test("a fault is shown where it is", async (t) => {
  const { code, err } = await commandLine(t).call(["cron", "explain", "0 25 * * *"]);
  assert.equal(code, 2);
  assert.equal(err, "pi-daemon: hour: 25 is out of range 0-23\n  0 25 * * *\n    ^^\n");
  assert.equal((await commandLine(t).call(["cron", "explain", "@daily", "--tz", "Mars"])).code, 2);
  assert.equal((await commandLine(t).call(["cron", "explain", "@daily", "--count", "x"])).code, 2);
});
