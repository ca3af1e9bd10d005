import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sample } from "../../src/extension/sample.ts";
import { seriesKey } from "../../src/extension/sample.ts";
import { SampleBuffer } from "../../src/extension/sample-buffer.ts";
import { forEachSeed, type Random } from "../support/random.ts";

const counter = (name: string, increment: number, labels = {}): Sample => ({
  name,
  type: "counter",
  labels,
  increment,
});
const gauge = (fields: { set: number } | { delta: number }): Sample => ({
  name: "g",
  type: "gauge",
  labels: {},
  ...fields,
});
const observation = (observe: number): Sample => ({ name: "h", type: "histogram", labels: {}, observe });

const merges: readonly (readonly [what: string, given: readonly Sample[], taken: readonly Sample[]])[] = [
  ["adds counters", [counter("a", 1), counter("a", 2)], [counter("a", 3)]],
  ["keeps names apart", [counter("a", 1), counter("b", 2)], [counter("a", 1), counter("b", 2)]],
  [
    "keeps label sets apart",
    [counter("a", 1, { x: "1" }), counter("a", 2)],
    [counter("a", 1, { x: "1" }), counter("a", 2)],
  ],
  [
    "knows equal label sets",
    [counter("a", 1, { x: "1", y: "2" }), counter("a", 2, { y: "2", x: "1" })],
    [counter("a", 3, { y: "2", x: "1" })],
  ],
  ["takes the last value of a gauge", [gauge({ set: 1 }), gauge({ set: 5 })], [gauge({ set: 5 })]],
  ["adds what a gauge moved by", [gauge({ delta: 1 }), gauge({ delta: -3 })], [gauge({ delta: -2 })]],
  ["moves a gauge that was set", [gauge({ set: 4 }), gauge({ delta: -3 })], [gauge({ set: 1 })]],
  ["forgets the moves of a gauge that is set", [gauge({ delta: 4 }), gauge({ set: 3 })], [gauge({ set: 3 })]],
  ["keeps observations", [observation(1), observation(1)], [observation(1), observation(1)]],
  ["sends observations last", [observation(1), counter("a", 1)], [counter("a", 1), observation(1)]],
];
for (const [what, given, taken] of merges) {
  test(what, () => {
    const buffer = new SampleBuffer(100);
    for (const sample of given) buffer.add(sample);
    assert.equal(buffer.size, taken.length);
    assert.deepEqual(buffer.take(100), taken);
    assert.equal(buffer.size, 0);
  });
}

test("takes no more than was asked for, and the rest later", () => {
  const buffer = new SampleBuffer(100);
  for (let index = 0; index < 3; index++) buffer.add(counter(`c${index}`, 1));
  for (let index = 0; index < 3; index++) buffer.add(observation(index));
  assert.deepEqual(
    buffer.take(2).map(({ name }) => name),
    ["c0", "c1"],
  );
  assert.deepEqual(
    buffer.take(2).map(({ name, observe }) => observe ?? name),
    ["c2", 0],
  );
  assert.deepEqual(
    buffer.take(10).map(({ observe }) => observe),
    [1, 2],
  );
});

test("full: refuses observations and new series, counts them, and goes on counting what it has", () => {
  const buffer = new SampleBuffer(2);
  buffer.add(counter("a", 1));
  buffer.add(counter("b", 1));
  buffer.add(counter("c", 1));
  buffer.add(observation(1));
  buffer.add(counter("a", 1));
  assert.deepEqual(buffer.dropped, { full: 2, rejected: 0, unknown: 0 });
  const [told, ...rest] = buffer.take(10);
  assert.deepEqual(told, counter("pi_extension_dropped_total", 2, { reason: "full" }));
  assert.deepEqual(rest, [counter("a", 2), counter("b", 1)]);
  assert.deepEqual(buffer.take(10), [], "what was dropped is told once");
});

test("full: the oldest observation makes room for a new series", () => {
  const buffer = new SampleBuffer(2);
  buffer.add(observation(1));
  buffer.add(observation(2));
  buffer.add(counter("a", 1));
  assert.equal(buffer.dropped.full, 1);
  assert.deepEqual(buffer.take(10).slice(1), [counter("a", 1), observation(2)]);
});

test("an outage of an hour: 40 000 events in few series lose nothing", () => {
  const buffer = new SampleBuffer(10_000);
  for (let event = 0; event < 40_000; event++) buffer.add(counter("pi_tokens_total", 7, { model: `m${event % 50}` }));
  assert.equal(buffer.size, 50);
  assert.equal(
    buffer.take(1000).reduce((sum, { increment }) => sum + increment!, 0),
    280_000,
  );
  assert.equal(buffer.dropped.full, 0);
});

test("whatever comes, in whatever pieces it leaves: sums as of a plain list, the bound kept, losses counted", () => {
  forEachSeed(200, (random) => {
    const limit = random.int(1, 12);
    const buffer = new SampleBuffer(limit);
    let events = 0;
    const kept: Sample[] = [];
    for (let step = 0; step < 60; step++) {
      if (random.int(0, 9) === 0) kept.push(...buffer.take(random.int(1, 5)));
      else {
        buffer.add(randomSample(random));
        events++;
      }
      assert.ok(buffer.size <= limit + 1, "the count of losses may come on top");
    }
    kept.push(...buffer.take(Infinity));
    const counts = kept.filter(({ name }) => name === "pi_extension_dropped_total");
    const told = counts.reduce((sum, { increment }) => sum + increment!, 0);
    assert.equal(told, buffer.dropped.full);
    const arrived = kept.reduce(
      (sum, { name, increment, observe }) => sum + (name === "c" ? increment! : observe ? 1 : 0),
      0,
    );
    assert.equal(
      arrived + told,
      events,
      "each event adds one to a counter or is an observation, and is kept or dropped",
    );
  });
});

function randomSample(random: Random): Sample {
  return random.int(0, 1) === 0 ? counter("c", 1, { series: String(random.int(1, 15)) }) : observation(1);
}

test("the key of a series does not confuse labels", () => {
  const labelSets = [{ x: '1","y' }, { x: "1", y: "" }, { x: "1" }, {}];
  const keys = [...labelSets.map((labels) => counter("a", 1, labels)), counter("a\0x", 1)].map(seriesKey);
  assert.equal(new Set(keys).size, 5);
});
