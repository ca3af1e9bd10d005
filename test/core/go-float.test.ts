import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { formatGoFloat, formatOpenMetricsFloat } from "../../src/core/go-float.ts";
import { forEachSeed, type Random } from "../support/random.ts";

const rows: readonly (readonly [value: number, text: string, openMetrics: string])[] = [
  [0, "0", "0.0"],
  [-0, "0", "0.0"],
  [1, "1", "1.0"],
  [-1, "-1", "-1.0"],
  [0.0001, "0.0001", "0.0001"],
  [0.00009999, "9.999e-05", "9.999e-05"],
  [-0.00001, "-1e-05", "-1e-05"],
  [0.1 + 0.2, "0.30000000000000004", "0.30000000000000004"],
  [999_999, "999999", "999999.0"],
  [999_999.5, "999999.5", "999999.5"],
  [1e6, "1e+06", "1e+06"],
  [1_000_001, "1.000001e+06", "1.000001e+06"],
  [1_000_010, "1.00001e+06", "1.00001e+06"],
  [999_999_999, "9.99999999e+08", "9.99999999e+08"],
  [2 ** 31 - 1, "2.147483647e+09", "2.147483647e+09"],
  [2 ** 31 + 1, "2.147483649e+09", "2.147483649e+09"],
  [-1_234_567, "-1.234567e+06", "-1.234567e+06"],
  [1_763_806_800.123, "1.763806800123e+09", "1.763806800123e+09"],
  [2 ** 53, "9.007199254740992e+15", "9.007199254740992e+15"],
  [1e21, "1e+21", "1e+21"],
  [1e100, "1e+100", "1e+100"],
  [1e-300, "1e-300", "1e-300"],
  [5e-324, "5e-324", "5e-324"],
  [Number.MAX_VALUE, "1.7976931348623157e+308", "1.7976931348623157e+308"],
  [NaN, "NaN", "NaN"],
  [Infinity, "+Inf", "+Inf"],
  [-Infinity, "-Inf", "-Inf"],
];

for (const [value, text, openMetrics] of rows) {
  test(`${Object.is(value, -0) ? "-0" : value} prints as ${text} and ${openMetrics}`, () => {
    assert.equal(formatGoFloat(value), text);
    assert.equal(formatOpenMetricsFloat(value), openMetrics);
  });
}

/** Go's %g from digits and exponent alone, with no help from String(). */
function obviousGoFloat(value: number): string {
  const [digits = "", exponentText = ""] = Math.abs(value).toExponential().split("e");
  const exponent = Number(exponentText);
  const sign = value < 0 ? "-" : "";
  if (exponent < -4 || exponent >= 6) {
    return `${sign}${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  const plain = digits.replace(".", "");
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${plain}`;
  const whole = plain.padEnd(exponent + 1, "0");
  const fraction = whole.slice(exponent + 1);
  return sign + whole.slice(0, exponent + 1) + (fraction === "" ? "" : `.${fraction}`);
}

function anyDouble(random: Random): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, random.int(0, 2 ** 32 - 1));
  view.setUint32(4, random.int(0, 2 ** 32 - 1));
  const wild = view.getFloat64(0);
  const tame = random.int(-1e7, 1e7) / 10 ** random.int(0, 12);
  return random.pick([wild, tame, Math.round(tame), tame * 10 ** random.int(0, 20)]);
}

test("any double prints as the obvious port of %g prints it, and reads back as itself", () => {
  forEachSeed(20, (random) => {
    for (let round = 0; round < 1000; round++) {
      const value = anyDouble(random);
      if (!Number.isFinite(value)) continue;
      const text = formatGoFloat(value);
      assert.equal(text, obviousGoFloat(value));
      assert.equal(Number(text), value === 0 ? 0 : value);
      const openMetrics = formatOpenMetricsFloat(value);
      assert.equal(openMetrics, /[.e]/.test(text) ? text : `${text}.0`);
    }
  });
});

const floats = new URL("../../../shared/exposition/floats.json", import.meta.url);
const skip = existsSync(floats) ? false : "../shared/exposition/floats.json is not here";

test("the floats that Prometheus' encoder wrote", { skip }, () => {
  const vectors = JSON.parse(readFileSync(floats, "utf8")) as { bits: string; text: string; om: string }[];
  assert.ok(vectors.length > 2000);
  for (const { bits, text, om } of vectors) {
    const value = Buffer.from(bits, "hex").readDoubleBE();
    assert.deepEqual([formatGoFloat(value), formatOpenMetricsFloat(value)], [text, om], bits);
  }
});
