import assert from "node:assert/strict";
import { test } from "node:test";
import { IdSet, LARGEST_ID } from "../../src/core/id-set.ts";
import { forEachSeed } from "../support/random.ts";

test("behaves like a Set of numbers", () => {
  forEachSeed(30, (random) => {
    const set = new IdSet();
    const oracle = new Set<number>();
    for (let step = 0; step < 300; step++) {
      const id = random.int(0, 700);
      if (random.next() < 0.6) {
        set.add(id);
        oracle.add(id);
      } else {
        set.delete(id);
        oracle.delete(id);
      }
    }
    for (let id = 0; id <= 800; id++) assert.equal(set.has(id), oracle.has(id), `id ${id}`);
    assert.equal(set.size, oracle.size);
  });
});

test("takes ids in a row as one by one", () => {
  forEachSeed(100, (random) => {
    const [set, oracle] = [new IdSet(), new Set<number>()];
    for (let step = 0; step < 6; step++) {
      const [first, count] = [random.int(0, 300), random.int(0, 150)];
      set.addRange(first, count);
      for (let id = first; id < first + count; id++) oracle.add(id);
      assert.equal(set.size, oracle.size);
    }
    for (let id = 0; id <= 500; id++) assert.equal(set.has(id), oracle.has(id), `id ${id}`);
  });
  assert.throws(() => new IdSet().addRange(LARGEST_ID, 2), RangeError);
});

test("refuses what is no id, and does not have it", () => {
  for (const id of [-1, 0.5, Number.NaN, LARGEST_ID + 1]) {
    assert.throws(() => new IdSet([id]), RangeError, String(id));
  }
  assert.equal(new IdSet([1]).has(2 ** 31), false);
});
