import assert from "node:assert/strict";
import { test } from "node:test";
import { LexicalIndex } from "../../../src/core/bm25.ts";
import { encodeLatent } from "../../../src/core/latent.ts";
import type { KeptDocument } from "../../../src/plugins/rag/corpus-state.ts";
import type { Engine } from "../../../src/plugins/rag/engine.ts";
import { indexedChunks } from "../../../src/plugins/rag/indexed-chunks.ts";
import { seededRandom } from "../../support/random.ts";
import { startTestRag, type TestRag } from "../../support/rag.ts";

const WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau".split(
  " ",
);

function documentsOf({ corpus }: Engine): KeptDocument[] {
  return [...corpus.state.collections.values()].flatMap(({ documents }) => [...documents.values()]);
}

/** The answers of all indexes, with what they should be: those of an index made of the corpus as it is. */
function compareWithFresh({ indexes, corpus, knowledge }: Engine): void {
  const fresh = new LexicalIndex();
  for (const document of documentsOf({ corpus } as Engine)) {
    for (const { chunkId, fields } of indexedChunks(document, document.text!)) fresh.add(chunkId, fields);
  }
  assert.equal(indexes.lexical.size, fresh.size);
  assert.equal(indexes.lexical.averageLength, fresh.averageLength);
  for (const text of WORDS) {
    const found = indexes.lexical.search({ text }, { k: 50 });
    assert.deepEqual(found, fresh.search({ text }, { k: 50 }), text);
    for (const { id } of found) assert.ok(knowledge.chunk(id), `${id} leads to a document`);
  }
  for (const leg of [indexes.hashed, indexes.latent]) if (leg !== undefined) assert.equal(leg.index.size, fresh.size);
}

test("what is put can be found at once, what is replaced or dropped cannot", async (t) => {
  const { put, drop, find, engine } = await startTestRag(t);
  await put("a", "the quick fox");
  await put("b", "the lazy dog");
  assert.deepEqual(find("fox"), ["a"]);
  await put("a", "a slow snail");
  assert.deepEqual(find("fox"), []);
  assert.deepEqual(find("snail"), ["a"]);
  await drop("a");
  assert.deepEqual(find("snail"), []);
  assert.deepEqual(find("dog"), ["b"]);
  assert.equal(engine.indexes.hashed.index.size, 1);
});

test("after any changes, together or one after the other, the indexes are those of the corpus", async (t) => {
  const rag = await startTestRag(t);
  const random = seededRandom(7);
  const text = (): string =>
    Array.from({ length: random.int(0, 300) }, () => WORDS[random.int(0, WORDS.length - 1)]).join(" ");
  for (let round = 0; round < 12; round++) {
    const changes = Array.from({ length: 10 }, () => {
      const id = `d${random.int(0, 25)}`;
      return random.int(0, 3) === 0 ? rag.drop(id).catch(() => undefined) : rag.put(id, text());
    });
    if (round === 5) changes.push(rag.engine.refresh.refreshAll());
    await Promise.all(changes);
    compareWithFresh(rag.engine);
  }
});

test("an index that missed changes is brought to the corpus", async (t) => {
  const { put, drop, engine } = await startTestRag(t);
  for (const id of ["a", "b", "c"]) await put(id, `alpha ${id}`);
  engine.corpus.state.onChange = undefined;
  await put("a", "beta");
  await put("d", "gamma");
  await drop("b");
  assert.throws(() => compareWithFresh(engine));
  await engine.indexes.catchUp();
  compareWithFresh(engine);
});

async function fill({ put }: TestRag, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const topic = at % 2 === 0 ? "ship sea sail harbour captain" : "bread oven flour baker dough";
    await put(`d${at}`, `${topic} ${WORDS[at % WORDS.length]} number${at}`);
  }
}

test("subjects are learned once there is enough to learn from; vectors know how rare spellings are", async (t) => {
  const rag = await startTestRag(t);
  await fill(rag, 199);
  await rag.engine.refresh.refreshAll();
  assert.equal(rag.engine.indexes.latent, undefined);
  assert.equal(rag.engine.indexes.hashed.encoder.documentCount, 199);
  await fill(rag, 250);
  await rag.engine.refresh.refreshAll();
  const { model, index } = rag.engine.indexes.latent!;
  assert.equal(index.size, 250);
  const hits = index.search(encodeLatent([{ text: "harbour", weight: 1 }], model), { k: 5 });
  for (const { id } of hits) {
    const { firstChunkId, text } = rag.engine.knowledge.chunk(id)!.document as KeptDocument;
    assert.equal(firstChunkId, id);
    assert.match(text!.toString(), /captain/);
  }
  compareWithFresh(rag.engine);
});

test("vectors are made anew in the background when a third has changed, and not before", async (t) => {
  const rag = await startTestRag(t);
  const clock = rag.services.clock as unknown as { advance(ms: number): void };
  await fill(rag, 90);
  clock.advance(2000);
  await rag.engine.refresh.refreshAll();
  const { encoder } = rag.engine.indexes.hashed;
  for (let at = 0; at < 30; at++) await rag.put(`d${at}`, `other ${at}`);
  clock.advance(2000);
  assert.equal(rag.engine.indexes.hashed.encoder, encoder);
  await rag.put("d30", "other");
  clock.advance(2000);
  await rag.engine.refresh.settled();
  assert.notEqual(rag.engine.indexes.hashed.encoder, encoder);
  compareWithFresh(rag.engine);
});

test("the same corpus gives the same vectors, however it came to be", async (t) => {
  const [one, other] = [await startTestRag(t), await startTestRag(t)];
  await fill(one, 220);
  for (let at = 219; at >= 0; at -= 2) await other.put(`d${at}`, "to be replaced");
  await other.put("more", "to be dropped");
  await fill(other, 220);
  await other.drop("more");
  const answers = await Promise.all(
    [one, other].map(async ({ engine }) => {
      await engine.refresh.refreshAll();
      const fields = [{ text: "harbor bred", weight: 1 }];
      const { hashed, latent } = engine.indexes;
      const hits = [
        ...hashed.index.search(hashed.encoder.encode(fields), { k: 20 }),
        ...latent!.index.search(encodeLatent(fields, latent!.model), { k: 20 }),
      ];
      return hits.map(({ id, score }) => `${score} ${engine.knowledge.chunk(id)!.document.id}`).sort();
    }),
  );
  assert.deepEqual(answers[0], answers[1]);
});
