import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Limits, Refusal } from "../../src/core/limits.ts";
import { Registry, type RegistryJson } from "../../src/core/registry.ts";
import type { Sample, Series } from "../../src/core/series.ts";
import { forEachSeed, type Random, seededRandom } from "../support/random.ts";
import { count, render, sampleOf } from "../support/samples.ts";

const LIMITS: Limits = {
  maxLabelCount: 2,
  maxLabelValueLength: 5,
  maxMetricNames: 2,
  maxSeries: 4,
  maxSeriesPerMetric: 3,
};

function limited(): Registry {
  const registry = new Registry();
  registry.limits = LIMITS;
  return registry;
}

function refusalOf(registry: Registry, sample: Sample): Refusal {
  const refusal = registry.reserve(sample);
  assert.ok(refusal instanceof Refusal, "expected a refusal");
  return refusal;
}

describe("counting", () => {
  test("labels in another order are the same series, printed in the order of the first sample", () => {
    const registry = new Registry();
    count(registry, sampleOf({ labels: { session: "s", model: "m" } }));
    count(registry, sampleOf({ labels: { model: "m", session: "s" }, value: 2 }));
    count(registry, sampleOf({ labels: { model: "m", empty: "", session: "s" }, value: 4 }));
    assert.match(render(registry), /\nx_total\{session="s",model="m"\} 7\n$/);
  });

  test("a sender who shuffles labels without end is still counted in one series", () => {
    const registry = new Registry();
    forEachSeed(100, (random) => {
      const shuffled = ["a", "b", "c", "d", "e"].map((key) => [random.next(), key] as const).sort(([a], [b]) => a - b);
      count(registry, sampleOf({ labels: Object.fromEntries(shuffled.map(([, key]) => [key, key])) }));
    });
    assert.equal(registry.clientSeriesCount, 1);
    assert.match(render(registry), /\} 100\n$/);
  });

  test("families stand in the order of their names, series in the order in which they came", () => {
    const registry = new Registry();
    for (const [name, v] of [
      ["b", "2"],
      ["a", "9"],
      ["b", "1"],
      ["a", "3"],
    ] as const)
      count(registry, sampleOf({ name, labels: { v } }));
    const order = render(registry)
      .split("\n")
      .filter((line) => !line.startsWith("#") && line !== "");
    assert.deepEqual(order, ['a{v="9"} 1', 'a{v="3"} 1', 'b{v="2"} 1', 'b{v="1"} 1']);
  });

  test("a counter never overflows to infinity", () => {
    const registry = new Registry();
    for (let round = 0; round < 3; round++) count(registry, sampleOf({ value: 1e308 }));
    assert.match(render(registry), /x_total 1\.7976931348623157e\+308\n/);
  });

  test("help is the first one given", () => {
    const registry = new Registry();
    count(registry, sampleOf());
    assert.match(render(registry), /# HELP x_total Counter metric: x_total\n/);
    count(registry, sampleOf({ help: "first" }));
    count(registry, sampleOf({ help: "second" }));
    assert.match(render(registry), /# HELP x_total first\n/);
  });

  test("the names filter takes a family's name and those of its samples", () => {
    const registry = new Registry();
    count(registry, sampleOf({ name: "h", type: "histogram" }));
    count(registry, sampleOf({ name: "other" }));
    assert.match(render(registry, 0, new Set(["h_bucket"])), /^# HELP h [^]*h_count 1\n$/);
    assert.equal(render(registry, 0, new Set(["nothing"])), "");
  });
});

describe("refusals", () => {
  const seeded = (): Registry => {
    const registry = limited();
    count(registry, sampleOf({ name: "h", type: "histogram" }));
    return registry;
  };
  const cases: readonly [string, Parameters<typeof sampleOf>[0], Refusal["reason"], RegExp][] = [
    ["another type", { name: "h" }, "type_mismatch", /"h" is a histogram already and cannot take a counter sample/],
    ["a name that a family prints", { name: "h_bucket" }, "name_collision", /"h_bucket", which belongs to "h"/],
    ["too many labels", { labels: { a: "1", b: "2", c: "3" } }, "too_many_labels", /has 3 labels; at most 2/],
    [
      "a long label value",
      { labels: { a: "123456" } },
      "label_value_too_long",
      /"a" of "x_total" has 6 characters; at most 5/,
    ],
    ["a name of the daemon's", { name: "pi_daemon_requests_total" }, "reserved_name", /reserved for the daemon/],
    ["a name of the process collector's", { name: "process_x" }, "reserved_name", /reserved/],
  ];
  for (const [title, sample, reason, message] of cases) {
    test(title, () => {
      const registry = seeded();
      const refusal = refusalOf(registry, sampleOf(sample));
      assert.equal(refusal.reason, reason);
      assert.match(refusal.message, message);
      assert.equal(registry.clientFamilyCount, 1);
    });
  }

  test("too many names, series of a metric, and series; each gives way when room is made", () => {
    const registry = seeded();
    for (const v of ["1", "2", "3"]) count(registry, sampleOf({ labels: { v } }));
    assert.equal(refusalOf(registry, sampleOf({ name: "y" })).reason, "too_many_metric_names");
    assert.equal(refusalOf(registry, sampleOf({ labels: { v: "4" } })).reason, "too_many_series");
    registry.drop("h", []);
    assert.equal(refusalOf(registry, sampleOf({ labels: { v: "4" } })).reason, "too_many_series_per_metric");
    count(registry, sampleOf({ name: "y", type: "gauge" }));
  });

  test("a type clash with what is reserved but not yet written is refused too", () => {
    const registry = new Registry();
    registry.reserve(sampleOf({ name: "a" }));
    assert.equal(refusalOf(registry, sampleOf({ name: "a", type: "gauge" })).reason, "type_mismatch");
  });

  test("accepted events are taken whatever the limits", () => {
    const registry = limited();
    for (let v = 0; v < 9; v++) assert.ok(registry.reserveAccepted(sampleOf({ labels: { v: String(v) } })));
    assert.equal(registry.clientSeriesCount, 9);
    assert.ok(registry.reserve(sampleOf({ labels: { v: "new" } })) instanceof Refusal);
  });
});

describe("reservations", () => {
  test("a reserved series is not shown; released, it leaves no trace", () => {
    const registry = new Registry();
    const sample = sampleOf();
    const series = registry.reserve(sample) as Series;
    assert.equal(render(registry), "");
    registry.release(sample, series);
    assert.equal(registry.clientSeriesCount + registry.clientFamilyCount, 0);
    count(registry, sampleOf({ type: "gauge" }));
    assert.match(render(registry), /x_total 1\n/);
  });

  test("places count against the limits", () => {
    const registry = limited();
    for (const v of ["1", "2", "3"]) registry.reserve(sampleOf({ labels: { v } }));
    assert.equal(refusalOf(registry, sampleOf({ labels: { v: "4" } })).reason, "too_many_series_per_metric");
  });

  test("a series that is dropped while an event waits for it is born again by that event", () => {
    const registry = new Registry();
    count(registry, sampleOf({ value: 5 }), { nowMs: 1, wallMs: 1000 });
    const sample = sampleOf({ value: 2 });
    const series = registry.reserve(sample) as Series;
    assert.equal(registry.drop("x_total", []), 1);
    assert.equal(render(registry), "");
    registry.apply(sample, series, { nowMs: 2, wallMs: 2000 });
    assert.match(render(registry), /x_total 2\n/);
    assert.equal(series.createdMs, 2000);
  });

  test("a failed write leaves neither its label order nor its place behind", () => {
    const registry = new Registry();
    const failed = sampleOf({ labels: { a: "1", b: "2" } });
    const kept = registry.reserve(failed) as Series;
    const late = sampleOf({ labels: { b: "2", a: "1" } });
    const same = registry.reserve(late) as Series;
    assert.equal(kept, same);
    count(registry, sampleOf({ labels: { z: "z" } }));
    registry.release(failed, kept);
    registry.apply(late, same, { nowMs: 0, wallMs: 0 });
    assert.match(render(registry), /x_total\{z="z"\} 1\nx_total\{b="2",a="1"\} 1\n$/);
    count(registry, failed);
    assert.match(render(registry), /\{b="2",a="1"\} 2\n$/);
  });
});

describe("what goes away", () => {
  test("drop takes the series that have all given labels, and frees the type with the last one", () => {
    const registry = new Registry();
    for (const [a, b] of [
      ["1", "1"],
      ["1", "2"],
      ["2", "1"],
    ] as const)
      count(registry, sampleOf({ labels: { a, b } }));
    assert.equal(registry.countMatching("x_total", ["a", "1"]), 2);
    assert.equal(registry.drop("x_total", ["a", "1"]), 2);
    assert.match(render(registry), /^# HELP[^]*x_total\{a="2",b="1"\} 1\n$/);
    assert.equal(registry.drop("x_total", []), 1);
    count(registry, sampleOf({ type: "gauge" }));
  });

  test("expire takes what is older than its type's cut-off", () => {
    const registry = new Registry();
    count(registry, sampleOf({ name: "old_counter" }), { nowMs: 10, wallMs: 0 });
    count(registry, sampleOf({ name: "old_gauge", type: "gauge" }), { nowMs: 10, wallMs: 0 });
    count(registry, sampleOf({ name: "young_gauge", type: "gauge" }), { nowMs: 30, wallMs: 0 });
    const cutoffMs = { counter: 5, gauge: 20, histogram: 20, summary: 20 };
    assert.equal(registry.hasExpired(cutoffMs), true);
    assert.equal(registry.expire(cutoffMs), 1);
    assert.equal(registry.hasExpired(cutoffMs), false);
    assert.deepEqual(
      registry.listed().map(({ name }) => name),
      ["old_counter", "young_gauge"],
    );
  });

  test("the daemon's own metrics neither expire nor drop, and are outside the limits", () => {
    const registry = limited();
    const requests = registry.ownValue("pi_daemon_requests_total", "counter", "Requests.");
    for (let v = 0; v < 10; v++) requests(["v", String(v)]).add(1);
    assert.equal(registry.drop("pi_daemon_requests_total", []), 0);
    assert.equal(registry.expire({ counter: 1e9, gauge: 1e9, histogram: 1e9, summary: 1e9 }), 0);
    registry.dropClients();
    assert.match(render(registry), /# HELP pi_daemon_requests_total Requests\.\n[^]*v="9"\} 1\n$/);
    assert.equal(registry.clientSeriesCount, 0);
  });
});

describe("snapshots", () => {
  const TYPES = ["counter", "gauge", "histogram", "summary"] as const;
  const LABELS: readonly Record<string, string>[] = [
    {},
    { a: "1" },
    { a: "1", b: "2" },
    { b: "2", a: "1" },
    { c: "x\n" },
  ];

  function changeAtRandom(random: Random, registry: Registry, nowMs: number): void {
    const type = random.pick(TYPES);
    const name = `${type}_${random.int(1, 3)}`;
    if (random.next() < 0.05) registry.drop(name, random.pick([[], ["a", "1"]]));
    else
      count(registry, sampleOf({ name, type, labels: random.pick(LABELS), value: random.int(1, 100) / 4 }), {
        nowMs,
        wallMs: nowMs * 1000,
      });
  }

  function restored(lines: Iterable<RegistryJson>): Registry {
    const registry = new Registry();
    registry.restore(JSON.parse(JSON.stringify([...lines])) as RegistryJson[]);
    return registry;
  }

  test("a snapshot read slowly is the state at its start, and the restored state prints the same bytes", () => {
    forEachSeed(40, (random) => {
      const registry = new Registry();
      for (let step = 0; step < 60; step++) changeAtRandom(random, registry, step);
      const expected = render(registry, 60);
      const lines: RegistryJson[] = [];
      for (const line of registry.snapshot()) {
        lines.push(JSON.parse(JSON.stringify(line)) as RegistryJson);
        for (let changes = random.int(0, 4); changes > 0; changes--) changeAtRandom(random, registry, 60);
      }
      assert.equal(render(restored(lines), 60), expected);
    });
  });

  test("a restored registry goes on exactly as the first one does", () => {
    forEachSeed(40, (random, seed) => {
      const registry = new Registry();
      for (let step = 0; step < 40; step++) changeAtRandom(random, registry, step);
      const copy = restored(registry.snapshot());
      for (const target of [registry, copy]) {
        const same = seededRandom(seed + 1000);
        for (let step = 40; step < 80; step++) changeAtRandom(same, target, step);
      }
      assert.equal(render(copy, 80), render(registry, 80));
    });
  });

  test("a snapshot that is given up does not disturb the next one", () => {
    const registry = new Registry();
    for (const v of ["1", "2", "3"]) count(registry, sampleOf({ labels: { v } }));
    for (const _line of registry.snapshot()) {
      count(registry, sampleOf({ labels: { v: "3" } }));
      break;
    }
    assert.equal(render(restored(registry.snapshot())), render(registry));
  });

  test("a snapshot that is given up before its first line, as on a full disk, does not disturb the next one", () => {
    const registry = new Registry();
    count(registry, sampleOf());
    registry.snapshot();
    count(registry, sampleOf());
    assert.equal(render(restored(registry.snapshot())), render(registry));
  });
});
