import assert from "node:assert/strict";
import { test } from "node:test";
import { notesCollection } from "../../../src/plugins/rag/collection.ts";
import { Corpus, CorpusFullError } from "../../../src/plugins/rag/corpus.ts";
import type { CorpusEvent, CorpusState } from "../../../src/plugins/rag/corpus-state.ts";
import { corpusStore } from "../../../src/plugins/rag/corpus-store.ts";
import { memoryStore, type MemoryStore } from "../../support/memory-store.ts";
import { preparedDocument } from "../../support/prepared.ts";

const LIMITS = { maxDocuments: 100, maxChunks: 1000 };

async function given(limits = LIMITS): Promise<{ corpus: Corpus; store: MemoryStore<CorpusState, CorpusEvent> }> {
  const store = memoryStore(corpusStore);
  const corpus = new Corpus(store, () => limits);
  await corpus.commit({ kind: "define", definition: notesCollection("notes"), source: "api" });
  return { corpus, store };
}

/** What there is, for comparison: texts as texts, without what is only for speed. */
function contents({
  collections,
  nextChunkId,
  nextSegment,
  documentCount,
  chunkCount,
  textBytes,
}: CorpusState): unknown {
  const documents = [...collections.values()].flatMap((record) => [
    [record.definition, record.source, record.scan, record.chunkCount, record.textBytes],
    ...[...record.documents.values()]
      .sort((one, other) => one.firstChunkId - other.firstChunkId)
      .map(({ text, table, ...rest }) =>
        JSON.parse(JSON.stringify([text?.toString(), Buffer.from(table).toString(), rest])),
      ),
  ]);
  return { documents, nextChunkId, nextSegment, documentCount, chunkCount, textBytes };
}

function snapshotAndBack(state: CorpusState): CorpusState {
  return corpusStore.restore(
    [...corpusStore.snapshot(state)].map((piece) => Buffer.from(piece)),
    1,
  );
}

test("a document is replaced as a whole; its chunks get other ids, and counts stay true", async () => {
  const { corpus } = await given();
  await corpus.put(await preparedDocument("one\n\n" + "word ".repeat(1000)));
  const first = corpus.find("notes", "a")!;
  assert.ok(first.chunkCount > 2);
  await corpus.put(await preparedDocument("two"));
  const second = corpus.find("notes", "a")!;
  assert.equal(second.firstChunkId, first.firstChunkId + first.chunkCount);
  const { documentCount, chunkCount, textBytes, directory } = corpus.state;
  assert.deepEqual({ documentCount, chunkCount, textBytes }, { documentCount: 1, chunkCount: 1, textBytes: 3 });
  assert.equal(directory.find(first.firstChunkId), undefined);
  assert.equal(directory.find(second.firstChunkId), second);
  assert.equal(directory.find(second.firstChunkId + 1), undefined);
  await corpus.commit({ kind: "drop", collection: "notes", ids: ["a", "never"] });
  assert.equal(directory.find(second.firstChunkId), undefined);
  assert.equal(corpus.state.documentCount + corpus.state.chunkCount + corpus.state.textBytes, 0);
});

test("texts without chunks are told apart too", async () => {
  const { corpus } = await given();
  await corpus.put(await preparedDocument(""));
  const first = corpus.find("notes", "a")!;
  await corpus.put(await preparedDocument(" "));
  assert.notEqual(corpus.find("notes", "a")!.firstChunkId, first.firstChunkId);
  assert.equal(corpus.current(first), undefined);
});

test("names that objects have already are names as any other", async () => {
  const { corpus, store } = await given();
  for (const id of ["__proto__", "constructor", "toString"]) await corpus.put(await preparedDocument(id, { id }));
  assert.equal(corpus.find("notes", "__proto__")!.text!.toString(), "__proto__");
  assert.equal(corpus.find("notes", "hasOwnProperty"), undefined);
  assert.deepEqual(contents(store.reopen()), contents(corpus.state));
});

test("journal and snapshot lead to the same state", async () => {
  const { corpus, store } = await given();
  for (const id of ["a", "b", "c", "d"]) {
    await corpus.put(await preparedDocument(`# ${id}\n\ntext of ${id} é`, { id }));
  }
  await corpus.put(
    await preparedDocument("another b", { id: "b", title: "t", expiresMs: 5, metadata: { a: 1, b: true } }),
  );
  await corpus.commit({ kind: "drop", collection: "notes", ids: ["c"] });
  const { firstChunkId } = corpus.find("notes", "d")!;
  const texts = [{ collection: "notes", id: "d", firstChunkId, offset: 7, sizeBytes: 20 }];
  await corpus.commit({ kind: "sealed", segment: 3, texts });
  await corpus.commit({
    kind: "touch",
    collection: "notes",
    id: "a",
    file: { sizeBytes: 1, modifiedMs: 2, hash: "ff" },
  });
  await corpus.commit({ kind: "define", definition: notesCollection("gone"), source: "api" });
  await corpus.put(await preparedDocument("x", { collection: "gone" }));
  await corpus.commit({ kind: "remove", collection: "gone" });
  const expected = contents(corpus.state);
  assert.deepEqual(contents(store.reopen()), expected);
  assert.deepEqual(contents(snapshotAndBack(corpus.state)), expected);
  assert.deepEqual(corpus.find("notes", "d")!.place, { segment: 3, offset: 7, sizeBytes: 20 });
});

test("a snapshot is the state of its moment, however slowly it is read", async () => {
  const { corpus } = await given();
  for (const id of ["a", "b", "c"]) await corpus.put(await preparedDocument(id, { id }));
  const expected = contents(corpus.state);
  const pieces = corpusStore.snapshot(corpus.state)[Symbol.iterator]();
  const read = [Buffer.from(pieces.next().value as Uint8Array)];
  await corpus.put(await preparedDocument("later", { id: "b" }));
  await corpus.commit({ kind: "drop", collection: "notes", ids: ["a"] });
  for (let next = pieces.next(); !next.done; next = pieces.next()) read.push(Buffer.from(next.value));
  assert.deepEqual(contents(corpusStore.restore(read, 1)), expected);
});

test("a text is sealed only where it is the version that was written", async () => {
  const { corpus } = await given();
  await corpus.put(await preparedDocument("old"));
  const { firstChunkId } = corpus.find("notes", "a")!;
  await corpus.put(await preparedDocument("new"));
  const texts = [{ collection: "notes", id: "a", firstChunkId, offset: 0, sizeBytes: 15 }];
  await corpus.commit({ kind: "sealed", segment: 1, texts });
  assert.equal(corpus.find("notes", "a")!.text!.toString(), "new");
});

test("chunk ids given anew: same documents, same order, from 0", async () => {
  const { corpus } = await given();
  for (const id of ["a", "b", "c"]) await corpus.put(await preparedDocument(id, { id }));
  await corpus.commit({ kind: "drop", collection: "notes", ids: ["a"] });
  await corpus.commit({ kind: "renumber" });
  assert.deepEqual([corpus.find("notes", "b")!.firstChunkId, corpus.find("notes", "c")!.firstChunkId], [0, 1]);
  assert.equal(corpus.state.directory.find(1)!.id, "c");
  assert.equal(corpus.state.nextChunkId, 2);
});

test("limits hold, also for what is still on its way", async () => {
  const { corpus, store } = await given({ maxDocuments: 2, maxChunks: 4 });
  store.hold = true;
  const [one, other] = [
    corpus.put(await preparedDocument("1", { id: "1" })),
    corpus.put(await preparedDocument("2", { id: "2" })),
  ];
  await assert.rejects(corpus.put(await preparedDocument("3", { id: "3" })), CorpusFullError);
  store.settle("failed");
  await assert.rejects(one, /no space/);
  await assert.rejects(other, /no space/);
  store.hold = false;
  await corpus.put(await preparedDocument("3", { id: "3" }));
  await assert.rejects(corpus.put(await preparedDocument("word ".repeat(2000), { id: "3" })), /rag\.maxChunks \(4\)/);
  await corpus.put(await preparedDocument("3, again", { id: "3" }));
});
