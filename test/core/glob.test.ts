import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileGlob } from "../../src/core/glob.ts";

describe("what a glob covers", () => {
  const rows: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["a.md", ["a.md"], ["b/a.md", "a.mdx", "A.md"]],
    ["*.md", [".md", "a.md"], ["b/a.md", "a.md/c"]],
    ["a/*/c", ["a/b/c"], ["a/c", "a/b/b/c"]],
    ["a/**/c", ["a/c", "a/b/c", "a/b/b/c"], ["a/bc", "ac", "x/a/c"]],
    ["**/c", ["c", "a/c", "a/b/c"], ["ac", "c/a"]],
    ["a/**", ["a/b", "a/b/c"], ["a", "b/a/c"]],
    ["**", ["a", "a/b"], []],
    ["a**c", ["ac", "abc"], ["a/c"]],
    ["?", ["a", "é", "😀"], ["", "ab", "/"]],
    ["[a-c]x", ["ax", "cx"], ["dx", "x"]],
    ["[!a-c]x", ["dx", "😀x"], ["ax", "/x"]],
    ["[^a]", ["b"], ["a"]],
    ["[]a]", ["]", "a"], ["[]a]"]],
    ["[a-]", ["a", "-"], ["b"]],
    ["[[:digit:]_]", ["7", "_"], ["x", ":"]],
    ["[[:d]", ["[", ":", "d"], ["7"]],
    ["[[:what:]]", [], ["w", "[[:what:]]"]],
    ["[\\]]", ["]"], ["\\"]],
    ["\\*", ["*"], ["a", "\\*"]],
    ["[a", [], ["a", "[a"]],
    ["a\\", [], ["a", "a\\"]],
    ["", [""], ["a"]],
  ];
  for (const [pattern, covered, others] of rows) {
    test(pattern, () => {
      const matches = compileGlob(pattern);
      assert.deepEqual(
        covered.filter((path) => !matches(path)),
        [],
      );
      assert.deepEqual(
        others.filter((path) => matches(path)),
        [],
      );
    });
  }
});

test("hostile patterns take no more steps than text times pattern", () => {
  const hostile = [
    "*a".repeat(500) + "b",
    "**/a/".repeat(300) + "b",
    "[a-z]*".repeat(300) + "!",
    "a*?".repeat(300) + "!",
  ];
  const paths = ["a".repeat(4000), "a/".repeat(2000) + "a"];
  const startMs = performance.now();
  for (const pattern of hostile)
    for (const path of paths) assert.equal(compileGlob(pattern)(path), false, pattern.slice(0, 12));
  // A matcher that goes back to every star needs longer than the universe has been there.
  assert.ok(performance.now() - startMs < 5_000);
});
