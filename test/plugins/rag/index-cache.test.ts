/** Indexes kept for the next start: taken up, brought to the corpus, or made anew when anything is wrong. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Engine } from "../../../src/plugins/rag/engine.ts";
import { corpusStore } from "../../../src/plugins/rag/corpus-store.ts";
import { openSegments } from "../../../src/system/segments.ts";
import { FakeDisk } from "../../support/fake-disk.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { memoryStore } from "../../support/memory-store.ts";
import { recordingLog } from "../../support/recording-log.ts";
import { silentLog } from "../../support/silent-log.ts";
import { startTestRag, type TestRag } from "../../support/rag.ts";

const CACHE = "/index/segment-00000001";

interface Place {
  readonly disk: FakeDisk;
  readonly store: ReturnType<typeof memoryStore<never, never>>;
}

function newPlace(): Place {
  return { disk: new FakeDisk(), store: memoryStore(corpusStore) as never };
}

async function startAt(
  t: TestContext,
  { disk, store }: Place,
  clock = fakeClock(),
): Promise<TestRag & { readonly log: ReturnType<typeof recordingLog> }> {
  const log = recordingLog();
  const services = {
    clock,
    log,
    openStore: async () => store as never,
    openSegments: (name: string) => openSegments({ disk, log: silentLog }, `/${name}`),
  };
  return { ...(await startTestRag(t, { services })), log };
}

async function fill({ put, engine }: TestRag): Promise<void> {
  for (let at = 0; at < 230; at++)
    await put(`d${at}`, `${at % 2 === 0 ? "ship harbour sail" : "oven bread dough"} n${at}`);
  await engine.refresh.refreshAll();
}

/** What is read back must be what was written: the same answers, and nothing made anew. */
function answersOf({ indexes, knowledge }: Engine): unknown {
  const { lexical, hashed, latent } = indexes;
  const query = hashed.encoder.encode([{ text: "harbor n7 n8", weight: 1 }]);
  return {
    lexical: lexical
      .search({ text: "sail bread n17" }, { k: 50 })
      .map(({ id, score }) => [knowledge.chunk(id)?.document.id, score]),
    hashed: hashed.index.search(query, { k: 20 }),
    sizes: [lexical.size, hashed.index.size, latent?.index.size, latent?.model.rows.size],
    ages: indexes.ages,
  };
}

test("a start takes up what the last stop wrote", async (t) => {
  const place = newPlace();
  const first = await startAt(t, place);
  await fill(first);
  const expected = answersOf(first.engine);
  await first.engine.stop();
  const { engine, log } = await startAt(t, place);
  assert.deepEqual(answersOf(engine), expected);
  assert.equal(engine.indexes.changedChunks, 0);
  await engine.settled();
  assert.equal(engine.indexes.changedChunks, 0, "nothing was indexed anew");
  assert.deepEqual(
    log.lines.filter(({ level }) => level === "warn" || level === "error"),
    [],
  );
});

test("what changed since is caught up", async (t) => {
  const place = newPlace();
  const first = await startAt(t, place);
  await fill(first);
  await first.engine.cache.save();
  await first.put("d1", "changed altogether");
  await first.put("new", "entirely new");
  await first.drop("d2");
  // As after a kill: nothing more is written.
  const disk = place.disk.copy();
  const { engine, find } = await startAt(t, { ...place, disk });
  await engine.settled();
  assert.deepEqual([find("altogether"), find("entirely"), find("n2"), find("n1")], [["d1"], ["new"], [], []]);
  assert.equal(engine.indexes.changedChunks, 4);
  assert.equal(engine.indexes.hashed.index.size, 230);
});

test("a document that was being added when they were kept is whole afterwards", async (t) => {
  const place = newPlace();
  // Time goes on with every look at it, so that work is done in many slices.
  let ms = 0;
  const first = await startAt(t, place, { ...fakeClock(), monotonicMs: () => ms++ });
  await first.put("a", "alpha");
  const text = Array.from({ length: 60 }, (_, at) => `## part ${at}\n\n${"word ".repeat(150)}`).join("\n\n");
  const putting = first.put("long", text);
  while (!(first.engine.indexes.lexical.size > 3)) await first.services.turn();
  const isPartial = first.engine.indexes.held().partial.length === 2;
  await first.engine.cache.save();
  await putting;
  assert.ok(isPartial, "it was caught in the middle");
  const { engine, find } = await startAt(t, { ...place, disk: place.disk.copy() });
  await engine.settled();
  const { chunkCount } = engine.corpus.find("notes", "long")!;
  assert.equal(engine.indexes.lexical.size, chunkCount + 1);
  assert.deepEqual(find("alpha"), ["a"]);
});

const DAMAGE: Readonly<Record<string, (disk: FakeDisk) => void>> = {
  "a bit flipped": (disk) => {
    const bytes = disk.get(CACHE);
    bytes[bytes.length >> 1]! ^= 4;
    disk.put(CACHE, bytes);
  },
  "cut off": (disk) => disk.put(CACHE, disk.get(CACHE).subarray(0, -5)),
  "cut off at a record": (disk) => {
    const segments = openSegments({ disk, log: silentLog }, "/index");
    const last = [...segments.readAll(1)].at(-1)!.length + 12;
    disk.put(CACHE, disk.get(CACHE).subarray(0, -last));
  },
  empty: (disk) => disk.put(CACHE, Buffer.alloc(0)),
};

for (const [title, damage] of Object.entries(DAMAGE)) {
  test(`damaged (${title}): made anew, and said`, async (t) => {
    const place = newPlace();
    const first = await startAt(t, place);
    await first.put("a", "a fox");
    await first.put("b", "a dog");
    await first.engine.stop();
    const disk = place.disk.copy();
    damage(disk);
    const { engine, find, log } = await startAt(t, { ...place, disk });
    await engine.settled();
    assert.deepEqual([find("fox"), find("dog")], [["a"], ["b"]]);
    assert.match(JSON.stringify(log.lines), /the indexes are made anew/);
    assert.ok(!disk.paths().includes(CACHE));
  });
}

test("kept indexes that are younger than what is stored are not used: their ids may be given again", async (t) => {
  const place = newPlace();
  const first = await startAt(t, place);
  await first.put("a", "a fox");
  await first.put("b", "a dog");
  await first.engine.stop();
  const shorter = newPlace();
  const second = await startAt(t, { ...shorter, disk: new FakeDisk() });
  await second.put("c", "a gnu");
  const disk = place.disk.copy();
  const { engine, find } = await startAt(t, { disk, store: shorter.store });
  await engine.settled();
  assert.deepEqual([find("fox"), find("gnu"), engine.indexes.lexical.size], [[], ["c"], 1]);
});
