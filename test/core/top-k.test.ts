import assert from "node:assert/strict";
import { test } from "node:test";
import { compareHits, TopK } from "../../src/core/top-k.ts";
import { forEachSeed } from "../support/random.ts";

test("keeps what sorting all of it would put first, whatever the order of arrival", () => {
  forEachSeed(100, (random) => {
    const offers = Array.from({ length: random.int(0, 60) }, (_, id) => ({ id, score: random.int(-3, 3) / 2 }));
    offers.sort(() => random.next() - 0.5);
    const k = random.int(1, 20);
    const best = new TopK(k);
    for (const { id, score } of offers) best.offer(id, score);
    const expected = offers.toSorted(compareHits).slice(0, k);
    assert.deepEqual(best.hits(), expected);
    assert.equal(best.size, expected.length);
    assert.equal(best.threshold, expected.length < k ? -Infinity : expected.at(-1)!.score);
  });
});

test("refuses to keep none", () => {
  for (const capacity of [0, -1, 1.5, Number.NaN]) assert.throws(() => new TopK(capacity), RangeError);
});
