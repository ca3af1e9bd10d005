import assert from "node:assert/strict";
import { test } from "node:test";
import { WordCache } from "../../src/core/word-cache.ts";
import { forEachSeed } from "../support/random.ts";

test("gives what is made of the very word, and makes it once", () => {
  forEachSeed(20, (random) => {
    const made: string[] = [];
    const cache = new WordCache((word) => made.push(word) && word);
    const words = Array.from(
      { length: 3000 },
      () => random.int(0, 4000).toString(36).repeat(random.int(1, 2)) + random.pick(["", "é", "語"]),
    );
    const text = words.join(" ");
    for (let start = 0, at = 0; at < words.length; start += words[at]!.length + 1, at++) {
      assert.equal(cache.get(text, start, start + words[at]!.length), words[at]);
    }
    assert.equal(made.length, new Set(words).size);
  });
});

test("more words than it holds: it forgets, and is right all the same", () => {
  const cache = new WordCache((word) => `of ${word}`);
  for (let round = 0; round < 2; round++) {
    for (let number = 0; number < 150_000; number++) {
      const word = `w${number}`;
      assert.equal(cache.get(word, 0, word.length), `of ${word}`);
    }
  }
});
