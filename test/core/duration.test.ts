import { test } from "node:test";
import assert from "node:assert/strict";
import { formatDuration, parseDuration } from "../../src/core/duration.ts";
import { forEachSeed } from "../support/random.ts";

for (const [text, ms] of [
  ["0s", 0],
  ["250ms", 250],
  ["5m", 300_000],
  ["1h30m", 5_400_000],
  ["2d", 172_800_000],
  ["1w", 604_800_000],
  ["1d2h3m4s5ms", 93_784_005],
  ["90m", 5_400_000],
  ["007s", 7000],
] as const) {
  test(`${text} is ${ms} ms`, () => assert.equal(parseDuration(text), ms));
}

for (const [text, message] of [
  ["", 'Cannot parse duration "": is empty; expected something like "5m" or "1h30m" (column 1)'],
  ["5", 'Cannot parse duration "5": the number 5 has no unit; expected one of w, d, h, m, s, ms (column 2)'],
  ["5 m", 'Cannot parse duration "5 m": the number 5 has no unit; expected one of w, d, h, m, s, ms (column 2)'],
  ["m5", 'Cannot parse duration "m5": expected a whole number, found "m" (column 1)'],
  ["-5m", 'Cannot parse duration "-5m": expected a whole number, found "-" (column 1)'],
  ["1h-5m", 'Cannot parse duration "1h-5m": expected a whole number, found "-" (column 3)'],
  ["1h5x", 'Cannot parse duration "1h5x": unknown unit "x"; expected one of w, d, h, m, s, ms (column 4)'],
  ["5M", 'Cannot parse duration "5M": unknown unit "M"; expected one of w, d, h, m, s, ms (column 2)'],
  ["1.5h", 'Cannot parse duration "1.5h": only whole numbers: "1h30m", not "1.5h" (column 2)'],
  ["5m1h", 'Cannot parse duration "5m1h": "h" may not come after "m": larger units come first (column 3)'],
  ["5m6m", 'Cannot parse duration "5m6m": the unit "m" stands twice (column 3)'],
  [
    "1\u001bh",
    'Cannot parse duration "1\\u001bh": the number 1 has no unit; expected one of w, d, h, m, s, ms (column 2)',
  ],
] as const) {
  test(`${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => parseDuration(text), { name: "SyntaxError", message });
  });
}

test("a duration beyond exact counting is a RangeError", () => {
  assert.throws(() => parseDuration("9007199254740992ms"), RangeError);
  assert.throws(() => parseDuration("9".repeat(400) + "d"), RangeError);
  assert.equal(parseDuration("9007199254740991ms"), Number.MAX_SAFE_INTEGER);
});

for (const [ms, text] of [
  [0, "0s"],
  [90_061_001, "1d1h1m1s1ms"],
  [1_209_600_000, "2w"],
  [777_600_000, "9d"],
] as const) {
  test(`${ms} ms is written ${text}`, () => assert.equal(formatDuration(ms), text));
}

test("only whole milliseconds can be written", () => {
  for (const ms of [-1, 0.5, NaN, Infinity]) assert.throws(() => formatDuration(ms), RangeError);
});

test("what is written reads back as the same number", () => {
  forEachSeed(300, (random) => {
    const ms = random.int(0, 10 ** random.int(1, 15));
    assert.equal(parseDuration(formatDuration(ms)), ms);
  });
});

test("any text gives a number or a SyntaxError or RangeError that says where", () => {
  forEachSeed(500, (random) => {
    const text = Array.from({ length: random.int(0, 8) }, () => random.pick([..."0159msdhw .-é"])).join("");
    try {
      assert.ok(Number.isSafeInteger(parseDuration(text)));
    } catch (error) {
      assert.match((error as Error).message, /^Cannot (parse|use) duration "/);
      assert.ok(error instanceof SyntaxError || error instanceof RangeError);
    }
  });
});
