import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findLabelNameFault, findMetricNameFault, isReservedMetricName, namesTakenBy } from "../../src/core/names.ts";

describe("metric names", () => {
  for (const name of ["a", "_a", ":a", "pi_compaction_tokens_before", "job:rate5m", "A9"]) {
    test(`takes ${name}`, () => assert.equal(findMetricNameFault(name), undefined));
  }
  for (const name of ["", "9a", "a-b", "a b", "é", "a\n", "a.b"]) {
    test(`refuses ${JSON.stringify(name)}`, () => assert.match(findMetricNameFault(name)!, /Prometheus metric name/));
  }
});

describe("label keys", () => {
  for (const name of ["a", "_a", "constructor", "A_9", "job", "instance"]) {
    test(`takes ${name}`, () => assert.equal(findLabelNameFault(name), undefined));
  }
  const refused: readonly [string, RegExp][] = [
    ["9a", /not starting with a digit/],
    ["", /letters/],
    ["a:b", /letters/],
    ["__name__", /reserved by Prometheus/],
    ["__x", /reserved/],
    ["le", /histograms/],
    ["quantile", /summaries/],
    ["a\n", /letters/],
  ];
  for (const [name, message] of refused) {
    test(`refuses ${JSON.stringify(name)}`, () => assert.match(findLabelNameFault(name)!, message));
  }
});

test("the daemon keeps its own prefixes, and no more", () => {
  assert.equal(isReservedMetricName("pi_daemon_x"), true);
  assert.equal(isReservedMetricName("process_cpu_seconds_total"), true);
  assert.equal(isReservedMetricName("pi_compaction_total"), false);
});

test("a family takes every name that either format prints for it", () => {
  assert.deepEqual(namesTakenBy("x", "gauge"), ["x"]);
  assert.deepEqual(namesTakenBy("x", "counter"), ["x"]);
  assert.deepEqual(namesTakenBy("x_total", "counter"), ["x_total", "x", "x_created"]);
  assert.deepEqual(namesTakenBy("_total", "counter"), ["_total"]);
  assert.deepEqual(namesTakenBy("x", "summary"), ["x", "x_sum", "x_count", "x_created"]);
  assert.deepEqual(namesTakenBy("x", "histogram"), ["x", "x_bucket", "x_sum", "x_count", "x_created"]);
});
