import assert from "node:assert/strict";
import { test } from "node:test";
import { dateOfDay, dayOf, daysBeforeMonth, daysInMonth, firstDayOfYear } from "../../../src/core/cron/calendar.ts";
import { leapDaysIn, monthOf, weekdayOf, yearOf } from "../../../src/core/cron/calendar.ts";

const DAY_MS = 86_400_000;

test("every day of 800 years is what Date says", () => {
  for (let day = Date.UTC(1600, 0, 1) / DAY_MS; day < Date.UTC(2401, 0, 1) / DAY_MS; day++) {
    const date = new Date(day * DAY_MS);
    const packed = dateOfDay(day);
    const isSame =
      yearOf(packed) === date.getUTCFullYear() &&
      monthOf(packed) === date.getUTCMonth() + 1 &&
      dayOf(packed) === date.getUTCDate() &&
      weekdayOf(day) === date.getUTCDay();
    if (!isSame) assert.fail(`${date.toISOString()} came out as ${yearOf(packed)}-${monthOf(packed)}-${dayOf(packed)}`);
  }
});

test("months and years are as long as Date says", () => {
  for (let year = 1600; year <= 2401; year++) {
    assert.equal(firstDayOfYear(year), Date.UTC(year, 0, 1) / DAY_MS);
    for (let month = 1; month <= 12; month++) {
      assert.equal(daysInMonth(month, leapDaysIn(year)), new Date(Date.UTC(year, month, 0)).getUTCDate());
      const days = (Date.UTC(year, month - 1, 1) - Date.UTC(year, 0, 1)) / DAY_MS;
      assert.equal(daysBeforeMonth(month, leapDaysIn(year)), days);
    }
  }
});

test("years far from ours", () => {
  for (const text of ["-200000-03-01", "+200000-02-29", "-000001-12-31", "0000-02-29"]) {
    const packed = dateOfDay(Date.parse(text.length < 12 ? `${text}T00:00Z` : `${text}T00:00:00Z`) / DAY_MS);
    const [, year, month, day] = /^(.*)-(\d\d)-(\d\d)$/.exec(text)!;
    assert.deepEqual([yearOf(packed), monthOf(packed), dayOf(packed)], [Number(year), Number(month), Number(day)]);
  }
});
