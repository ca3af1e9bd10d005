import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Registry } from "../../../src/core/registry.ts";
import { validate } from "../../../src/core/validate.ts";
import { metricsSchema } from "../../../src/plugins/metrics/config.ts";
import { metricsPlugin } from "../../../src/plugins/metrics/index.ts";
import { type MetricsEvent, type MetricsState, metricsStore } from "../../../src/plugins/metrics/state.ts";
import type { Plugin } from "../../../src/plugins/plugin.ts";
import { HttpError, type Reply } from "../../../src/system/http.ts";
import { fakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { type MemoryStore, memoryStore } from "../../support/memory-store.ts";
import { type RequestParts, requestOf } from "../../support/request.ts";
import { render } from "../../support/samples.ts";
import { testServices } from "../../support/services.ts";

const SELF_METRICS = /^(# (HELP|TYPE) )?pi_daemon_.*\n/gm;
const MINUTE_MS = 60_000;

interface Fixture {
  readonly plugin: Plugin;
  readonly clock: FakeClock;
  readonly store: MemoryStore<MetricsState, MetricsEvent>;
  call(route: string, parts?: RequestParts): Promise<Reply>;
  /** What clients' metrics look like, now or after a restart. */
  exposition(): Promise<string>;
  expositionAfterRestart(): string;
}

async function createFixture(config: object = {}): Promise<Fixture> {
  const clock = fakeClock();
  const registry = new Registry();
  let store: MemoryStore<MetricsState, MetricsEvent> | undefined;
  const services = testServices({
    clock,
    registry,
    async openStore(): Promise<never> {
      return (store = memoryStore(metricsStore(registry), metricsStore(new Registry()))) as never;
    },
  });
  const checked = validate(metricsSchema, config);
  assert.ok(checked.ok, JSON.stringify(checked));
  const plugin = await metricsPlugin.create(services, checked.value);
  const call = async (name: string, parts: RequestParts = {}): Promise<Reply> => {
    const route = plugin.routes.find(({ method, pattern }) => `${method} ${pattern}` === name);
    assert.ok(route, `no route ${name}`);
    return route.handle(requestOf(parts));
  };
  return {
    plugin,
    clock,
    store: store!,
    call,
    exposition: async () => (await textOf(await call("GET /metrics"))).replaceAll(SELF_METRICS, ""),
    expositionAfterRestart: () => render(store!.reopen().registry, clock.monotonicMs()),
  };
}

async function textOf(reply: Reply): Promise<string> {
  let text = "";
  for await (const piece of reply.body as AsyncIterable<string>) text += piece;
  return text;
}

async function refusal(outcome: Promise<Reply>): Promise<HttpError> {
  const error = await outcome.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HttpError, `expected an HttpError, not ${String(error)}`);
  return error;
}

const jsonOf = (reply: Reply): unknown => JSON.parse(reply.body as string);

describe("POST /api/metrics", () => {
  test("the example of the first documentation comes out as it says, byte for byte", async () => {
    const { call, exposition, expositionAfterRestart } = await createFixture();
    const reply = await call("POST /api/metrics", {
      json: {
        name: "pi_compaction_tokens_before",
        type: "counter",
        labels: { session: "abc123", model: "claude-sonnet-4" },
        increment: 5000,
        timestamp: 1700000000000,
      },
    });
    assert.equal(reply.status, 204);
    const expected =
      "# HELP pi_compaction_tokens_before Counter metric: pi_compaction_tokens_before\n" +
      "# TYPE pi_compaction_tokens_before counter\n" +
      'pi_compaction_tokens_before{session="abc123",model="claude-sonnet-4"} 5000\n';
    assert.equal(await exposition(), expected);
    assert.equal(expositionAfterRestart(), expected);
  });

  test("faults of shape are VALIDATION_ERROR with every path; faults of state INGESTION_ERROR", async () => {
    const { call, exposition } = await createFixture();
    const shape = await refusal(call("POST /api/metrics", { json: { name: "-", type: "x" } }));
    assert.deepEqual(
      [shape.status, shape.code, (shape.details as readonly { path: string }[]).map(({ path }) => path)],
      [400, "VALIDATION_ERROR", ["name", "type"]],
    );
    const state = await refusal(call("POST /api/metrics", { json: { name: "pi_daemon_x", type: "counter" } }));
    assert.deepEqual([state.status, state.code], [400, "INGESTION_ERROR"]);
    assert.equal(await exposition(), "");
  });

  test("nothing counts, and no place stays taken, when the write fails", async () => {
    const { call, store, exposition } = await createFixture({ maxSeries: 1 });
    store.hold = true;
    const first = call("POST /api/metrics", { json: { name: "a", type: "counter" } });
    store.settle("failed");
    await assert.rejects(first, /no space left/);
    assert.equal(await exposition(), "");
    store.hold = false;
    assert.equal((await call("POST /api/metrics", { json: { name: "b", type: "gauge", set: 1 } })).status, 204);
  });

  test("of ten thousand faults the first are told", async () => {
    const { call } = await createFixture();
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`f${index}`, index]));
    const label = await refusal(call("POST /api/metrics", { json: { name: "a", type: "counter", labels: many } }));
    const field = await refusal(call("POST /api/metrics", { json: { name: "a", type: "counter", ...many } }));
    const exemplar = await refusal(
      call("POST /api/metrics", { json: { name: "a", type: "counter", exemplar: { value: 1, ...many } } }),
    );
    const envelope = await refusal(call("POST /api/metrics/batch", { json: { metrics: [], ...many } }));
    for (const { message, details } of [label, field, exemplar, envelope]) {
      assert.equal((details as readonly unknown[]).length, 20);
      assert.ok(message.length < 4000, String(message.length));
    }
  });

  test("what is larger than the journal may be is 413, and leaves nothing behind", async () => {
    const { call, store, plugin } = await createFixture();
    store.commit = () =>
      Promise.reject(new RangeError("An event of 5000 bytes does not fit into a journal of 4096 bytes"));
    const error = await refusal(call("POST /api/metrics", { json: { name: "a", type: "counter" } }));
    assert.deepEqual([error.status, error.code], [413, "PAYLOAD_TOO_LARGE"]);
    assert.equal(plugin.stats()["series"], 0);
  });

  test("metrics.enabled false answers 503, and shows the daemon's own metrics only, until it is true again", async () => {
    const { call, plugin, exposition } = await createFixture();
    const switchTo = (enabled: boolean): void => {
      const checked = validate(metricsSchema, { enabled });
      assert.ok(checked.ok);
      plugin.reconfigure(checked.value);
    };
    const post = (): Promise<Reply> => call("POST /api/metrics", { json: { name: "a", type: "counter" } });
    await post();
    switchTo(false);
    assert.equal((await refusal(post())).status, 503);
    assert.equal(await exposition(), "");
    assert.match(await textOf(await call("GET /metrics")), /^pi_daemon_series 1$/m);
    switchTo(true);
    assert.match(await exposition(), /^a 1$/m);
  });
});

describe("POST /api/metrics/batch", () => {
  const batch = (metrics: unknown, requestId?: unknown): RequestParts => ({
    json: { ...(requestId !== undefined && { requestId }), metrics },
  });

  test("good items count even when others fail", async () => {
    const { call, exposition, expositionAfterRestart } = await createFixture();
    const reply = await call(
      "POST /api/metrics/batch",
      batch([
        { name: "a", type: "counter", increment: 2 },
        { name: "a", type: "gauge", set: 1 },
        7,
        { name: "b", type: "gauge", set: 42 },
        { name: "-", type: "gauge", set: 1 },
      ]),
    );
    assert.equal(reply.status, 200);
    const { success, failed } = jsonOf(reply) as { success: number; failed: Record<string, unknown>[] };
    assert.equal(success, 2);
    assert.deepEqual(
      failed.map(({ index, name, code }) => [index, name, code]),
      [
        [1, "a", "INGESTION_ERROR"],
        [2, null, "VALIDATION_ERROR"],
        [4, "-", "VALIDATION_ERROR"],
      ],
    );
    assert.match(failed[0]!["error"] as string, /is a counter already/);
    assert.match(await exposition(), /^a 2\n[^]*^b 42\n/m);
    assert.equal(expositionAfterRestart(), await exposition());
  });

  const faults: readonly [string, unknown, RegExp][] = [
    ["no object", [], /expected an object/],
    ["no list", {}, /metrics: expected a list/],
    [
      "too many",
      { metrics: Array.from({ length: 4 }, () => ({ name: "a", type: "counter" })) },
      /at most 3 metrics, not 4/,
    ],
    ["an empty requestId", { requestId: "", metrics: [] }, /requestId: expected a string of 1 to 128/],
    ["a requestId that is no string", { requestId: 5, metrics: [] }, /requestId/],
    ["a field that is not known", { metrics: [], metric: 1 }, /unknown field/],
  ];
  for (const [title, json, message] of faults) {
    test(`an envelope with ${title} is 400 and uses up nothing`, async () => {
      const { call, plugin } = await createFixture({ maxBatchSize: 3 });
      const error = await refusal(call("POST /api/metrics/batch", { json }));
      assert.equal(error.code, "VALIDATION_ERROR");
      assert.match(error.message, message);
      assert.equal(plugin.stats()["requestIds"], 0);
    });
  }

  test("a second batch with the same id is 409 and does not count, after a restart too", async () => {
    const { call, clock, store, exposition } = await createFixture();
    const again = batch([{ name: "a", type: "counter" }], "id-1");
    assert.equal((await call("POST /api/metrics/batch", again)).status, 200);
    clock.advance(5 * MINUTE_MS - 1);
    const error = await refusal(call("POST /api/metrics/batch", again));
    assert.deepEqual([error.status, error.code], [409, "DUPLICATE_REQUEST"]);
    assert.equal(store.reopen().requestIds.look("id-1", clock.monotonicMs()), "seen");
    clock.stepWall(-86_400_000);
    clock.advance(1);
    assert.equal((await call("POST /api/metrics/batch", again)).status, 200);
    assert.match(await exposition(), /\na 2\n/);
  });

  test("racing duplicates: one counts, the others wait for its outcome", async () => {
    const { call, store, exposition } = await createFixture();
    store.hold = true;
    const racing = [1, 2, 3].map(() =>
      call("POST /api/metrics/batch", batch([{ name: "a", type: "counter" }], "id-1")),
    );
    const outcomes = Promise.allSettled(racing);
    await new Promise((resolve) => setImmediate(resolve));
    store.settle("written");
    assert.deepEqual(
      (await outcomes).map(({ status }) => status),
      ["fulfilled", "rejected", "rejected"],
    );
    assert.match(await exposition(), /\na 1\n/);
  });

  test("racing duplicates of a batch that fails: the next one takes its place, and only one", async () => {
    const { call, store, exposition } = await createFixture();
    store.hold = true;
    const racing = [1, 2, 3].map(() =>
      call("POST /api/metrics/batch", batch([{ name: "a", type: "counter" }], "id-1")),
    );
    const outcomes = Promise.allSettled(racing);
    await new Promise((resolve) => setImmediate(resolve));
    store.settle("failed");
    await new Promise((resolve) => setImmediate(resolve));
    store.settle("written");
    assert.deepEqual(
      (await outcomes).map(({ status }) => status),
      ["rejected", "fulfilled", "rejected"],
    );
    assert.match(await exposition(), /\na 1\n/);
  });

  test("a full table of ids is 503 with Retry-After", async () => {
    const { call } = await createFixture({ maxRequestIds: 1 });
    await call("POST /api/metrics/batch", batch([], "id-1"));
    const error = await refusal(call("POST /api/metrics/batch", batch([], "id-2")));
    assert.equal(error.status, 503);
    assert.ok(Number(error.headers["retry-after"]) > 0);
  });

  test("a batch of which every item fails still uses up its id", async () => {
    const { call } = await createFixture();
    assert.equal((await call("POST /api/metrics/batch", batch([{}], "id-1"))).status, 200);
    assert.equal((await refusal(call("POST /api/metrics/batch", batch([{}], "id-1")))).status, 409);
  });
});

describe("buckets", () => {
  const observe = (name: string, buckets?: number[]): RequestParts => ({
    json: { name, type: "histogram", observe: 3, ...(buckets && { buckets }) },
  });

  test("the config's beat the sample's, which beat the defaults; a restart with another config changes nothing", async () => {
    const { call, exposition, expositionAfterRestart } = await createFixture({
      buckets: [{ match: "pi_*_seconds", buckets: [5] }],
    });
    await call("POST /api/metrics", observe("pi_run_seconds", [1, 2]));
    await call("POST /api/metrics", observe("other_seconds", [1, 2]));
    await call("POST /api/metrics", observe("plain_seconds"));
    const text = await exposition();
    assert.deepEqual(text.match(/pi_run_seconds_bucket.*/g), [
      'pi_run_seconds_bucket{le="5.0"} 1',
      'pi_run_seconds_bucket{le="+Inf"} 1',
    ]);
    assert.equal(text.match(/other_seconds_bucket/g)!.length, 3);
    assert.equal(text.match(/plain_seconds_bucket/g)!.length, 12);
    assert.equal(expositionAfterRestart(), text);
  });

  test("a histogram may be called __proto__, and keeps its buckets over a restart", async () => {
    const { call, exposition, expositionAfterRestart } = await createFixture();
    for (const name of ["__proto__", "constructor", "toString"]) await call("POST /api/metrics", observe(name, [1, 2]));
    assert.equal((await exposition()).match(/^__proto___bucket/gm)!.length, 3);
    assert.equal(expositionAfterRestart(), await exposition());
  });
});

describe("retention", () => {
  test("age goes on from where it was when the daemon stopped", async () => {
    const { plugin, call, clock, store } = await createFixture();
    await call("POST /api/metrics", { json: { name: "g", type: "gauge", set: 1 } });
    clock.advance(40 * MINUTE_MS);
    await plugin.stop();
    assert.equal(store.reopen().nowMs, 40 * MINUTE_MS);
  });

  test("a crash takes at most a minute of age with it, and an empty daemon writes nothing", async () => {
    const { call, clock, store } = await createFixture();
    clock.advance(10 * MINUTE_MS);
    assert.equal(store.reopen().nowMs, 0);
    await call("POST /api/metrics", { json: { name: "g", type: "gauge", set: 1 } });
    clock.advance(40 * MINUTE_MS);
    assert.ok(store.reopen().nowMs >= 49 * MINUTE_MS, String(store.reopen().nowMs));
  });

  test("a series that is not updated for so long goes, by running time, and stays away after a restart", async () => {
    const { call, clock, exposition, expositionAfterRestart } = await createFixture({
      retentionMinutes: 60,
      retentionByType: { counter: 120 },
    });
    await call("POST /api/metrics", { json: { name: "g", type: "gauge", set: 1 } });
    await call("POST /api/metrics", { json: { name: "c", type: "counter" } });
    clock.stepWall(86_400_000);
    clock.advance(59 * MINUTE_MS);
    assert.match(await exposition(), /\ng 1\n/);
    clock.advance(2 * MINUTE_MS);
    assert.equal(await exposition(), "# HELP c Counter metric: c\n# TYPE c counter\nc 1\n");
    assert.equal(expositionAfterRestart(), await exposition());
  });
});

describe("DELETE /api/metrics/:name and the registry", () => {
  test("samples that come while a drop is being written count for a new family, now and after a restart", async () => {
    const { call, store, exposition, expositionAfterRestart } = await createFixture();
    const post = (more: object): Promise<Reply> =>
      call("POST /api/metrics", { json: { name: "h", type: "histogram", observe: 1, ...more } });
    await post({ buckets: [1, 2], help: "the old one", unit: "seconds" });
    store.hold = true;
    const dropped = call("DELETE /api/metrics/:name", { params: { name: "h" } });
    const known = post({});
    const other = post({ labels: { a: "1" }, help: "the new one" });
    store.settle("written");
    await Promise.all([dropped, known, other]);
    assert.match(await exposition(), /# HELP h the new one\n[^]*h_count 1\n[^]*h_count\{a="1"\} 1\n/);
    assert.equal(expositionAfterRestart(), await exposition());
  });

  test("drops series by label, then the family, and says how many", async () => {
    const { call, exposition, expositionAfterRestart } = await createFixture();
    for (const v of ["1", "2", "3"])
      await call("POST /api/metrics", { json: { name: "a", type: "counter", labels: { v } } });
    assert.deepEqual(jsonOf(await call("DELETE /api/metrics/:name", { params: { name: "a" }, query: "v=2" })), {
      dropped: 1,
    });
    assert.equal(
      (await refusal(call("DELETE /api/metrics/:name", { params: { name: "a" }, query: "v=2" }))).status,
      404,
    );
    assert.equal(expositionAfterRestart(), await exposition());
    assert.deepEqual(jsonOf(await call("DELETE /api/metrics/:name", { params: { name: "a" } })), { dropped: 2 });
    assert.equal(await exposition(), "");
    assert.equal(
      (await refusal(call("DELETE /api/metrics/:name", { params: { name: "pi_daemon_series" } }))).status,
      403,
    );
  });

  test("an empty value drops the series without the label, not all of them", async () => {
    const { call, exposition, expositionAfterRestart } = await createFixture();
    const drop = async (query: string) =>
      jsonOf(await call("DELETE /api/metrics/:name", { params: { name: "a" }, query }));
    for (const labels of [{ v: "1" }, { v: "2" }, {}])
      await call("POST /api/metrics", { json: { name: "a", type: "counter", labels } });
    assert.deepEqual(await drop("v="), { dropped: 1 });
    assert.equal(
      (await refusal(call("DELETE /api/metrics/:name", { params: { name: "a" }, query: "v=" }))).status,
      404,
    );
    assert.match(await exposition(), /a\{v="1"\} 1\na\{v="2"\} 1\n$/);
    assert.equal(expositionAfterRestart(), await exposition());
  });

  test("lists names by prefix, a page at a time", async () => {
    const { call } = await createFixture();
    for (const name of ["b", "a2", "a1", "a3"])
      await call("POST /api/metrics", { json: { name, type: "gauge", set: 1, help: "h", unit: "u", timestamp: 5 } });
    const page = jsonOf(await call("GET /api/metrics/registry", { query: "prefix=a&limit=2" })) as {
      metrics: { name: string }[];
      total: number;
      next: string;
    };
    assert.deepEqual([page.metrics.map(({ name }) => name), page.total, page.next], [["a1", "a2"], 3, "a2"]);
    assert.partialDeepStrictEqual(page.metrics[0], {
      type: "gauge",
      help: "h",
      unit: "u",
      series: 1,
      lastTimestampMs: 5,
      source: "client",
    });
    const rest = jsonOf(await call("GET /api/metrics/registry", { query: "prefix=a&limit=2&after=a2" })) as {
      metrics: { name: string }[];
      next: null;
    };
    assert.deepEqual([rest.metrics.map(({ name }) => name), rest.next], [["a3"], null]);
    assert.equal((await refusal(call("GET /api/metrics/registry", { query: "limit=x" }))).code, "VALIDATION_ERROR");
  });
});
