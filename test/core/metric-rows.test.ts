import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { histogramQuantile, toMetricRows } from "../../src/core/metric-rows.ts";
import { parseExposition } from "../../src/core/parse-exposition.ts";

describe("rows of metrics", () => {
  test("one for each series; buckets become quantiles", () => {
    const text = [
      "# TYPE c counter",
      'c{a="1"} 2',
      "c 3",
      "# TYPE h histogram",
      'h_bucket{a="1",le="1"} 5',
      'h_bucket{a="1",le="2"} 10',
      'h_bucket{a="1",le="+Inf"} 10',
      'h_sum{a="1"} 12',
      'h_count{a="1"} 10',
      "# TYPE s summary",
      's{quantile="0.5"} 4',
      's{quantile="0.99"} NaN',
      "s_sum 8",
      "s_count 2",
    ].join("\n");
    assert.deepEqual(toMetricRows(parseExposition(text)), [
      { name: "c", type: "counter", labels: { a: "1" }, value: 2 },
      { name: "c", type: "counter", labels: {}, value: 3 },
      {
        name: "h",
        type: "histogram",
        labels: { a: "1" },
        count: 10,
        sum: 12,
        quantiles: { "0.5": 1, "0.9": 1.8, "0.99": 1.98 },
      },
      { name: "s", type: "summary", labels: {}, count: 2, sum: 8, quantiles: { "0.5": 4 } },
    ]);
  });
});

describe("a quantile of a histogram, as histogram_quantile has it", () => {
  const buckets = (...pairs: [number, number][]) => pairs.map(([upperBound, count]) => ({ upperBound, count }));
  for (const [name, given, rank, expected] of [
    ["within the first bucket, from zero", buckets([10, 4], [Infinity, 4]), 0.5, 5],
    ["within a later bucket", buckets([1, 1], [3, 3], [Infinity, 3]), 0.5, 1.5],
    ["a first bucket that ends below zero", buckets([-1, 2], [Infinity, 2]), 0.5, -1],
    ["beyond the last finite bound", buckets([1, 1], [Infinity, 10]), 0.9, 1],
    ["without observations", buckets([1, 0], [Infinity, 0]), 0.9, undefined],
    ["without a finite bucket", buckets([Infinity, 3]), 0.9, undefined],
    ["without buckets", [], 0.9, undefined],
  ] as const) {
    test(name, () => assert.equal(histogramQuantile(given, rank), expected));
  }
});
