import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readArguments } from "../../src/cli/arguments.ts";
import { CommandError } from "../../src/cli/command.ts";
import { readEvent, sendCommand } from "../../src/cli/send.ts";

const eventOf = (words: string[]) => readEvent(readArguments(sendCommand, words));

describe("an event from a command line", () => {
  for (const [words, expected] of [
    [["a"], { name: "a", type: "counter", labels: {} }],
    [["a", "-t", "counter", "--increment", "2"], { name: "a", type: "counter", labels: {}, increment: 2 }],
    [["a", "--set", "-1e3"], { name: "a", type: "gauge", labels: {}, set: -1000 }],
    [["a", "--delta", "-3"], { name: "a", type: "gauge", labels: {}, delta: -3 }],
    [["a", "--observe", "0"], { name: "a", type: "histogram", labels: {}, observe: 0 }],
    [["a", "--type=summary", "--observe", "1"], { name: "a", type: "summary", labels: {}, observe: 1 }],
    [["a", "-l", "k=a=b c", "-l", "empty="], { name: "a", type: "counter", labels: { k: "a=b c", empty: "" } }],
    [["a", "-l", "__proto__=x"], { name: "a", type: "counter", labels: Object.fromEntries([["__proto__", "x"]]) }],
    [
      ["a", "--help-text", "H", "--unit", "bytes"],
      { name: "a", type: "counter", labels: {}, help: "H", unit: "bytes" },
    ],
  ] as const) {
    test(words.join(" "), () => assert.deepEqual(eventOf([...words]), expected));
  }
});

describe("refused before anything is sent", () => {
  for (const [words, message, hint] of [
    [["a", "--set", "1", "--delta", "2"], "--set and --delta are both given", "an event has one amount"],
    [["a", "--type", "guage", "--set", "1"], 'there is no metric type "guage"', "did you mean gauge?"],
    [["a", "--type", "x"], 'there is no metric type "x"', "it is one of counter, gauge, histogram, summary"],
    [["a", "--type", "gauge"], "a gauge needs an amount", "write --set NUMBER or --delta NUMBER"],
    [["a", "--type", "summary"], "a summary needs an amount", "write --observe NUMBER"],
    [["a", "--type", "counter", "--set", "1"], "a counter takes no --set", "write --increment NUMBER"],
    [["a", "-t", "gauge", "--increment", "1"], "a gauge takes no --increment", "write --set NUMBER or --delta NUMBER"],
    [["a", "--set", "one"], '--set must be a number, not "one"', "for example: --set 1.5"],
    [["a", "--set", ""], '--set must be a number, not ""', "for example: --set 1.5"],
    [["a", "--set", "NaN"], '--set must be a number, not "NaN"', "for example: --set 1.5"],
    [["a", "--set", "1e999"], '--set must be a number, not "1e999"', "for example: --set 1.5"],
    [["a", "-l", "k"], 'a label is written KEY=VALUE, not "k"', "for example: -l host=nas"],
    [["a", "-l", "=v"], 'a label is written KEY=VALUE, not "=v"', "for example: -l host=nas"],
  ] as const) {
    test(words.join(" "), () => {
      assert.throws(
        () => eventOf([...words]),
        (error) => {
          assert.ok(error instanceof CommandError);
          assert.deepEqual([error.code, error.message, error.hint], [2, message, hint]);
          return true;
        },
      );
    });
  }
});
