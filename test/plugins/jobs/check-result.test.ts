import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkResult, type RunFacts } from "../../../src/plugins/jobs/check-result.ts";
import { matchPattern } from "../../../src/system/match-pattern.ts";
import type { Expectation } from "../../../src/plugins/jobs/run.ts";

describe("what a run was expected to do", () => {
  const good: RunFacts = { exitCode: 0, durationMs: 1_500, outputs: ["first\ndone: 12 files\n", "a warning\n"] };
  const rows: readonly [string, Expectation | undefined, Partial<RunFacts>, string | undefined][] = [
    ["nothing, and it exited with 0", undefined, {}, undefined],
    ["nothing, and it failed", undefined, { exitCode: 3 }, "exit status 3"],
    ["nothing, and there is no exit status", undefined, { exitCode: undefined }, undefined],
    ["another status", { exitCodes: [3, 4] }, { exitCode: 4 }, undefined],
    ["another status than 0", { exitCodes: [3, 4] }, {}, "exit status 0, where 3 or 4 was expected"],
    ["a pattern at the end of a line", { pattern: "^done: \\d+ files$" }, {}, undefined],
    ["a pattern in the errors", { pattern: "warn" }, {}, undefined],
    ["a pattern that is missing", { pattern: "finished" }, {}, 'the output does not match "finished"'],
    ["no pattern, and there is none", { forbidden: "ERROR" }, {}, undefined],
    ["no pattern, and it is there", { forbidden: "warning" }, {}, 'the output matches "warning", which it must not'],
    ["some time", { minDurationMs: 1_500 }, {}, undefined],
    ["more time", { minDurationMs: 2_000 }, {}, "it ended after 1500 ms, where at least 2000 ms were expected"],
    [
      "what is no pattern",
      { pattern: "(" },
      {},
      'the pattern "(" is no regular expression: Invalid regular expression: /(/m: Unterminated group',
    ],
    [
      "all at once, of which the first is told",
      { exitCodes: [1], pattern: "x", minDurationMs: 9e9 },
      {},
      "exit status 0, where 1 was expected",
    ],
  ];
  for (const [name, expect, facts, fault] of rows) {
    test(name, () => assert.equal(checkResult(expect, { ...good, ...facts }, matchPattern), fault));
  }

  test("a pattern that takes for ever is given up, and the run is not ok by default", () => {
    const outputs = ["a".repeat(60) + "!"];
    const why = 'the pattern "^(a+)+$" takes too long on the output (repetitions in repetitions, as in (a+)+, do that)';
    for (const expect of [{ pattern: "^(a+)+$" }, { forbidden: "^(a+)+$" }])
      assert.equal(checkResult(expect, { durationMs: 0, outputs }, matchPattern), why);
  });

  test("a pattern is searched in each output alone", () => {
    assert.notEqual(checkResult({ pattern: "ab" }, { durationMs: 0, outputs: ["a", "b"] }, matchPattern), undefined);
  });
});
