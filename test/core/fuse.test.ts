import assert from "node:assert/strict";
import { test } from "node:test";
import { fuseLegs, LEG_WEIGHTS } from "../../src/core/fuse.ts";
import type { Leg } from "../../src/core/fuse.ts";
import { compareHits } from "../../src/core/top-k.ts";
import { forEachSeed } from "../support/random.ts";

const hits = (...scores: [id: number, score: number][]): Leg["hits"] => scores.map(([id, score]) => ({ id, score }));

test("the weights of the built-in legs add up to 1", () => {
  assert.equal(LEG_WEIGHTS.lexical + LEG_WEIGHTS.hashed + LEG_WEIGHTS.latent, 1);
});

test("each list is scaled between its ends, weighed and added up", () => {
  const fused = fuseLegs(
    [
      { weight: 0.5, depth: 3, hits: hits([1, 10], [2, 8], [3, 6]) },
      { weight: 0.25, depth: 3, hits: hits([2, 0.9], [4, 0.5], [1, 0.1]) },
    ],
    10,
  );
  assert.deepEqual(fused, [
    { id: 1, score: 0.5, parts: [0.5, 0] },
    { id: 2, score: 0.5, parts: [0.25, 0.25] },
    { id: 4, score: 0.125, parts: [0, 0.125] },
    { id: 3, score: 0, parts: [0, 0] },
  ]);
});

test("a list that was not cut off is scaled from 0; hits that are not above 0 are none", () => {
  const fused = fuseLegs([{ weight: 1, depth: 9, hits: hits([7, 4], [8, 1], [9, 0], [6, -1]) }], 10);
  assert.deepEqual(
    fused.map(({ id, score }) => [id, score]),
    [
      [7, 1],
      [8, 0.25],
    ],
  );
});

test("equal scores all count 1, and nothing fuses to nothing", () => {
  assert.deepEqual(
    fuseLegs([{ weight: 1, depth: 2, hits: hits([1, 3], [2, 3]) }], 5).map(({ score }) => score),
    [1, 1],
  );
  assert.deepEqual(
    fuseLegs([{ weight: 1, depth: 1, hits: hits([1, 3]) }], 5).map(({ score }) => score),
    [1],
  );
  assert.deepEqual(fuseLegs([{ weight: 1, depth: 2, hits: [] }], 5), []);
  assert.deepEqual(fuseLegs([], 5), []);
});

test("agrees with adding up by hand", () => {
  forEachSeed(50, (random) => {
    const legs = Array.from({ length: random.int(1, 4) }, (): Leg => {
      const ids = [1, 2, 3, 4, 5, 6, 7, 8].filter(() => random.next() < 0.6);
      return {
        weight: random.int(1, 9) / 10,
        depth: 8,
        hits: ids.map((id) => ({ id, score: random.int(1, 50) })).sort(compareHits),
      };
    });
    const expected = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((id) => {
      if (!legs.some((leg) => leg.hits.some((hit) => hit.id === id))) return [];
      let score = 0;
      for (const leg of legs) {
        const scores = leg.hits.map((hit) => hit.score);
        const least = scores.length < 8 ? 0 : Math.min(...scores);
        const own = leg.hits.find((hit) => hit.id === id)?.score;
        if (own !== undefined) score += ((own - least) / (Math.max(...scores) - least)) * leg.weight;
      }
      return [{ id, score }];
    });
    const k = random.int(1, 8);
    const actual = fuseLegs(legs, k).map(({ id, score }) => ({ id, score }));
    assert.deepEqual(actual, expected.sort(compareHits).slice(0, k));
  });
});
