import { test } from "node:test";
import assert from "node:assert/strict";
import { editDistance, nearest } from "../../src/core/nearest.ts";
import { forEachSeed } from "../support/random.ts";

const COMMANDS = ["start", "stop", "status", "reload", "logs", "config", "metrics", "send", "doctor", "version"];

for (const [word, expected] of [
  ["strat", "start"],
  ["metrisc", "metrics"],
  ["Doctor", "doctor"],
  ["confg", "config"],
  ["lgos", "logs"],
  ["xyzzy", undefined],
  ["", undefined],
  ["q", undefined],
  ["s".repeat(100_000), undefined],
] as const) {
  test(`nearest to ${JSON.stringify(word.slice(0, 10))} is ${expected}`, () => {
    assert.equal(nearest(word, COMMANDS), expected);
  });
}

test("of equally near candidates the first is taken", () => {
  assert.equal(nearest("bat", ["cat", "hat"]), "cat");
});

test("the edit distance agrees with its recursive definition", () => {
  const slow = (a: string, b: string): number => {
    if (a === "" || b === "") return a.length + b.length;
    const replaced = slow(a.slice(0, -1), b.slice(0, -1)) + (a.at(-1) === b.at(-1) ? 0 : 1);
    const least = Math.min(replaced, slow(a.slice(0, -1), b) + 1, slow(a, b.slice(0, -1)) + 1);
    const isSwap = a.length > 1 && b.length > 1 && a.at(-1) === b.at(-2) && a.at(-2) === b.at(-1);
    return isSwap ? Math.min(least, slow(a.slice(0, -2), b.slice(0, -2)) + 1) : least;
  };
  forEachSeed(60, (random) => {
    const word = (): string => Array.from({ length: random.int(0, 6) }, () => random.pick(["a", "b", "c"])).join("");
    const [from, to] = [word(), word()];
    assert.equal(editDistance(from, to), slow(from, to), `${from} -> ${to}`);
  });
});
