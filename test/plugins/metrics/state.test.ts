import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "../../../src/core/registry.ts";
import { type MetricsEvent, type MetricsState, metricsStore } from "../../../src/plugins/metrics/state.ts";
import { render } from "../../support/samples.ts";

const definition = (): ReturnType<typeof metricsStore> => metricsStore(new Registry());

function batchOf(number: number): MetricsEvent {
  const metrics = ["counter", "histogram"].map((type) => ({
    name: `a_${type}`,
    type,
    labels: { v: String(number % 400) },
    [type === "counter" ? "increment" : "observe"]: number,
  }));
  const raw = Buffer.from(JSON.stringify({ requestId: `id-${number}`, metrics }));
  const rest = { samples: [], series: undefined, requestId: `id-${number}`, extra: undefined };
  // As it is read back from disk.
  return definition().decode(
    Buffer.concat(definition().encode({ kind: "batch", nowMs: number, wallMs: 0, raw, ...rest })),
  );
}

function contentOf({ registry, requestIds, nowMs }: MetricsState): unknown {
  return { nowMs, text: render(registry), requestIds: requestIds.toJSON() };
}

test("a snapshot is the state as it was at its first piece, requestIds too, however slowly the others are read", () => {
  const store = definition();
  const state = store.initial();
  for (let number = 0; number < 1000; number++) store.apply(state, batchOf(number));
  const expected = contentOf(state);
  const pieces: Buffer[] = [];
  let number = 1000;
  for (const piece of store.snapshot(state)) {
    pieces.push(Buffer.from(piece));
    for (let more = 0; more < 20; more++) store.apply(state, batchOf(number++));
    if (pieces.length > 1) continue;
    store.apply(state, { kind: "drop", nowMs: number, wallMs: 0, name: "a_counter", labels: [] });
  }
  assert.ok(pieces.length > 2, String(pieces.length));
  assert.notDeepEqual(contentOf(state), expected);
  assert.deepEqual(contentOf(definition().restore(pieces, 1)), expected);
});

test("a snapshot of nothing is nothing", () => {
  const state = definition().initial();
  const pieces = [...definition().snapshot(state)].map((piece) => Buffer.from(piece));
  assert.deepEqual(contentOf(definition().restore(pieces, 1)), contentOf(state));
});
