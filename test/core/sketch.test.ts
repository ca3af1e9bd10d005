import assert from "node:assert/strict";
import { test } from "node:test";
import { Sketch } from "../../src/core/sketch.ts";
import { forEachSeed, type Random } from "../support/random.ts";

const quantiles = [0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];

function sketchOf(values: Iterable<number>): Sketch {
  const sketch = new Sketch();
  for (const value of values) sketch.add(value);
  return sketch;
}

/** The value of rank ceil(q * n), by sorting; in whole thousandths, so that no product is rounded. */
function exactQuantile(values: readonly number[], q: number): number {
  const rank = Math.ceil((Math.round(q * 1000) * values.length) / 1000);
  return values.toSorted((a, b) => a - b)[Math.max(1, rank) - 1]!;
}

/** Within 1 %, and a hair for rounding; the smallest doubles are a step apart from anything. */
function assertClose(actual: number, expected: number, what: string): void {
  const allowed = Math.abs(expected) * (0.01 + 1e-9) + 5e-324;
  assert.ok(Math.abs(actual - expected) <= allowed, `${what}: ${actual} instead of ${expected}`);
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

const distributions: Readonly<Record<string, (random: Random) => number>> = {
  uniform: (random) => random.next(),
  "whole numbers": (random) => random.int(0, 20),
  normal: (random) => normal(random),
  "far from zero": (random) => 1e9 + normal(random),
  lognormal: (random) => Math.exp(2 * normal(random)),
  "heavy tail": (random) => (1 - random.next()) ** -2,
  negative: (random) => -Math.exp(normal(random)),
  "two humps": (random) => (random.next() < 0.9 ? 0.01 * random.next() : 100 + random.next()),
  "mostly zero": (random) => (random.next() < 0.8 ? 0 : normal(random)),
  "one value": () => 42.5,
  "powers of the growth": (random) => (1.01 / 0.99) ** random.int(-50, 50),
  huge: (random) => 1e300 * (1 + random.next() * 1e8),
  tiny: (random) => 1e-300 * random.next(),
  "smallest doubles": (random) => 5e-324 * random.int(-200, 200),
  "both ends of the doubles": (random) => random.pick([5e-324, -1e-300, 1, 1e300, -Number.MAX_VALUE, Number.MAX_VALUE]),
};

for (const [name, draw] of Object.entries(distributions)) {
  test(`${name}: each quantile is within 1 % of the one found by sorting`, () => {
    forEachSeed(12, (random) => {
      const values = Array.from({ length: random.pick([1, 2, 3, 10, 100, 1000]) }, () => draw(random));
      const sketch = sketchOf(values);
      assert.equal(sketch.count, values.length);
      for (const q of quantiles) assertClose(sketch.quantile(q), exactQuantile(values, q), `quantile ${q}`);
    });
  });

  test(`${name}: the merge of two parts is the sketch of the whole, and changes neither order nor source`, () => {
    forEachSeed(12, (random) => {
      const left = Array.from({ length: random.int(0, 300) }, () => draw(random));
      const right = Array.from({ length: random.int(0, 300) }, () => draw(random));
      const merged = sketchOf(left);
      const other = sketchOf(right);
      merged.merge(other);
      const whole = JSON.stringify(sketchOf([...left, ...right]));
      assert.equal(JSON.stringify(merged), whole);
      assert.equal(merged.count, left.length + right.length);
      assert.equal(JSON.stringify(other), JSON.stringify(sketchOf(right)));
      other.merge(sketchOf(left));
      assert.equal(JSON.stringify(other), whole);
    });
  });
}

const ranks: readonly (readonly [values: readonly number[], q: number, answer: number])[] = [
  [[1, 2], 0.5, 1],
  [[1, 2], 0.51, 2],
  [[1, 2, 3], 0.5, 2],
  [[1, 2, 3, 4], 0.5, 2],
  [[1, 2, 3, 4], 0.75, 3],
  [[1, 2, 3, 4], 0.76, 4],
  [Array.from({ length: 100 }, (_, index) => index + 1), 0.07, 7],
  [Array.from({ length: 100 }, (_, index) => index + 1), 0.99, 99],
  [Array.from({ length: 20 }, (_, index) => index + 1), 0.95, 19],
];

for (const [values, q, answer] of ranks) {
  test(`quantile ${q} of ${values.length} numbers is that of rank ${answer}`, () => {
    assertClose(sketchOf(values).quantile(q), answer, "by rank");
  });
}

test("the least and the greatest number are exact, and so is a lone one", () => {
  const sketch = sketchOf([0.1, 7, 123.456]);
  assert.equal(sketch.quantile(0), 0.1);
  assert.equal(sketch.quantile(1), 123.456);
  assert.equal(sketchOf([-3.3]).quantile(0.5), -3.3);
});

test("no numbers have no quantile", () => {
  assert.equal(new Sketch().quantile(0.5), NaN);
  const merged = new Sketch();
  merged.merge(new Sketch());
  assert.equal(merged.quantile(1), NaN);
  assert.equal(merged.count, 0);
});

for (const value of [NaN, Infinity, -Infinity]) {
  test(`${value} is refused and changes nothing`, () => {
    const sketch = sketchOf([1]);
    assert.throws(() => sketch.add(value), RangeError);
    assert.equal(JSON.stringify(sketch), JSON.stringify(sketchOf([1])));
  });
}

for (const q of [-0.1, 1.1, NaN]) {
  test(`quantile ${q} is refused`, () => {
    assert.throws(() => sketchOf([1]).quantile(q), RangeError);
  });
}

test("it comes back from JSON as it was, and goes on alike", () => {
  forEachSeed(30, (random) => {
    const draw = random.pick(Object.values(distributions));
    const sketch = sketchOf(Array.from({ length: random.int(0, 200) }, () => draw(random)));
    const restored = Sketch.fromJSON(JSON.parse(JSON.stringify(sketch)));
    for (const one of [sketch, restored]) one.add(17);
    assert.deepEqual(restored.toJSON(), sketch.toJSON());
    assert.equal(restored.count, sketch.count);
    for (const q of quantiles) assert.equal(restored.quantile(q), sketch.quantile(q));
  });
});

const notSketches = [
  null,
  {},
  "[]",
  [1],
  [1, 2],
  [2, 1, 0, 1],
  [1, 2, 3],
  [1, 2, 3, 0],
  [1, 2, 3, -1],
  [1, 2, 3.5, 1],
  [1, 2, 3, 1, 0, 1],
  [1, 2, 3, 1, -1, 1],
  [1, 2, "3", 1],
  [NaN, 2, 3, 1],
  [1, 2, 3, 2 ** 60],
  Array(5000).fill(1),
];

for (const json of notSketches) {
  test(`${JSON.stringify(json).slice(0, 30)} is not a sketch`, () => {
    assert.throws(() => Sketch.fromJSON(json), TypeError);
  });
}

function magnitudes(sign: 1 | -1, random: Random): number[] {
  return Array.from({ length: 8000 }, () => sign * Math.exp(random.next() * 1000 - 500));
}

for (const sign of [1, -1] as const) {
  test(`of ${sign > 0 ? "positive" : "negative"} numbers over 434 decades, the greater ones stay within 1 %`, () => {
    forEachSeed(2, (random) => {
      const values = magnitudes(sign, random);
      const sketch = sketchOf(values);
      assert.equal(sketch.binCount, 2048);
      assert.equal(sketch.count, values.length);
      for (const fraction of [0, 0.01, 0.05, 0.1]) {
        const q = sign > 0 ? 1 - fraction : fraction;
        assertClose(sketch.quantile(q), exactQuantile(values, q), `quantile ${q}`);
      }
    });
  });

  test(`of too many ${sign > 0 ? "positive" : "negative"} bins, the order of arrival does not matter`, () => {
    forEachSeed(1, (random) => {
      const values = magnitudes(sign, random);
      const whole = JSON.stringify(sketchOf(values));
      assert.equal(JSON.stringify(sketchOf(values.toReversed())), whole);
      const merged = sketchOf(values.slice(0, 4000));
      merged.merge(sketchOf(values.slice(4000)));
      assert.equal(JSON.stringify(merged), whole);
    });
  });
}

test("joined bins keep the order of the answers, on both sides of zero", () => {
  forEachSeed(2, (random) => {
    const values = [...magnitudes(1, random), ...magnitudes(-1, random), 0];
    const sketch = sketchOf(values);
    assert.equal(sketch.binCount, 2048);
    const answers = quantiles.map((q) => sketch.quantile(q));
    assert.deepEqual(
      answers,
      answers.toSorted((a, b) => a - b),
    );
    for (const q of [0.01, 0.99]) assertClose(sketch.quantile(q), exactQuantile(values, q), `quantile ${q}`);
  });
});

test("bins grow with the spread of the numbers, not with how many there are", () => {
  forEachSeed(2, (random) => {
    const sketch = sketchOf(Array.from({ length: 1000 }, () => 1 + 999 * random.next()));
    for (let more = 0; more < 50_000; more++) sketch.add(1 + 999 * random.next());
    assert.ok(sketch.binCount <= Math.ceil(Math.log(1000) / Math.log(1.01 / 0.99)) + 1, `${sketch.binCount} bins`);
  });
});
