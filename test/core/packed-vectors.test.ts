import assert from "node:assert/strict";
import { test } from "node:test";
import { packVector, unpackVector } from "../../src/core/packed-vectors.ts";
import { forEachSeed } from "../support/random.ts";

test("what is packed comes back, but for a rounding", () => {
  forEachSeed(50, (random) => {
    const scale = 10 ** random.int(-20, 20);
    const vector = Float32Array.from({ length: random.int(1, 100) }, () => (random.next() - 0.5) * scale);
    const largest = Math.max(...vector.map(Math.abs));
    const back = unpackVector(packVector(vector))!;
    assert.equal(back.length, vector.length);
    for (const [at, component] of vector.entries()) assert.ok(Math.abs(back[at]! - component) <= largest / 65_000);
  });
  assert.deepEqual(unpackVector(packVector([0, 0])), new Float32Array(2));
});

test("bytes that are no vector", () => {
  for (const length of [0, 3, 4, 5, 7]) assert.equal(unpackVector(new Uint8Array(length)), undefined);
  assert.equal(unpackVector(Uint8Array.of(0, 0, 0xc0, 0x7f, 1, 0)), undefined, "a scale that is no number");
});
