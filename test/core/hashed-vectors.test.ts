import assert from "node:assert/strict";
import { test } from "node:test";
import { HashedEncoder, HASHED_DIMENSIONS } from "../../src/core/hashed-vectors.ts";
import { forEachSeed } from "../support/random.ts";
import type { Random } from "../support/random.ts";

const field = (text: string, weight = 1): { text: string; weight: number }[] => [{ text, weight }];

function cosine(one: Float32Array, other: Float32Array): number {
  const dot = one.reduce((sum, component, at) => sum + component * other[at]!, 0);
  return dot / (Math.hypot(...one) * Math.hypot(...other));
}

/** The pieces of a text, by hand. */
function piecesOf(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).flatMap((word) => {
    const padded = ` ${word} `;
    if (padded.length < 4) return [padded];
    return Array.from({ length: padded.length - 3 }, (_, at) => padded.slice(at, at + 4));
  });
}

function randomText(random: Random): string {
  const words = [
    "session",
    "sessions",
    "x",
    "ab",
    "Metric",
    "é",
    "naïve",
    "snake_case",
    "42",
    "語語語",
    "-",
    "retention",
  ];
  return Array.from({ length: random.int(0, 20) }, () => random.pick(words)).join(" ");
}

test("as many pieces as by hand: with nothing learned, each adds the same to its component", () => {
  const idf = Math.log(1 + 0.5 / 0.5);
  for (const word of ["a", "ab", "abc", "session", "x1é語", "a b", "one_two"]) {
    const vector = new HashedEncoder().encode(field(word));
    const sum = vector.reduce((total, component) => total + Math.abs(component), 0);
    assert.ok(Math.abs(sum - piecesOf(word).length * idf) < 1e-5, `${word}: ${sum / idf} pieces`);
  }
});

test("what many documents share counts less than what few do", () => {
  const encoder = new HashedEncoder();
  for (let at = 0; at < 50; at++) encoder.learn(field(`metric number${at}`));
  encoder.learn(field("backup metric"));
  const query = encoder.encode(field("metric backup"));
  assert.ok(cosine(query, encoder.encode(field("backup"))) > 2 * cosine(query, encoder.encode(field("metric"))));
});

test("like spellings are near, other words are not, the order of words is nothing", () => {
  const encoder = new HashedEncoder();
  for (const word of ["retention", "compaction", "scheduler", "exposition"]) encoder.learn(field(word));
  const near = (one: string, other: string): number => cosine(encoder.encode(field(one)), encoder.encode(field(other)));
  assert.ok(near("retention", "retentions") > 0.5);
  assert.ok(near("retention", "retnetion") > 0.2);
  assert.ok(near("retention", "scheduler") < 0.2);
  assert.deepEqual(encoder.encode(field("one two")), encoder.encode(field("two one")));
});

test("what is unlearned leaves no trace, and a state brings all back", () => {
  forEachSeed(20, (random) => {
    const texts = Array.from({ length: 8 }, () => randomText(random));
    const used = new HashedEncoder();
    const fresh = new HashedEncoder();
    for (const text of texts) used.learn(field(text));
    for (const text of texts.slice(4)) used.unlearn(field(text));
    for (const text of texts.slice(0, 4)) fresh.learn(field(text));
    assert.deepEqual(used.state(), fresh.state());
    const query = field(randomText(random), 2);
    assert.deepEqual(used.encode(query), fresh.encode(query));
    assert.deepEqual(new HashedEncoder(used.state()).encode(query), fresh.encode(query));
  });
});

test("a weight is a repetition; nothing gives zeros; long words and texts are no trouble", () => {
  const encoder = new HashedEncoder();
  assert.deepEqual(encoder.encode(field("cron", 3)), encoder.encode(field("cron cron cron")));
  assert.deepEqual(encoder.encode(field("- . !")), new Float32Array(HASHED_DIMENSIONS));
  const long = encoder.encode(field(Array.from({ length: 100_000 }, (_, at) => at.toString(36)).join("")));
  assert.ok(long.every(Number.isFinite));
});

test("refuses a state of another size", () => {
  assert.throws(() => new HashedEncoder({ documentCount: 1, pieceCounts: new Uint32Array(3) }), RangeError);
});
