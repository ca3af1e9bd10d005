/** What is due, against an obvious count of every slot. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findTimeZone, matches, parseSchedule, type Schedule } from "../../../src/core/cron.ts";
import {
  countSlots,
  type Due,
  type DueQuestion,
  findDue,
  latestSlot,
  ON_TIME_MS,
} from "../../../src/plugins/jobs/slots.ts";
import { forEachSeed } from "../../support/random.ts";

const zone = findTimeZone("America/New_York")!;
const START = Date.parse("2026-11-01T04:00:00Z");

function scheduleOf(text: string): Schedule {
  const parsed = parseSchedule(text, { anchorMs: START - 12_345 });
  assert.ok(parsed.ok);
  return parsed.schedule;
}

/** Every slot in `(fromMs, toMs]`, second by second; milliseconds for `@every`. */
function listSlots(schedule: Schedule, fromMs: number, toMs: number): number[] {
  const slots: number[] = [];
  if (schedule.kind === "every") {
    for (let at = schedule.anchorMs + schedule.periodMs; at <= toMs; at += schedule.periodMs)
      if (at > fromMs) slots.push(at);
    return slots;
  }
  for (let at = (Math.floor(fromMs / 1000) + 1) * 1000; at <= toMs; at += 1000)
    if (matches(schedule, zone, at)) slots.push(at);
  return slots;
}

/** The rule again, told slot by slot. */
function expectDue({ schedule, decidedMs, nowMs, rule, hasRun }: DueQuestion): Due | undefined {
  const slots = listSlots(schedule, decidedMs, nowMs);
  if (slots.length === 0) return undefined;
  const most = rule.catchUp === "all" ? rule.catchUpMax : 1;
  const isRun = (slot: number, index: number): boolean => {
    if (index === slots.length - 1 && nowMs - slot <= ON_TIME_MS) return true;
    return index >= slots.length - most && rule.catchUp !== "none" && hasRun && nowMs - slot <= rule.catchUpWindowMs;
  };
  const runs = slots.filter(isRun);
  const missed = slots.filter((slot, index) => !isRun(slot, index));
  return {
    runs: runs.map((slotMs) => ({ slotMs, isLate: nowMs - slotMs > ON_TIME_MS })),
    missed:
      missed.length === 0
        ? undefined
        : { firstSlotMs: missed[0]!, lastSlotMs: missed.at(-1)!, count: missed.length, isAtLeast: false },
  };
}

test("what is due is what counting every slot says, also where the clocks change", () => {
  const texts = [
    "*/5 * * * *",
    "30 1 * * *",
    "*/20 * * * * *",
    "@every 7m",
    "@every 90s",
    "0 0 * * *",
    "15,45 1,2 * * *",
  ];
  forEachSeed(150, (random) => {
    const decidedMs = START + random.int(0, 3 * 3_600_000);
    const question: DueQuestion = {
      schedule: scheduleOf(random.pick(texts)),
      zone,
      decidedMs,
      nowMs: decidedMs + random.pick([0, 1, random.int(0, 20_000), random.int(0, 7_200_000)]),
      rule: {
        catchUp: random.pick(["last", "none", "all"]),
        catchUpMax: random.int(1, 4),
        catchUpWindowMs: random.pick([0, 30_000, 600_000, 86_400_000]),
      },
      hasRun: random.next() < 0.8,
    };
    assert.deepEqual(findDue(question), expectDue(question));
  });
});

describe("one instant", () => {
  const rule = { catchUp: "last", catchUpMax: 10, catchUpWindowMs: 3_600_000 } as const;
  const schedule: Schedule = { kind: "at", atMs: START };
  const ask = (nowMs: number) => findDue({ schedule, zone, decidedMs: -8.64e15, nowMs, rule, hasRun: false });

  test("before, at, within the window, beyond it", () => {
    const missed = { firstSlotMs: START, lastSlotMs: START, count: 1, isAtLeast: false };
    assert.equal(ask(START - 1), undefined);
    assert.deepEqual(ask(START), { runs: [{ slotMs: START, isLate: false }], missed: undefined });
    assert.deepEqual(ask(START + 3_600_000), { runs: [{ slotMs: START, isLate: true }], missed: undefined });
    assert.deepEqual(ask(START + 3_600_001), { runs: [], missed });
  });
});

test("the clock before the last slot: nothing is due", () => {
  const schedule = scheduleOf("* * * * *");
  assert.equal(latestSlot({ schedule, zone, decidedMs: START, nowMs: START - 86_400_000 }), undefined);
  assert.equal(countSlots({ schedule, zone, decidedMs: START }, START), undefined);
});

test("a count is cut at ten thousand and says so", () => {
  const range = countSlots({ schedule: scheduleOf("* * * * * *"), zone, decidedMs: START }, START + 86_400_000)!;
  assert.deepEqual([range.count, range.isAtLeast, range.lastSlotMs - START], [10_000, true, 86_400_000]);
  const exact = countSlots({ schedule: scheduleOf("* * * * * *"), zone, decidedMs: START }, START + 10_000_000)!;
  assert.deepEqual([exact.count, exact.isAtLeast], [10_000, false]);
});
