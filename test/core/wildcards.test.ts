import assert from "node:assert/strict";
import { test } from "node:test";
import { matchesWildcards } from "../../src/core/wildcards.ts";
import { forEachSeed } from "../support/random.ts";

test("wildcards agree with a regular expression", () => {
  forEachSeed(300, (random) => {
    const text = Array.from({ length: random.int(0, 8) }, () => random.pick(["a", "b"])).join("");
    const pattern = Array.from({ length: random.int(0, 6) }, () => random.pick(["a", "b", "*", "?"])).join("");
    const oracle = new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`);
    assert.equal(matchesWildcards(text, pattern), oracle.test(text), `${text} against ${pattern}`);
  });
  assert.equal(matchesWildcards("a".repeat(2000), "*a".repeat(30) + "b"), false);
});
