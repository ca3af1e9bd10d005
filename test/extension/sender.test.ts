import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sample } from "../../src/extension/sample.ts";
import { SampleBuffer } from "../../src/extension/sample-buffer.ts";
import { type Sender, type SenderSettings, createSender } from "../../src/extension/sender.ts";
import type { Target } from "../../src/extension/target.ts";
import type { Answer, Call, Failure } from "../../src/extension/transport.ts";
import { type FakeClock, fakeClock } from "../support/fake-clock.ts";
import {
  type FakeTransport,
  acceptAll,
  answer,
  failure,
  fakeTransport,
  samplesOf,
  settle,
} from "../support/fake-transport.ts";
import { seededRandom } from "../support/random.ts";

const [FIRST, SECOND] = [{ url: new URL("http://127.0.0.1:1") }, { url: new URL("http://127.0.0.1:2") }];

interface Bench {
  /** Where the daemon is said to be. */
  target: Target;
  readonly buffer: SampleBuffer;
  readonly transport: FakeTransport;
  readonly clock: FakeClock;
  readonly sender: Sender;
  add(count?: number): void;
  /** Moves the clock, in steps, and lets promises settle in between. */
  pass(ms: number, stepMs?: number): Promise<void>;
  posts(): (Call & { readonly target: Target })[];
}

function bench(settings: Partial<SenderSettings> = {}, random = () => 1): Bench {
  const buffer = new SampleBuffer(10_000);
  const transport = fakeTransport();
  const clock = fakeClock();
  const all = { maxBufferSize: 50, flushIntervalMs: 5000, requestTimeoutMs: 2000, ...settings };
  const services = { chooseTarget: () => made.target, settings: () => all, random, debug: () => undefined };
  const sender = createSender({ buffer, transport, clock, ...services });
  let series = 0;
  const made: Bench = {
    target: FIRST,
    buffer,
    transport,
    clock,
    sender,
    add(count = 1) {
      for (let index = 0; index < count; index++) {
        buffer.add(sample(`c${series++}`));
        sender.wake();
      }
    },
    async pass(ms, stepMs = ms) {
      for (let passed = 0; passed < ms; passed += stepMs) {
        clock.advance(stepMs);
        await settle();
      }
    },
    posts: () => transport.calls.filter(({ method }) => method === "POST"),
  };
  return made;
}

const sample = (name: string): Sample => ({ name, type: "counter", labels: {}, increment: 1 });

test("sends after the interval, everything at once", async () => {
  const { add, pass, posts, sender } = bench();
  add(3);
  await pass(4999);
  assert.equal(posts().length, 0);
  await pass(1);
  assert.deepEqual(
    posts().map((call) => samplesOf(call).length),
    [3],
  );
  assert.equal(sender.state.sent, 3);
});

test("sends as soon as maxBufferSize is reached", async () => {
  const { add, posts } = bench({ maxBufferSize: 4 });
  add(3);
  await settle();
  assert.equal(posts().length, 0);
  add(1);
  await settle();
  assert.deepEqual(
    posts().map((call) => samplesOf(call).length),
    [4],
  );
});

test("sends on demand, and nothing when there is nothing", async () => {
  const { add, posts, sender } = bench();
  sender.flush();
  await settle();
  assert.equal(posts().length, 0);
  add();
  sender.flush();
  await settle();
  assert.equal(posts().length, 1);
});

test("one request at a time; what comes meanwhile goes with the next", async () => {
  const { add, pass, posts, transport, sender } = bench({ maxBufferSize: 2 });
  const waiting = Promise.withResolvers<Answer>();
  transport.respond = () => waiting.promise;
  add(2);
  add(5);
  sender.flush();
  await pass(20_000, 1000);
  assert.equal(posts().length, 1);
  transport.respond = acceptAll;
  waiting.resolve(acceptAll(posts()[0]!));
  await settle();
  assert.deepEqual(
    posts().map((call) => samplesOf(call).length),
    [2, 5],
  );
});

test("never more than 500 samples in a batch", async () => {
  const { buffer, posts, sender } = bench();
  for (let index = 0; index < 1200; index++) buffer.add(sample(`c${index}`));
  await sender.drain();
  assert.deepEqual(
    posts().map((call) => samplesOf(call).length),
    [500, 500, 200],
  );
});

test("an answer that is lost: the same bytes again, until a 409 says that they had arrived", async () => {
  const { add, pass, posts, transport, sender } = bench();
  transport.respond = () => failure(true);
  add(2);
  await pass(5000);
  add(1);
  await pass(999);
  assert.equal(posts().length, 1);
  transport.respond = () => answer(409, { error: "again", code: "DUPLICATE_REQUEST", details: {} });
  await pass(1);
  assert.equal(posts().length, 2);
  assert.equal(posts()[0]!.body, posts()[1]!.body);
  assert.equal(sender.state.sent, 2);
  transport.respond = acceptAll;
  await pass(5000);
  assert.deepEqual(
    samplesOf(posts()[2]!).map(({ name }) => name),
    ["c2"],
  );
});

for (const mayHaveArrived of [true, false]) {
  test(`another address: a batch that ${mayHaveArrived ? "may have arrived stays with the first" : "never left goes there"}`, async () => {
    const made = bench();
    made.transport.respond = () => failure(mayHaveArrived);
    made.add();
    await made.pass(5000);
    made.target = SECOND;
    await made.pass(1000);
    assert.deepEqual(
      made.posts().map(({ target }) => target),
      [FIRST, mayHaveArrived ? FIRST : SECOND],
    );
  });
}

test("waits 1 s, doubling to a minute, whoever asks for more", async () => {
  const { add, pass, transport, sender, clock } = bench();
  transport.respond = () => failure(false);
  const times: number[] = [];
  transport.call = async () => {
    times.push(clock.monotonicMs());
    return failure(false);
  };
  add();
  sender.flush();
  await settle();
  for (let second = 0; second < 300; second++) {
    add();
    sender.flush();
    await pass(1000);
  }
  const waits = times.slice(1).map((time, index) => (time - times[index]!) / 1000);
  assert.deepEqual(waits.slice(0, 8), [1, 2, 4, 8, 16, 32, 60, 60]);
});

test("minds Retry-After, up to a minute", async () => {
  for (const [seconds, waitMs] of [
    [20, 20_000],
    [3600, 60_000],
  ] as const) {
    const { add, pass, transport, sender } = bench();
    transport.respond = () => answer(429, { error: "slow down" }, seconds * 1000);
    add();
    sender.flush();
    await settle();
    await pass(waitMs - 1);
    assert.equal(transport.calls.length, 1);
    await pass(1);
    assert.equal(transport.calls.length, 2);
  }
});

test("a batch that may have arrived is left behind 4 minutes after it was first sent, and counted", async () => {
  const { add, pass, posts, transport, sender, buffer } = bench();
  transport.respond = () => failure(true);
  add(3);
  sender.flush();
  await settle();
  await pass(239_000, 1000);
  assert.equal(buffer.dropped.unknown, 0);
  assert.equal(new Set(posts().map(({ body }) => body)).size, 1);
  transport.respond = acceptAll;
  await pass(61_000, 1000);
  assert.equal(buffer.dropped.unknown, 3);
  const last = samplesOf(posts().at(-1)!);
  assert.deepEqual(last, [
    { name: "pi_extension_dropped_total", type: "counter", labels: { reason: "unknown" }, increment: 3 },
  ]);
});

test("a machine that slept counts as time that passed", async () => {
  const { add, transport, sender, buffer, clock } = bench();
  transport.respond = () => failure(true);
  add();
  sender.flush();
  await settle();
  clock.stepWall(300_000);
  transport.respond = acceptAll;
  await sender.drain();
  assert.equal(buffer.dropped.unknown, 1);
});

test("an hour without a daemon loses nothing", async () => {
  const { add, pass, transport, sender, buffer } = bench();
  transport.respond = () => failure(false);
  for (let minute = 0; minute < 60; minute++) {
    add(10);
    await pass(60_000, 10_000);
  }
  transport.respond = acceptAll;
  await pass(60_000, 10_000);
  await sender.drain();
  assert.equal(sender.state.sent, 600);
  assert.deepEqual(buffer.dropped, { full: 0, rejected: 0, unknown: 0 });
  assert.equal(sender.state.isAway, false);
});

test("an hour with a daemon that hangs loses the first batch alone, because later only its health is asked for", async () => {
  const { add, pass, transport, sender, buffer } = bench();
  transport.respond = () => failure(true);
  for (let minute = 0; minute < 60; minute++) {
    add(10);
    await pass(60_000, 10_000);
  }
  assert.equal(buffer.dropped.unknown, 10);
  transport.respond = acceptAll;
  await pass(60_000, 10_000);
  await sender.drain();
  assert.equal(sender.state.sent, 591, "all later samples, and the count of the lost ones");
});

for (const [what, reply] of [
  ["an answer of another server", { kind: "answer", status: 200, text: "<html>", retryAfterMs: undefined }],
  ["an answer without `failed`", answer(200, { success: 1 })],
  ["a broken server", answer(500, { error: "oh" })],
  ["a proxy without its server", answer(502, {})],
] as const satisfies readonly (readonly [string, Answer])[]) {
  test(`${what} says nothing of the outcome: the same batch again`, async () => {
    const { add, pass, posts, transport } = bench();
    transport.respond = () => reply;
    add();
    await pass(5000);
    transport.respond = acceptAll;
    await pass(1000);
    assert.equal(posts().length, 2);
    assert.equal(posts()[0]!.body, posts()[1]!.body);
  });
}

for (const status of [301, 401, 403, 404, 429, 503]) {
  test(`${status} counts nothing: the batch waits for as long as it takes`, async () => {
    const { add, pass, posts, transport, buffer, sender } = bench();
    transport.respond = () => answer(status, { error: "no" });
    add();
    await pass(600_000, 10_000);
    assert.equal(buffer.dropped.unknown, 0);
    transport.respond = acceptAll;
    await pass(60_000);
    assert.equal(sender.state.sent, 1);
    assert.equal(new Set(posts().map(({ body }) => body)).size, 1);
  });
}

test("400 is the end of a batch, and counted", async () => {
  const { add, pass, transport, buffer, sender } = bench();
  transport.respond = () => answer(400, { error: "metrics: expected an array" });
  add(2);
  await pass(5000);
  assert.equal(buffer.dropped.rejected, 2);
  assert.equal(sender.state.lastError, "400: metrics: expected an array");
  assert.equal(sender.state.isAway, false);
});

test("413: smaller pieces, down to a sample that is too large by itself", async () => {
  const { add, transport, buffer, sender, posts } = bench();
  const tooLarge = (call: Call): boolean =>
    samplesOf(call).length > 2 || samplesOf(call).some(({ name }) => name === "c4");
  transport.respond = (call) =>
    call.method === "POST" && tooLarge(call) ? answer(413, { error: "large" }) : acceptAll(call);
  add(7);
  await sender.drain();
  assert.equal(buffer.dropped.rejected, 1);
  assert.equal(sender.state.sent, 7, "6 of 7, and the count of the lost one");
  const arrived = posts()
    .filter((call) => !tooLarge(call))
    .flatMap((call) => samplesOf(call).map(({ name }) => name));
  assert.deepEqual(arrived.slice(0, 6).sort(), ["c0", "c1", "c2", "c3", "c5", "c6"]);
  assert.equal(new Set(posts().map(({ body }) => body)).size, posts().length, "each piece has an id of its own");
});

test("samples that the daemon refuses one by one are dropped and counted", async () => {
  const { add, pass, transport, buffer, sender, posts } = bench();
  const failed = [{ index: 1, name: "c1", code: "INGESTION_ERROR", error: "too many series" }];
  transport.respond = () => answer(200, { success: 2, failed });
  add(3);
  await pass(5000);
  assert.equal(sender.state.sent, 2);
  assert.equal(buffer.dropped.rejected, 1);
  assert.equal(sender.state.lastError, "c1: too many series");
  transport.respond = acceptAll;
  await pass(5000);
  assert.equal(samplesOf(posts()[1]!)[0]!.name, "pi_extension_dropped_total");
});

test("a daemon that refuses even the count of losses is not asked for ever", async () => {
  const { add, transport, sender, posts } = bench();
  transport.respond = (call) =>
    answer(200, { success: 0, failed: samplesOf(call).map(({ name }, index) => ({ index, name, error: "full" })) });
  add(3);
  await sender.drain();
  assert.equal(posts().length, 2);
});

test("drain tries at once, whatever the wait, and once only", async () => {
  const { add, pass, transport, sender } = bench();
  transport.respond = () => failure(false);
  add();
  await pass(5000);
  const before = transport.calls.length;
  await sender.drain();
  assert.equal(transport.calls.length, before + 1);
  transport.respond = acceptAll;
  add();
  await sender.drain();
  assert.equal(sender.state.sent, 2);
});

test("drain waits for the request under way", async () => {
  const { add, transport, sender } = bench();
  const waiting = Promise.withResolvers<Answer>();
  transport.respond = () => waiting.promise;
  add();
  sender.flush();
  let isDone = false;
  const drained = sender.drain().then(() => void (isDone = true));
  await settle();
  assert.equal(isDone, false);
  waiting.resolve(answer(200, { success: 1, failed: [] }));
  await drained;
  assert.equal(sender.state.sent, 1);
});

test("a drain that is stopped while it waits does not begin anew", async () => {
  const { add, transport, sender } = bench();
  const waiting = Promise.withResolvers<Failure>();
  transport.respond = () => waiting.promise;
  add();
  sender.flush();
  const drained = sender.drain();
  sender.stop();
  waiting.resolve(failure(false));
  await drained;
  assert.equal(transport.calls.length, 1);
});

test("a batch under way goes to the successor with its id, and its answer no longer counts here", async () => {
  const [old, next] = [bench(), bench()];
  const waiting = Promise.withResolvers<Failure>();
  old.transport.respond = () => waiting.promise;
  old.add(2);
  old.sender.flush();
  await settle();
  const released = old.sender.release();
  old.sender.stop();
  waiting.resolve(failure(true));
  await settle();
  assert.equal(old.sender.state.inBatches, 0);
  assert.ok(released[0]!.uncertain, "it may have arrived");
  next.sender.adopt(released);
  await next.sender.drain();
  assert.equal(next.posts()[0]!.body, old.posts()[0]!.body);
  assert.equal(next.sender.state.sent, 2);
});

test("over a line that loses requests and answers at will, each sample is counted once", async () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const random = seededRandom(seed);
    const { buffer, sender, transport, pass } = bench();
    const seen = new Set<string>();
    let counted = 0;
    transport.respond = (call) => {
      if (call.path === "/health") return random.int(0, 2) === 0 ? failure(true) : acceptAll(call);
      switch (random.int(0, 5)) {
        case 0:
          return failure(false);
        case 1:
          return failure(true);
        case 2:
          return answer(503, { error: "full" });
      }
      const { requestId } = JSON.parse(call.body!) as { requestId: string };
      if (seen.has(requestId)) return answer(409, { error: "again" });
      seen.add(requestId);
      counted += samplesOf(call).reduce((sum, { increment }) => sum + increment!, 0);
      return random.int(0, 1) === 0 ? failure(true) : acceptAll(call);
    };
    let recorded = 0;
    for (let step = 0; step < 300; step++) {
      for (let index = random.int(0, 5); index > 0; index--, recorded++) buffer.add(sample(`c${random.int(0, 40)}`));
      sender.wake();
      if (random.int(0, 9) === 0) sender.flush();
      if (random.int(0, 19) === 0) await sender.drain();
      await pass(random.int(1, 3000));
    }
    transport.respond = (call) => {
      if (call.path === "/health") return acceptAll(call);
      const { requestId } = JSON.parse(call.body!) as { requestId: string };
      if (seen.has(requestId)) return answer(409, { error: "again" });
      counted += samplesOf(call).reduce((sum, { increment }) => sum + increment!, 0);
      return acceptAll(call);
    };
    await sender.drain();
    assert.equal(counted, recorded, `seed ${seed}`);
    assert.equal(buffer.dropped.unknown, 0);
  }
});

test("jitter: by chance, a wait is as short as half of itself", async () => {
  const { add, pass, transport } = bench({}, () => 0);
  transport.respond = () => failure(false);
  add();
  await pass(5000);
  await pass(499);
  assert.equal(transport.calls.length, 1);
  await pass(1);
  assert.equal(transport.calls.length, 2);
});
