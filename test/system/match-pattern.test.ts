import assert from "node:assert/strict";
import { test } from "node:test";
import { MATCH_LIMIT_MS, matchPattern } from "../../src/system/match-pattern.ts";

test("a pattern matches or does not", () => {
  assert.equal(matchPattern(/^done: \d+$/m, "first\ndone: 12\nlast"), true);
  assert.equal(matchPattern(/^done$/m, "done: 12"), false);
});

test("one that would take for ever is given up, and the next one is tried as if nothing had been", () => {
  const startMs = performance.now();
  assert.equal(matchPattern(/^(a+)+$/m, "a".repeat(64) + "!"), undefined);
  assert.ok(performance.now() - startMs >= MATCH_LIMIT_MS * 0.9);
  assert.equal(matchPattern(/a!/, "aa!"), true);
});

test("a pattern's own faults come through", () => {
  const thrower = {
    test: () => {
      throw new TypeError("no");
    },
  } as unknown as RegExp;
  assert.throws(() => matchPattern(thrower, "x"), /no/);
});
