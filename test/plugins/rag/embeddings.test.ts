import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { validate } from "../../../src/core/validate.ts";
import { type EmbeddingsConfig, embeddingsSchema } from "../../../src/plugins/rag/embedding-config.ts";
import { createEmbeddings, type EmbeddableDocument, type Embeddings } from "../../../src/plugins/rag/embeddings.ts";
import { openBlobCache } from "../../../src/system/blob-cache.ts";
import { createFetch } from "../../../src/system/fetch.ts";
import {
  embedAll,
  type FakeEmbeddings,
  isProbe,
  sendJson,
  startFakeEmbeddings,
} from "../../support/fake-embeddings.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { freePort } from "../../support/free-port.ts";
import { recordingLog } from "../../support/recording-log.ts";
import { until } from "../../support/tally.ts";
import { tempDir } from "../../support/temp-dir.ts";

const never = new AbortController().signal;

interface Corpus {
  readonly documents: Map<number, string[]>;
  add(...texts: string[]): EmbeddableDocument;
}

function makeCorpus(): Corpus & { all(): EmbeddableDocument[] } {
  const documents = new Map<number, string[]>();
  let nextId = 1;
  const asDocument = (firstChunkId: number): EmbeddableDocument => ({
    firstChunkId,
    chunkCount: documents.get(firstChunkId)!.length,
    texts: async () => documents.get(firstChunkId) ?? [],
  });
  return {
    documents,
    add(...texts) {
      const firstChunkId = nextId;
      documents.set(firstChunkId, texts);
      nextId += texts.length;
      return asDocument(firstChunkId);
    },
    all: () => [...documents.keys()].map(asDocument),
  };
}

function readConfig(url: string | null, more: object = {}): EmbeddingsConfig {
  const read = validate(embeddingsSchema, { url, model: "m", ...more });
  assert.ok(read.ok, JSON.stringify(read));
  return read.value;
}

interface World {
  readonly server: FakeEmbeddings;
  readonly corpus: ReturnType<typeof makeCorpus>;
  readonly clock: ReturnType<typeof fakeClock>;
  readonly log: ReturnType<typeof recordingLog>;
  readonly cachePath: string;
  start(config?: EmbeddingsConfig): Promise<Embeddings>;
}

async function makeWorld(t: TestContext, chunks = 10): Promise<World> {
  const server = await startFakeEmbeddings(t);
  const corpus = makeCorpus();
  for (let at = 0; at < chunks; at += 5)
    corpus.add(
      ...Array.from({ length: Math.min(5, chunks - at) }, (_, index) => `chunk ${at + index} about topic${at + index}`),
    );
  const clock = fakeClock();
  const log = recordingLog();
  const cachePath = join(tempDir(t), "embeddings.cache");
  return {
    server,
    corpus,
    clock,
    log,
    cachePath,
    async start(config = readConfig(server.url, { batchSize: 4 })) {
      const services = {
        clock,
        log,
        fetch: createFetch({ clock }),
        openCache: (_name: string, maxBytes: number) => openBlobCache(cachePath, maxBytes),
        turn: async () => void (await setImmediate()),
        documents: () => corpus.all(),
      };
      const embeddings = createEmbeddings(services);
      t.after(() => embeddings.stop());
      await embeddings.reconfigure(config);
      return embeddings;
    },
  };
}

const isReady = (embeddings: Embeddings): boolean =>
  embeddings.state().state === "ready" && embeddings.state().ratio === 1;

/** Lets waiting times pass as they come. */
async function untilWith(clock: World["clock"], isTrue: () => boolean): Promise<void> {
  await until(() => {
    if (isTrue()) return true;
    clock.advance(1_000);
    return false;
  });
}

async function find(embeddings: Embeddings, text: string): Promise<number | string | undefined> {
  const leg = embeddings.leg();
  const vector = await leg?.embedQuery(text, never);
  if (vector === undefined || typeof vector === "string") return vector;
  return leg!.index.search(vector, { k: 1 })[0]?.id;
}

test("all chunks get vectors, in batches, and a question finds the nearest", async (t) => {
  const { server, start } = await makeWorld(t);
  const embeddings = await start();
  await until(() => isReady(embeddings));
  assert.equal(server.texts().length, 10);
  assert.ok(server.requests.every(({ path, input }) => path === "/v1/embeddings" && input.length <= 4));
  assert.equal(await find(embeddings, "topic7"), 8);
  assert.deepEqual(embeddings.state(), { state: "ready", model: "m", ratio: 1, error: null });
  assert.deepEqual(embeddings.notices(), []);
  assert.equal(embeddings.embeddedOf({ firstChunkId: 6, chunkCount: 5 }), 5);
  assert.equal(embeddings.embeddedOf({ firstChunkId: 11, chunkCount: 5 }), 0);
});

test("without a url there is nothing", async (t) => {
  const { server, start } = await makeWorld(t);
  const embeddings = await start(readConfig(null));
  assert.equal(embeddings.leg(), undefined);
  assert.deepEqual(embeddings.state(), { state: "off", model: null, ratio: null, error: null });
  embeddings.added({ firstChunkId: 99, chunkCount: 1, texts: async () => ["x"] });
  await embeddings.settled();
  assert.equal(server.requests.length, 0);
});

test("what was sent once is not sent again: after a restart, moved, chunked anew", async (t) => {
  const { server, corpus, start } = await makeWorld(t);
  const first = await start();
  await until(() => isReady(first));
  await first.stop();
  server.requests.length = 0;
  const second = await start();
  await until(() => isReady(second));
  assert.deepEqual(server.texts(), []);
  second.removed({ firstChunkId: 1, chunkCount: 5 });
  const [texts] = [corpus.documents.get(1)!];
  corpus.documents.delete(1);
  assert.equal(second.state().ratio, 1);
  second.added(corpus.add("a new beginning", ...texts));
  await until(() => isReady(second));
  assert.deepEqual(server.texts(), ["a new beginning"]);
  assert.equal(await find(second, "topic3"), 15, "the new id, not the old one");
});

test("the same text in many chunks is sent once", async (t) => {
  const { server, corpus, start } = await makeWorld(t, 0);
  for (let count = 0; count < 20; count++) corpus.add("the same license", `of file ${count}`);
  const embeddings = await start();
  await until(() => isReady(embeddings));
  assert.equal(server.texts().length, 21);
  assert.equal(embeddings.leg()!.index.size, 40);
});

test("an endpoint that is down: searches go on at once, and all is caught up when it is back", async (t) => {
  const { server, clock, corpus, log, start } = await makeWorld(t);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/v1`;
  const embeddings = await start(
    readConfig(url, { apiKey: "canary-key-1234", headers: { "x-team": "canary-header" } }),
  );
  await until(() => embeddings.state().state === "away");
  assert.equal(embeddings.leg(), undefined);
  assert.match(embeddings.notices().join(), /^searched without the endpoint's vectors: .*the connection was refused/);
  const back = await startFakeEmbeddings(t, port);
  await untilWith(clock, () => isReady(embeddings));
  assert.equal(await find(embeddings, "topic2"), 3);
  assert.equal(back.requests[0]!.headers.authorization, "Bearer canary-key-1234");
  assert.equal(back.requests[0]!.headers["x-team"], "canary-header");

  await back.close();
  assert.match(String(await find(embeddings, "topic2")), /refused/);
  embeddings.added(corpus.add("late"));
  const asked = await find(embeddings, "topic2");
  assert.match(String(asked), /refused/, "the second one is answered without asking");
  await startFakeEmbeddings(t, port);
  await untilWith(clock, () => isReady(embeddings));
  assert.equal(await find(embeddings, "late"), 11);
  assert.doesNotMatch(JSON.stringify([log.lines, embeddings.state()]), /canary/);
  assert.equal(server.requests.length, 0);
});

test("429 with Retry-After is waited for, as long as it says", async (t) => {
  const { server, clock, start } = await makeWorld(t);
  let refusals = 0;
  server.misbehave = (request, response) =>
    !isProbe(request) &&
    refusals++ < 2 &&
    sendJson(response, { error: { message: "slow down" } }, 429, { "retry-after": "30" });
  const embeddings = await start(readConfig(server.url, { concurrency: 1 }));
  await until(() => embeddings.state().state === "away");
  assert.match(embeddings.state().error!, /it answered 429 \(slow down\)$/);
  const sent = server.requests.length;
  clock.advance(29_000);
  await setImmediate();
  assert.equal(server.requests.length, sent);
  await untilWith(clock, () => isReady(embeddings));
  assert.equal(server.texts().length, 30, "three times ten");
});

test("half a batch, in any order, with gaps, and numbers that are none", async (t) => {
  const { server, start } = await makeWorld(t);
  server.misbehave = (request, response) => {
    if (isProbe(request)) return false;
    const data = embedAll(server, request.input).reverse();
    if (request.input.length > 1) data.splice(0, Math.ceil(data.length / 2));
    if (data.length > 1) data[0]!.embedding[3] = null as unknown as number;
    return sendJson(response, { data });
  };
  const embeddings = await start();
  await until(() => isReady(embeddings));
  assert.equal(await find(embeddings, "topic9"), 10);
});

test("answers that make no sense are failures, not vectors", async (t) => {
  const { server, clock, start } = await makeWorld(t, 1);
  const nonsense: unknown[] = [
    "not JSON",
    {},
    { data: 7 },
    { data: [7] },
    { data: [] },
    { data: [{ index: 5, embedding: [1] }] },
    { data: [{ embedding: [1] }, { embedding: [1] }] },
  ];
  let round = 0;
  server.misbehave = (request, response) =>
    !isProbe(request) && round < nonsense.length && sendJson(response, nonsense[round++]);
  const embeddings = await start();
  await untilWith(clock, () => isReady(embeddings));
  assert.equal(round, nonsense.length);
});

test("a text that the server refuses costs no other its vector", async (t) => {
  const { server, start } = await makeWorld(t);
  server.misbehave = ({ input }, response) =>
    input.some((text) => text.includes("topic4")) && sendJson(response, { error: "too long" }, 400);
  const embeddings = await start();
  await until(() => embeddings.state().ratio === 0.9 && embeddings.state().state === "ready");
  assert.match(embeddings.state().error!, /it answered 400 \(too long\)$/);
  assert.equal(embeddings.leg()!.index.has(5), false);
});

test("vectors of another length than the model's are not taken", async (t) => {
  const { server, start } = await makeWorld(t);
  server.misbehave = (request, response) => {
    const isOdd = request.input.some((text) => text.includes("topic4"));
    const data = embedAll(server, request.input).map((item, at) =>
      request.input[at]!.includes("topic4") ? { ...item, embedding: [1, 2, 3] } : item,
    );
    return isOdd && sendJson(response, { data });
  };
  const embeddings = await start();
  await until(() => embeddings.state().ratio === 0.9 && embeddings.state().state === "ready");
  assert.match(embeddings.state().error!, /no usable vector/);
});

test("a slow endpoint holds no search up", async (t) => {
  const { server, clock, start } = await makeWorld(t);
  const embeddings = await start();
  await until(() => isReady(embeddings));
  server.misbehave = () => true;
  const asked = find(embeddings, "topic1");
  const sent = server.requests.length;
  await until(() => server.requests.length > sent);
  clock.advance(1_500);
  assert.match(String(await asked), /no whole answer came within 1.5 s/);
  assert.match(String(await find(embeddings, "topic1")), /no whole answer/, "and the next is not even tried");
  server.misbehave = () => false;
  await untilWith(
    clock,
    () => (isReady(embeddings) && embeddings.state().error === null) || (void find(embeddings, "topic1"), false),
  );
  assert.equal(await find(embeddings, "topic1"), 2);
});

test("another model in the config: the old one serves until all is made anew", async (t) => {
  const { server, start } = await makeWorld(t);
  const embeddings = await start(readConfig(server.url, { model: "old", batchSize: 4 }));
  await until(() => isReady(embeddings));
  let isHeld = true;
  const held: (() => void)[] = [];
  server.misbehave = (request, response) => {
    if (request.model === "old") return false;
    const answer = () => sendJson(response, { data: embedAll({ dimensions: 96, seed: 9 }, request.input) });
    if (!isHeld || isProbe(request)) return answer();
    held.push(answer);
    return true;
  };
  await embeddings.reconfigure(readConfig(server.url, { model: "new", batchSize: 4 }));
  await until(() => held.length === 2);
  assert.equal(embeddings.leg()!.index.dimensions, 64);
  assert.equal(await find(embeddings, "topic6"), 7);
  assert.deepEqual([embeddings.state().state, embeddings.state().ratio], ["catching-up", 0]);
  assert.match(embeddings.notices().join(), /has seen 0 % of the texts/);
  isHeld = false;
  for (const answer of held) answer();
  await until(() => isReady(embeddings) && embeddings.leg()!.index.dimensions === 96);
  assert.equal(await find(embeddings, "topic6"), 7);
  server.requests.length = 0;
  await embeddings.reconfigure(readConfig(server.url, { model: "old", batchSize: 4 }));
  await until(() => isReady(embeddings) && embeddings.leg()!.index.dimensions === 64);
  assert.deepEqual(server.texts(), [], "the vectors of the old one are still in the cache");
});

test("another model behind the same name is seen at the next start, and made anew", async (t) => {
  const { server, start } = await makeWorld(t);
  const first = await start();
  await until(() => isReady(first));
  await first.stop();
  server.requests.length = 0;
  server.seed = 2;
  const second = await start();
  await until(() => isReady(second) && server.texts().length === 10);
  assert.equal(await find(second, "topic6"), 7);
  await second.stop();
  server.requests.length = 0;
  server.dimensions = 16;
  const third = await start();
  await until(() => isReady(third) && third.leg()!.index.dimensions === 16);
  assert.equal(server.texts().length, 10);
});

test("another address with the same model keeps the vectors; a key alone changes nothing", async (t) => {
  const { server, start } = await makeWorld(t);
  const embeddings = await start();
  await until(() => isReady(embeddings));
  const other = await startFakeEmbeddings(t);
  await embeddings.reconfigure(readConfig(`${other.url}/embeddings`, { apiKey: "key" }));
  await until(() => other.requests.length > 0 && isReady(embeddings));
  assert.equal(await find(embeddings, "topic6"), 7);
  assert.deepEqual(other.texts(), ["topic6"]);
  assert.equal(server.texts().length, 10);
  await embeddings.reconfigure(readConfig(null));
  assert.equal(embeddings.leg(), undefined);
  await embeddings.reconfigure(readConfig(server.url));
  await until(() => isReady(embeddings));
});

test("stopped in the middle and started again, it sends only what is missing", async (t) => {
  const { server, start } = await makeWorld(t, 40);
  server.misbehave = ({ number }) => number > 5;
  const first = await start(readConfig(server.url, { batchSize: 4, concurrency: 1 }));
  await until(() => server.requests.length === 6);
  await first.stop();
  const arrived = 16;
  server.misbehave = () => false;
  server.requests.length = 0;
  const second = await start();
  await until(() => isReady(second));
  assert.equal(server.texts().length, 40 - arrived);
});

test("what is removed while it is under way leaves no vector behind", async (t) => {
  const { server, start } = await makeWorld(t);
  const held: (() => void)[] = [];
  server.misbehave = (request, response) => {
    if (isProbe(request)) return false;
    held.push(() => sendJson(response, { data: embedAll(server, request.input) }));
    return true;
  };
  const embeddings = await start();
  await until(() => held.length === 2);
  embeddings.removed({ firstChunkId: 1, chunkCount: 5 });
  server.misbehave = () => false;
  for (const answer of held) answer();
  await until(() => isReady(embeddings));
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map((id) => embeddings.leg()!.index.has(id)),
    [false, false, false, false, false, true],
  );
});

test("what is left in the cache of texts that are gone goes; damage costs only new requests", async (t) => {
  const { server, cachePath, log, start } = await makeWorld(t);
  const cache = await openBlobCache(cachePath, 1e9);
  for (let junk = 0; junk < 20; junk++) await cache.put(junk.toString(16).padStart(32, "f"), new Uint8Array(1_000_000));
  await cache.close();
  const first = await start();
  await until(() => log.lines.some(({ message }) => message === "made the cache of embeddings smaller"));
  assert.ok(isReady(first) && statSync(cachePath).size < 10_000);
  await first.stop();
  const bytes = readFileSync(cachePath);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(cachePath, bytes);
  server.requests.length = 0;
  const second = await start();
  await until(() => isReady(second));
  assert.equal(server.texts().length, 1);
});

test("without a disk for the cache all goes on", async (t) => {
  const { server, cachePath, start } = await makeWorld(t);
  mkdirSync(cachePath);
  const embeddings = await start();
  await until(() => isReady(embeddings));
  assert.equal(server.texts().length, 10);
});

test("prefixes, dimensions and the form of the request are what the config says", async (t) => {
  const { server, start } = await makeWorld(t, 1);
  const config = readConfig(server.url, {
    queryPrefix: "query: ",
    documentPrefix: "passage: ",
    dimensions: 64,
    model: "e5",
  });
  const embeddings = await start(config);
  await until(() => isReady(embeddings));
  await find(embeddings, "topic0");
  assert.deepEqual(server.texts(), ["passage: chunk 0 about topic0", "query: topic0"]);
  const { input: _, ...body } = server.requests.at(-1)!.body;
  assert.deepEqual(body, { model: "e5", encoding_format: "float", dimensions: 64 });
});

test("the config needs a model, and a url that is one", () => {
  const faults = (value: object): string[] => {
    const read = validate(embeddingsSchema, value);
    return read.ok ? [] : read.issues.map(({ path, message }) => `${path}: ${message}`);
  };
  assert.deepEqual(faults({}), []);
  assert.deepEqual(faults({ url: "http://127.0.0.1:1/v1" }), ["model: is required where there is a url"]);
  assert.match(faults({ url: "ftp://x", model: "m" }).join(), /^url: expected an http or https URL/);
});
