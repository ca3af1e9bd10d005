import assert from "node:assert/strict";
import { test } from "node:test";
import { LexicalIndex } from "../../src/core/bm25.ts";
import { encodeLatent, readLatentModel, trainLatent, writeLatentModel } from "../../src/core/latent.ts";
import { parseQuery } from "../../src/core/query.ts";
import { VectorIndex } from "../../src/core/vectors.ts";
import { forEachSeed, seededRandom } from "../support/random.ts";
import type { Random } from "../support/random.ts";

const textOf = (random: Random): string =>
  Array.from({ length: random.int(0, 30) }, () => `wörd${Math.floor(50 ** random.next())}`).join(" ");

function joined(pieces: Iterable<Uint8Array>): Uint8Array {
  return Buffer.concat([...pieces]);
}

/** Each beginning of the bytes is refused with a sentence, never taken for a whole. */
function assertRefusesParts(bytes: Uint8Array, read: (part: Uint8Array) => unknown): void {
  const random = seededRandom(1);
  for (let round = 0; round < 40; round++) {
    assert.throws(
      () => read(bytes.subarray(0, random.int(0, bytes.length - 1))),
      /Cannot read a snapshot: it ends early/,
    );
  }
}

function removeSome(index: { remove(id: number): boolean }, random: Random): void {
  for (let id = 0; id < 300; id += random.int(1, 5)) index.remove(id);
}

test("a lexical index comes back as it was, and goes on from there", () => {
  forEachSeed(5, (random) => {
    const index = new LexicalIndex();
    for (let id = 0; id < 300; id++) index.add(id, [{ text: textOf(random), weight: random.int(1, 3) }]);
    removeSome(index, random);
    const copy = LexicalIndex.restore(joined(index.snapshot()));
    for (const one of [index, copy]) {
      one.add(1000, [{ text: "wörd1 wörd2 neu", weight: 1 }]);
      one.remove(299);
    }
    assert.deepEqual([copy.size, copy.averageLength], [index.size, index.averageLength]);
    for (const query of ["wörd1 wörd5 wörd30", '"wörd1 wörd2"', "wörd4*", "neu -wörd9 "]) {
      const options = { k: 40 };
      assert.deepEqual(copy.search(parseQuery(query), options), index.search(parseQuery(query), options), query);
    }
    assertRefusesParts(joined(index.snapshot()), LexicalIndex.restore);
  });
});

test("a vector index of each format comes back as it was, and goes on from there", () => {
  for (const format of ["int8", "float", "both"] as const) {
    const random = seededRandom(6);
    const vector = (): number[] => Array.from({ length: 20 }, () => random.next() - 0.5);
    const index = new VectorIndex({ dimensions: 20, format });
    for (let id = 0; id < 300; id++) index.add(id, vector());
    removeSome(index, random);
    const copy = VectorIndex.restore(joined(index.snapshot()));
    const added = vector();
    for (const one of [index, copy]) {
      one.add(1000, added);
      one.remove(299);
    }
    for (let round = 0; round < 10; round++) {
      const query = vector();
      assert.deepEqual(copy.search(query, { k: 30 }), index.search(query, { k: 30 }));
    }
    assertRefusesParts(joined(index.snapshot()), VectorIndex.restore);
  }
});

test("a latent model comes back as it was", () => {
  const random = seededRandom(3);
  const texts = Array.from({ length: 60 }, () => textOf(random));
  const steps = trainLatent({ documentCount: 60, documentAt: (at) => [{ text: texts[at]!, weight: 1 }] });
  let step = steps.next();
  while (!step.done) step = steps.next();
  const copy = readLatentModel(joined(writeLatentModel(step.value)));
  assert.deepEqual(copy, step.value);
  const query = [{ text: "wörd1 wörd7", weight: 1 }];
  assert.deepEqual(encodeLatent(query, copy), encodeLatent(query, step.value));
  assertRefusesParts(joined(writeLatentModel(step.value)), readLatentModel);
});

test("empty indexes come back empty; one kind is not taken for another", () => {
  const lexical = joined(new LexicalIndex().snapshot());
  const vectors = joined(new VectorIndex({ dimensions: 3, format: "both" }).snapshot());
  assert.equal(LexicalIndex.restore(lexical).size, 0);
  const index = VectorIndex.restore(vectors);
  index.add(1, [1, 2, 3]);
  assert.equal(index.search([1, 2, 3], { k: 1 })[0]!.id, 1);
  assert.throws(() => LexicalIndex.restore(vectors), /a snapshot of "pi-daemon vector index 1": expected/);
  assert.throws(() => VectorIndex.restore(lexical), RangeError);
});
