/** Texts on their way from memory to segments, on a disk that can be looked at. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { KeptDocument } from "../../../src/plugins/rag/corpus-state.ts";
import { openSegments } from "../../../src/system/segments.ts";
import { FakeDisk } from "../../support/fake-disk.ts";
import { silentLog } from "../../support/silent-log.ts";
import { startTestRag, type TestRag } from "../../support/rag.ts";

interface SealedRag extends TestRag {
  readonly disk: FakeDisk;
  document(id: string): KeptDocument;
  textOf(id: string): Promise<string | undefined>;
  segments(): string[];
}

async function startOnDisk(t: TestContext): Promise<SealedRag> {
  const disk = new FakeDisk();
  const rag = await startTestRag(t, {
    services: { openSegments: (name) => openSegments({ disk, log: silentLog }, `/${name}`) },
  });
  const document = (id: string): KeptDocument => rag.engine.corpus.find("notes", id)!;
  return {
    ...rag,
    disk,
    document,
    textOf: async (id) => (await rag.engine.texts.read(document(id)))?.toString(),
    segments: () => disk.paths().filter((path) => path.startsWith("/texts/")),
  };
}

test("sealed texts leave memory, and are read as before", async (t) => {
  const { put, engine, document, textOf, find, store } = await startOnDisk(t);
  await put("a", "a fox");
  await put("b", "");
  assert.equal(engine.sealer.waitingBytes, 5);
  await engine.sealer.seal();
  assert.deepEqual([document("a").text, engine.sealer.waitingBytes], [undefined, 0]);
  assert.deepEqual([await textOf("a"), await textOf("b"), find("fox")], ["a fox", "", ["a"]]);
  assert.deepEqual(store.reopen().collections.get("notes")!.documents.get("a")!.place, document("a").place);
  await put("a", "a wolf");
  assert.deepEqual([await textOf("a"), find("fox"), find("wolf")], ["a wolf", [], ["a"]]);
});

test("texts are sealed when they have waited, not before", async (t) => {
  const { put, engine, services, document } = await startOnDisk(t);
  const { advance } = services.clock as unknown as { advance(ms: number): void };
  await put("a", "a fox");
  advance(28_000);
  await engine.sealer.settled();
  assert.ok(document("a").text);
  advance(4_000);
  await engine.sealer.settled();
  assert.equal(document("a").text, undefined);
});

test("what is replaced while it is sealed keeps its new text", async (t) => {
  const { put, engine, textOf, disk, segments } = await startOnDisk(t);
  await put("a", "old");
  await put("b", "gone");
  const held = Promise.withResolvers<void>();
  disk.hold = () => held.promise;
  const sealing = engine.sealer.seal();
  await put("a", "new");
  await engine.corpus.commit({ kind: "drop", collection: "notes", ids: ["b"] });
  disk.hold = undefined;
  held.resolve();
  await sealing;
  assert.equal(await textOf("a"), "new");
  assert.equal(engine.sealer.waitingBytes, 0);
  assert.equal(segments().length, 2);
});

test("a segment that is mostly dead is written anew; a dead one goes after two snapshots", async (t) => {
  const { put, drop, engine, textOf, segments, document } = await startOnDisk(t);
  for (const id of ["a", "b", "c"]) await put(id, `${id} `.repeat(100));
  await engine.sealer.seal();
  const [first] = segments();
  await drop("a", "b");
  await engine.sealer.seal();
  assert.equal(document("c").place!.segment, 2);
  assert.equal(await textOf("c"), "c ".repeat(100));
  assert.equal(segments().length, 2);
  await engine.sealer.compact();
  assert.ok(segments().includes(first!));
  await engine.sealer.compact();
  assert.ok(!segments().includes(first!));
  assert.equal(await textOf("c"), "c ".repeat(100));
  await drop("c");
  await engine.sealer.compact();
  await engine.sealer.compact();
  assert.deepEqual(segments(), []);
});

test("a full disk keeps texts in memory, says so, and goes on when there is room", async (t) => {
  const { put, engine, textOf, disk, services } = await startOnDisk(t);
  await put("a", "a fox");
  disk.capacityBytes = 0;
  await assert.rejects(engine.sealer.seal(), /ENOSPC/);
  assert.match(engine.problems().join(), /texts stay in memory, because .*ENOSPC/);
  assert.equal(await textOf("a"), "a fox");
  disk.capacityBytes = 1e6;
  const { advance } = services.clock as unknown as { advance(ms: number): void };
  advance(40_000);
  await engine.sealer.settled();
  assert.deepEqual(engine.problems(), []);
  assert.equal(await textOf("a"), "a fox");
});

test("a text that cannot be read is told of once, and is no text; read or put again, all is well", async (t) => {
  const { put, engine, textOf, disk, document } = await startOnDisk(t);
  await put("a", "a fox");
  await engine.sealer.seal();
  disk.fault = (operation, path) => (operation === "read" && path.startsWith("/texts/") ? "EIO" : undefined);
  assert.equal(await textOf("a"), undefined);
  assert.equal(await engine.knowledge.readText(document("a"), 0, 1), undefined);
  assert.match(engine.problems().join(), /the stored text of a document is damaged: "a" of "notes"/);
  disk.fault = undefined;
  assert.equal(await textOf("a"), "a fox");
  assert.deepEqual(engine.problems(), []);
  disk.fault = (operation) => (operation === "read" ? "EIO" : undefined);
  await put("a", "a wolf");
  assert.deepEqual([engine.problems(), await textOf("a")], [[], "a wolf"]);
});
