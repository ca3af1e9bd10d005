import assert from "node:assert/strict";
import { test } from "node:test";
import { escapeLabelValue, formatLabelPairs, formatLabels } from "../../src/core/labels.ts";

const values: readonly (readonly [value: string, escaped: string])[] = [
  ["", ""],
  ["plain", "plain"],
  ['say "hi"', String.raw`say \"hi\"`],
  ["C:\\new", String.raw`C:\\new`],
  ["two\nlines", String.raw`two\nlines`],
  ['\\"\n', String.raw`\\\"\n`],
  [String.raw`\n`, String.raw`\\n`],
  ["tab\t, return\r, nul\0, {}=,#", "tab\t, return\r, nul\0, {}=,#"],
  ["日本語 💩", "日本語 💩"],
];

for (const [value, escaped] of values) {
  test(`the label value ${JSON.stringify(value)} is escaped`, () => {
    assert.equal(escapeLabelValue(value), escaped);
  });
}

test("labels print in the order given", () => {
  assert.equal(formatLabels(["session", "abc123", "model", 'a"b']), String.raw`{session="abc123",model="a\"b"}`);
  assert.equal(formatLabelPairs(["b", "1", "a", "2"]), 'b="1",a="2"');
});

test("no labels are no braces", () => {
  assert.equal(formatLabels([]), "");
  assert.equal(formatLabelPairs([]), "");
});
