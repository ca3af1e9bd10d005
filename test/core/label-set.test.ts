import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { containsLabels, equalLabels, hashLabels, labelsFrom } from "../../src/core/label-set.ts";
import { forEachSeed } from "../support/random.ts";

describe("hashLabels and equalLabels", () => {
  test("the order of the pairs does not matter", () => {
    const one = ["session", "s", "model", "m", "a", "z"];
    const other = ["a", "z", "session", "s", "model", "m"];
    assert.equal(hashLabels(one), hashLabels(other));
    assert.equal(equalLabels(one, other), true);
  });

  test("equal sets hash alike and nothing else is equal, on random labels", () => {
    forEachSeed(50, (random) => {
      const text = (): string =>
        Array.from({ length: random.int(1, 2) }, () => random.pick(["\0", "1", "é", "a"])).join("");
      const labels = (): string[] => ["a", "b", "c"].filter(() => random.next() < 0.6).flatMap((key) => [key, text()]);
      const canonical = (set: readonly string[]): string =>
        JSON.stringify(Object.fromEntries(set.flatMap((key, at) => (at % 2 ? [] : [[key, set[at + 1]]]))));
      for (let round = 0; round < 100; round++) {
        const [one, other] = [labels(), labels()];
        assert.equal(equalLabels(one, other), canonical(one) === canonical(other));
        if (equalLabels(one, other)) assert.equal(hashLabels(one), hashLabels(other));
      }
    });
  });

  test("the hash spreads similar labels", () => {
    const hashes = new Set(
      Array.from({ length: 20_000 }, (_, index) => hashLabels(["session", `s${index}`, "model", "m"])),
    );
    assert.ok(hashes.size > 19_990, `${hashes.size} of 20000 hashes differ`);
  });
});

test("labelsFrom drops empty values: they mean that the label is absent", () => {
  assert.deepEqual(labelsFrom({ a: "", b: "x" }), ["b", "x"]);
  assert.deepEqual(labelsFrom(JSON.parse('{"constructor":"c"}') as Record<string, string>), ["constructor", "c"]);
});

test("containsLabels asks for every pair, and takes an empty value as absence", () => {
  const labels = ["a", "1", "b", "2"];
  assert.equal(containsLabels(labels, ["b", "2"]), true);
  assert.equal(containsLabels(labels, []), true);
  assert.equal(containsLabels(labels, ["b", "1"]), false);
  assert.equal(containsLabels(labels, ["c", ""]), true);
});
