import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createPainter, plural, readableBytes, readableDuration, readableNumber } from "../../src/cli/style.ts";

describe("sizes, times and numbers for a person", () => {
  for (const [bytes, text] of [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [104_857_600, "100 MiB"],
    [1.5 * 2 ** 40, "1.5 TiB"],
  ] as const) {
    test(`${bytes} bytes`, () => assert.equal(readableBytes(bytes), text));
  }
  for (const [ms, text] of [
    [0, "0 ms"],
    [850.4, "850 ms"],
    [1000, "1s"],
    [61_000, "1m 1s"],
    [3_600_000, "1h"],
    [93_784_000, "1d 2h"],
  ] as const) {
    test(`${ms} ms`, () => assert.equal(readableDuration(ms), text));
  }
  for (const [value, text] of [
    [1234567, "1234567"],
    [0.1 + 0.2, "0.3"],
    [1e-9, "1e-9"],
    [2 / 3, "0.666667"],
    [NaN, "NaN"],
    [-Infinity, "-Inf"],
  ] as const) {
    test(`${value}`, () => assert.equal(readableNumber(value), text));
  }
  test("one and many", () => {
    assert.deepEqual(
      [1, 0, 2].map((count) => plural(count, "line")),
      ["1 line", "0 lines", "2 lines"],
    );
  });
});

test("paint only where colours are wanted", () => {
  assert.equal(createPainter(false)("red", "x"), "x");
  assert.equal(createPainter(true)("red", "x"), "\u001b[31mx\u001b[39m");
});
