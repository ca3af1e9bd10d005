import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { displayWidth, renderFacts, renderTable } from "../../src/cli/table.ts";

describe("a table", () => {
  test("lines up its columns, numbers to the right, without spaces at the ends", () => {
    const columns = [{ title: "NAME" }, { title: "COUNT", isNumber: true as const }, { title: "NOTE" }];
    const lines = renderTable(columns, [
      ["a", "1", ""],
      ["longer", "1000000", "x"],
    ]);
    assert.deepEqual(lines, ["NAME      COUNT  NOTE", "a             1", "longer  1000000  x"]);
  });
  test("without rows is its titles", () => {
    assert.deepEqual(renderTable([{ title: "A" }, { title: "B" }], []), ["A  B"]);
  });
  test("counts wide characters as two and combining ones as none", () => {
    const lines = renderTable(
      [{ title: "N" }, { title: "V" }],
      [
        ["日本", "1"],
        ["e\u0301", "2"],
        ["🙂", "3"],
      ],
    );
    assert.deepEqual(lines, ["N     V", "日本  1", "e\u0301     2", "🙂    3"]);
  });
  test("shows no control character as it is", () => {
    assert.deepEqual(renderTable([{ title: "N" }], [["a\u001b[2J\nb"]]), ["N", "a\\u001b[2J\\nb"]);
  });
});

test("facts stand below each other", () => {
  const lines = renderFacts([
    ["URL", "http://x"],
    ["version", "1\u0007"],
  ]);
  assert.deepEqual(lines, ["URL      http://x", "version  1\\u0007"]);
});

test("display width", () => {
  assert.equal(displayWidth("abc"), 3);
  assert.equal(displayWidth("한a"), 3);
  assert.equal(displayWidth(""), 0);
});
