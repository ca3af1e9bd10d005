import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { exceedsJsonDepth } from "../../src/core/json-depth.ts";
import { forEachSeed, type Random } from "../support/random.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("exceedsJsonDepth", () => {
  const rows: readonly [name: string, text: string, maxDepth: number, expected: boolean][] = [
    ["arrays at the limit", "[".repeat(64) + "]".repeat(64), 64, false],
    ["arrays beyond it", "[".repeat(65) + "]".repeat(65), 64, true],
    ["arrays beyond it that never close", "[".repeat(100_000), 64, true],
    ["objects beyond it", '{"a":'.repeat(65) + "1" + "}".repeat(65), 64, true],
    ["many brackets side by side", "[" + "[],{},".repeat(1000) + "0]", 2, false],
    ["brackets in a string", `["${"[{".repeat(100)}"]`, 1, false],
    ["brackets behind an escaped quote", `["\\"[[[["]`, 1, false],
    ["brackets behind an escaped backslash", `["\\\\",[[1]]]`, 2, true],
    ["brackets behind a string that never ends", `"${"[".repeat(100)}`, 1, false],
    ["a backslash at the very end", `["\\`, 1, false],
    ["letters that differ from brackets in the case bit alone", `["É"]`.repeat(1) + "Û".repeat(100), 1, false],
    ["nothing", "", 0, false],
  ];
  for (const [name, text, maxDepth, expected] of rows) {
    it(`of ${name} is ${expected}`, () => assert.equal(exceedsJsonDepth(bytes(text), maxDepth), expected));
  }

  it("agrees with a walk over the parsed value", () => {
    forEachSeed(500, (random) => {
      const value = randomValue(random, random.int(0, 9));
      const text = JSON.stringify(value, undefined, random.int(0, 1));
      for (let maxDepth = 0; maxDepth < 10; maxDepth++) {
        const isDeeper = depthOf(value) > maxDepth;
        assert.equal(exceedsJsonDepth(bytes(text), maxDepth), isDeeper, `${text} deeper than ${maxDepth}`);
      }
    });
  });
});

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function randomValue(random: Random, depth: number): unknown {
  if (depth === 0) return random.pick([0, true, null, "", '"', "\\", '[{"', "}]", '\\"[', "é[😀{"]);
  const items = Array.from({ length: random.int(0, 3) }, () => randomValue(random, depth - 1));
  if (random.next() < 0.5) return items;
  return Object.fromEntries(items.map((item, index) => [`${random.pick(["k", "[", '"'])}${index}`, item]));
}
