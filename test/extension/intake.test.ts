import assert from "node:assert/strict";
import { test } from "node:test";
import { readMetric } from "../../src/extension/intake.ts";

const accepted: readonly (readonly [given: unknown, read: unknown])[] = [
  [
    { name: "a", type: "counter" },
    { name: "a", type: "counter", labels: {}, increment: 1 },
  ],
  [
    { name: "a:b_1", type: "counter", increment: 0 },
    { name: "a:b_1", type: "counter", labels: {}, increment: 0 },
  ],
  [
    { name: "a", type: "gauge", set: -1.5, labels: { k: "v" } },
    { name: "a", type: "gauge", labels: { k: "v" }, set: -1.5 },
  ],
  [
    { name: "a", type: "gauge", delta: -2 },
    { name: "a", type: "gauge", labels: {}, delta: -2 },
  ],
  [
    { name: "a", type: "summary", observe: 2 },
    { name: "a", type: "summary", labels: {}, observe: 2 },
  ],
  [
    { name: "a_s", type: "histogram", observe: 2, buckets: [1, 2], help: "H", unit: "s" },
    { name: "a_s", type: "histogram", labels: {}, observe: 2, buckets: [1, 2], help: "H", unit: "s" },
  ],
];
for (const [given, read] of accepted) {
  test(`takes ${JSON.stringify(given)}`, () => assert.deepEqual(readMetric(given), read));
}

const base = { name: "a", type: "counter", increment: 1 };
const refused: readonly (readonly [given: unknown, reason: RegExp])[] = [
  [undefined, /an object/],
  [null, /an object/],
  ["a", /an object/],
  [[base], /an object/],
  [{}, /name/],
  [{ ...base, name: 1 }, /name/],
  [{ ...base, name: "1a" }, /name/],
  [{ ...base, name: "a-b" }, /name/],
  [{ ...base, name: "ä" }, /name/],
  [{ ...base, name: "a".repeat(201) }, /name/],
  [{ ...base, name: "pi_daemon_x" }, /belongs/],
  [{ ...base, name: "process_x" }, /belongs/],
  [{ ...base, name: "pi_cost_usd_total" }, /belongs/],
  [{ ...base, type: "toString" }, /type/],
  [{ ...base, type: undefined }, /type/],
  [{ ...base, labels: [] }, /labels/],
  [{ ...base, labels: null }, /labels/],
  [{ ...base, labels: { "1a": "x" } }, /labels\.1a/],
  [{ ...base, labels: { __name__: "x" } }, /labels/],
  [{ ...base, labels: { le: "x" } }, /labels/],
  [{ ...base, labels: { quantile: "x" } }, /labels/],
  [{ ...base, labels: { a: 1 } }, /labels/],
  [{ ...base, labels: { a: "x".repeat(201) } }, /labels/],
  [{ ...base, labels: { a: "\ud800" } }, /labels/],
  [{ ...base, labels: Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`l${index}`, "x"])) }, /at most 10/],
  [{ ...base, increment: -1 }, /0 or more/],
  [{ ...base, increment: NaN }, /finite/],
  [{ ...base, increment: Infinity }, /finite/],
  [{ ...base, increment: "1" }, /finite/],
  [{ ...base, increment: null }, /finite/],
  [{ ...base, set: 1 }, /takes increment/],
  [{ name: "a", type: "gauge" }, /takes set or delta/],
  [{ name: "a", type: "gauge", set: 1, delta: 1 }, /takes set or delta/],
  [{ name: "a", type: "histogram", increment: 1 }, /takes observe/],
  [{ name: "a", type: "histogram", observe: 1, buckets: [] }, /buckets/],
  [{ name: "a", type: "histogram", observe: 1, buckets: [2, 1] }, /buckets/],
  [{ name: "a", type: "histogram", observe: 1, buckets: [1, "2"] }, /buckets/],
  [{ name: "a", type: "summary", observe: 1, buckets: [1] }, /buckets/],
  [{ ...base, help: 1 }, /help/],
  [{ ...base, help: "x".repeat(501) }, /help/],
  [{ ...base, unit: "a b" }, /unit/],
  [{ ...base, timestamp: 1 }, /timestamp is no field/],
];
for (const [given, reason] of refused) {
  test(`refuses ${JSON.stringify(given)?.slice(0, 100)} (${reason.source})`, () => {
    const read = readMetric(given);
    assert.equal(typeof read, "string");
    assert.match(read as string, reason);
  });
}

test("keeps nothing of what was given: it may change later", () => {
  const labels = { k: "v" };
  const buckets = [1, 2];
  const read = readMetric({ name: "a", type: "histogram", observe: 1, labels, buckets });
  labels.k = "changed";
  buckets.push(1);
  assert.deepEqual(read, { name: "a", type: "histogram", labels: { k: "v" }, observe: 1, buckets: [1, 2] });
});
