import assert from "node:assert/strict";
import { test } from "node:test";
import { SlidingSummary } from "../../src/core/sliding-summary.ts";
import { forEachSeed } from "../support/random.ts";

const minuteMs = 60_000;
const quantiles = [0.5, 0.9, 0.95, 0.99];

function median(summary: SlidingSummary, nowMs: number): number {
  return summary.quantiles([0.5], nowMs)[0]!;
}

test("without observations quantiles are NaN, sum and count 0", () => {
  const summary = new SlidingSummary();
  assert.deepEqual(summary.quantiles(quantiles, 0), [NaN, NaN, NaN, NaN]);
  assert.deepEqual([summary.sum, summary.count], [0, 0]);
});

test("sum and count stay when the window has passed", () => {
  const summary = new SlidingSummary();
  summary.observe(2, 0);
  summary.observe(4, 1);
  assert.equal(median(summary, 599_999), 2);
  assert.equal(median(summary, 600_000), NaN);
  assert.deepEqual([summary.sum, summary.count], [6, 2]);
});

test("an observation counts for 9 to 10 minutes", () => {
  for (const lateMs of [0, 1, 30_000, 59_999]) {
    const summary = new SlidingSummary();
    summary.observe(1, 0);
    summary.observe(1, lateMs);
    assert.equal(median(summary, 10 * minuteMs - 1), 1);
    assert.equal(median(summary, 10 * minuteMs), NaN);
  }
});

test("a new slice begins a minute after the last one did, or later", () => {
  const summary = new SlidingSummary();
  summary.observe(1, 0);
  summary.observe(2, minuteMs);
  assert.equal(summary.save(minuteMs).slices.length, 2);
  assert.equal(median(summary, 10 * minuteMs), 2);
  assert.equal(median(summary, 11 * minuteMs), NaN);
});

test("the remembered answer goes with an observation, with other quantiles and with time", () => {
  const summary = new SlidingSummary();
  for (const [value, nowMs] of [
    [1, 0],
    [3, 5 * minuteMs],
  ] as const)
    summary.observe(value, nowMs);
  const asked = [0, 1];
  const answer = summary.quantiles(asked, 6 * minuteMs);
  assert.deepEqual(answer, [1, 3]);
  assert.equal(summary.quantiles(asked, 7 * minuteMs), answer);
  assert.deepEqual(summary.quantiles([1], 7 * minuteMs), [3]);
  assert.deepEqual(summary.quantiles(asked, 10 * minuteMs), [3, 3]);
  summary.observe(5, 10 * minuteMs);
  assert.deepEqual(summary.quantiles(asked, 10 * minuteMs), [3, 5]);
});

test("a window of its own", () => {
  const summary = new SlidingSummary({ windowMs: 100, slices: 2 });
  summary.observe(1, 0);
  summary.observe(9, 50);
  assert.deepEqual(summary.quantiles([0, 1], 99), [1, 9]);
  assert.deepEqual(summary.quantiles([0, 1], 100), [9, 9]);
});

test("what is not finite is refused and changes nothing", () => {
  const summary = new SlidingSummary();
  assert.throws(() => summary.observe(NaN, 0), RangeError);
  assert.throws(() => summary.observe(Infinity, 0), RangeError);
  assert.deepEqual(summary.save(0), { sum: 0, count: 0, isSigned: false, slices: [] });
});

test("the sum stays finite", () => {
  const summary = new SlidingSummary();
  for (let round = 0; round < 3; round++) summary.observe(Number.MAX_VALUE, 0);
  assert.equal(summary.sum, Number.MAX_VALUE);
  summary.observe(-Number.MAX_VALUE, 0);
  assert.equal(summary.sum, 0);
});

test("one negative observation marks it for good", () => {
  const summary = new SlidingSummary();
  summary.observe(0, 0);
  assert.equal(summary.isSigned, false);
  summary.observe(-1, 0);
  summary.observe(5, 0);
  assert.equal(summary.isSigned, true);
  assert.equal(SlidingSummary.restore(summary.save(20 * minuteMs), 0).isSigned, true);
});

test("it comes back with the age of its slices, on a clock that began anew", () => {
  const summary = new SlidingSummary();
  summary.observe(1, 100 * minuteMs);
  summary.observe(3, 102 * minuteMs);
  const json = JSON.parse(JSON.stringify(summary.save(105 * minuteMs)));
  const restored = SlidingSummary.restore(json, 7);
  assert.deepEqual([restored.sum, restored.count], [4, 2]);
  assert.deepEqual(restored.quantiles([0, 1], 7), [1, 3]);
  assert.deepEqual(restored.quantiles([0, 1], 7 + 5 * minuteMs), [3, 3]);
  assert.deepEqual(restored.quantiles([0, 1], 7 + 7 * minuteMs), [NaN, NaN]);
  assert.throws(() => SlidingSummary.restore({ ...json, slices: [[0, [1]]] }, 0), TypeError);
});

test("at any time, the answer is that of the observations which a plain list of slices holds", () => {
  forEachSeed(20, (random) => {
    const summary = new SlidingSummary();
    let slices: { startMs: number; values: number[] }[] = [];
    let nowMs = 0;
    for (let step = 0; step < 400; step++) {
      nowMs += random.pick([0, 10, 5_000, 70_000, random.int(0, 200_000)]);
      const value = random.pick([random.next(), -random.next(), 100 * random.next()]);
      slices = slices.filter(({ startMs }) => nowMs - startMs < 10 * minuteMs);
      if (random.next() < 0.7) {
        if (nowMs - (slices.at(-1)?.startMs ?? -Infinity) >= minuteMs) slices.push({ startMs: nowMs, values: [] });
        slices.at(-1)!.values.push(value);
        summary.observe(value, nowMs);
      }
      assert.ok(slices.length <= 10);
      const sorted = slices.flatMap(({ values }) => values).sort((a, b) => a - b);
      for (const [index, answer] of summary.quantiles(quantiles, nowMs).entries()) {
        const exact = sorted[Math.max(0, Math.ceil((Math.round(quantiles[index]! * 100) * sorted.length) / 100) - 1)];
        if (exact === undefined) assert.equal(answer, NaN);
        else assert.ok(Math.abs(answer - exact) <= Math.abs(exact) * 0.0101, `${answer} instead of ${exact}`);
      }
    }
  });
});
