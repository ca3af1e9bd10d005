import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Issue } from "../../../src/core/validate.ts";
import { Registry } from "../../../src/core/registry.ts";
import type { Sample } from "../../../src/core/series.ts";
import { readSample, type Recognise } from "../../../src/plugins/metrics/sample.ts";
import { count, sampleOf } from "../../support/samples.ts";

function read(json: string): { sample: ReturnType<typeof readSample>; issues: Issue[] } {
  const issues: Issue[] = [];
  return { sample: readSample(JSON.parse(json), issues, () => undefined), issues };
}

describe("what is taken", () => {
  const cases: readonly [string, string, object][] = [
    ["a counter counts one by default", '{"name":"a","type":"counter"}', { operation: "add", value: 1, labels: [] }],
    ["a counter with an increment", '{"name":"a","type":"counter","increment":2.5}', { operation: "add", value: 2.5 }],
    ["a counter may count nothing", '{"name":"a","type":"counter","increment":0}', { operation: "add", value: 0 }],
    ["a gauge set", '{"name":"a","type":"gauge","set":-1}', { operation: "set", value: -1 }],
    ["a gauge set to zero", '{"name":"a","type":"gauge","set":0}', { operation: "set", value: 0 }],
    ["a gauge moved", '{"name":"a","type":"gauge","delta":-3}', { operation: "add", value: -3 }],
    [
      "a histogram",
      '{"name":"a","type":"histogram","observe":0.2,"buckets":[0.1,1]}',
      { operation: "observe", value: 0.2, buckets: [0.1, 1] },
    ],
    ["a summary", '{"name":"a","type":"summary","observe":-0.2}', { operation: "observe", value: -0.2 }],
    [
      "labels in their order, empty ones dropped",
      '{"name":"a","type":"counter","labels":{"z":"1","e":"","a":"\\n\\"💩"}}',
      { labels: ["z", "1", "a", '\n"💩'] },
    ],
    [
      "constructor as a label",
      '{"name":"a","type":"counter","labels":{"constructor":"x"}}',
      { labels: ["constructor", "x"] },
    ],
    [
      "time, help and unit",
      '{"name":"a","type":"counter","timestamp":0,"help":"h","unit":"s"}',
      { timestampMs: 0, help: "h", unit: "s" },
    ],
    [
      "an exemplar",
      '{"name":"a","type":"counter","exemplar":{"labels":{"t":"1"},"value":2}}',
      { exemplar: { labels: ["t", "1"], value: 2 } },
    ],
  ];
  for (const [title, json, expected] of cases) {
    test(title, () => {
      const { sample, issues } = read(json);
      assert.deepEqual(issues, []);
      assert.partialDeepStrictEqual(sample as object, expected);
    });
  }
});

describe("what is refused, and what is said", () => {
  const cases: readonly [string, string, RegExp][] = [
    ["null", "", /expected an object/],
    ["[]", "", /expected an object/],
    ['{"type":"counter"}', "name", /expected the metric's name/],
    ['{"name":"9a","type":"counter"}', "name", /Prometheus metric name/],
    ['{"name":5,"type":"counter"}', "name", /not 5/],
    ['{"name":"a"}', "type", /expected "counter", "gauge", "histogram" or "summary"/],
    ['{"name":"a","type":"Counter"}', "type", /not "Counter"/],
    ['{"name":"a","type":"constructor"}', "type", /not "constructor"/],
    ['{"name":"a","type":"counter","set":1}', "set", /this type takes increment, not set/],
    ['{"name":"a","type":"counter","increment":-1}', "increment", />= 0, not -1/],
    ['{"name":"a","type":"counter","increment":"1"}', "increment", /finite number, not "1"/],
    ['{"name":"a","type":"counter","increment":null}', "increment", /not null/],
    ['{"name":"a","type":"counter","increment":1e999}', "increment", /not Infinity/],
    ['{"name":"a","type":"gauge"}', "set", /missing: a gauge takes set or delta/],
    ['{"name":"a","type":"gauge","set":1,"delta":1}', "delta", /either set or delta, not both/],
    ['{"name":"a","type":"histogram"}', "observe", /missing: a histogram takes observe/],
    ['{"name":"a","type":"summary","observe":true}', "observe", /not true/],
    ['{"name":"a","type":"counter","incremnt":2}', "incremnt", /unknown field; did you mean "increment"/],
    ['{"name":"a","type":"counter","__proto__":2}', "__proto__", /unknown field/],
    ['{"name":"a","type":"counter","labels":[]}', "labels", /not an array/],
    ['{"name":"a","type":"counter","labels":{"le":"1"}}', "labels.le", /reserved for histograms/],
    ['{"name":"a","type":"counter","labels":{"__proto__":"1"}}', "labels.__proto__", /reserved by Prometheus/],
    ['{"name":"a","type":"counter","labels":{"1a":"1"}}', "labels.1a", /digit/],
    ['{"name":"a","type":"counter","labels":{"a":1}}', "labels.a", /expected a string, not 1/],
    ['{"name":"a","type":"counter","labels":{"a":"\\ud800"}}', "labels.a", /lone surrogates/],
    ['{"name":"a","type":"counter","timestamp":-1}', "timestamp", />= 0, not -1/],
    ['{"name":"a","type":"counter","help":1}', "help", /expected a string/],
    ['{"name":"a","type":"counter","unit":"m/s"}', "unit", /such as "seconds"/],
    ['{"name":"a","type":"counter","buckets":[1]}', "buckets", /only a histogram/],
    ['{"name":"a","type":"histogram","observe":1,"buckets":[2,1]}', "buckets", /rising order/],
    ['{"name":"a","type":"histogram","observe":1,"buckets":[]}', "buckets", /1 to 64/],
    ['{"name":"a","type":"gauge","set":1,"exemplar":{"value":1}}', "exemplar", /only counters and histograms/],
    ['{"name":"a","type":"counter","exemplar":{}}', "exemplar.value", /finite number/],
    [
      `{"name":"a","type":"counter","exemplar":{"value":1,"labels":{"t":"${"x".repeat(128)}"}}}`,
      "exemplar.labels",
      /128 characters/,
    ],
  ];
  for (const [json, path, message] of cases) {
    test(`${json.slice(0, 90)} at ${path || "the top"}`, () => {
      const { sample, issues } = read(json);
      assert.equal(sample, undefined);
      const issue = issues.find((candidate) => candidate.path === path);
      assert.ok(issue, `no issue at ${path}: ${JSON.stringify(issues)}`);
      assert.match(issue.message, message);
    });
  }

  test("all faults are told at once", () => {
    assert.deepEqual(
      read('{"name":"-","type":"gauge","increment":1,"labels":{"a":1}}').issues.map(({ path }) => path),
      ["name", "labels.a", "increment"],
    );
  });
});

describe("a metric whose series is known", () => {
  const registry = new Registry();
  count(registry, sampleOf({ name: "a_total", labels: { x: "1", y: "2" } }));
  const recognise: Recognise = (name, type, labels) => registry.recognise(name, type, labels);
  const readKnown = (json: string): Sample | undefined => readSample(JSON.parse(json), [], recognise);

  test("is recognised by its name, type and labels in their order", () => {
    assert.ok(readKnown('{"name":"a_total","type":"counter","labels":{"x":"1","y":"2"}}')!.series);
  });

  for (const [title, json] of [
    ["labels in another order", '{"name":"a_total","type":"counter","labels":{"y":"2","x":"1"}}'],
    ["fewer labels", '{"name":"a_total","type":"counter","labels":{"x":"1"}}'],
    ["one label more", '{"name":"a_total","type":"counter","labels":{"x":"1","y":"2","z":"3"}}'],
    ["an empty label more", '{"name":"a_total","type":"counter","labels":{"x":"1","y":"2","z":""}}'],
    ["another type", '{"name":"a_total","type":"gauge","set":1,"labels":{"x":"1","y":"2"}}'],
    ["another name", '{"name":"b_total","type":"counter","labels":{"x":"1","y":"2"}}'],
  ] as const) {
    test(`is not taken for one with ${title}`, () => {
      const sample = readKnown(json);
      assert.ok(sample);
      assert.equal(sample.series, undefined);
    });
  }

  test("is still checked in all that is not its name or labels", () => {
    const labels = '"labels":{"x":"1","y":"2"}';
    for (const rest of ['"increment":-1', '"set":1', '"extra":1', '"timestamp":"now"']) {
      assert.equal(readKnown(`{"name":"a_total","type":"counter",${labels},${rest}}`), undefined, rest);
    }
  });

  test("the daemon's own series are never recognised", () => {
    registry.ownValue("pi_daemon_x", "counter", "x")(["x", "1"]).add(1);
    assert.equal(readKnown('{"name":"pi_daemon_x","type":"counter","labels":{"x":"1"}}')!.series, undefined);
  });
});
