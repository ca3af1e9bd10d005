import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileLinearPattern } from "../../src/core/linear-pattern.ts";
import { forEachSeed, type Random } from "../support/random.ts";

/** The places that any match of any length covers, found by trying every piece of the text. */
function coveredByRegExp(source: string, text: string): string {
  const isInside = new RegExp(`^(?:${source})$`, "u");
  const shown = [...text];
  for (let start = 0; start < text.length; start++) {
    for (let end = start + 1; end <= text.length; end++) {
      if (isInside.test(text.slice(start, end))) shown.fill("#", start, end);
    }
  }
  return shown.join("");
}

function covered(source: string, text: string): string {
  const shown = [...text];
  for (const { start, end } of compileLinearPattern(source)(text)) shown.fill("#", start, end);
  return shown.join("");
}

function randomPattern(random: Random, depth: number): string {
  const inner = (): string => randomPattern(random, depth - 1);
  if (depth === 0) return random.pick(["a", "b", "c", ".", "[ab]", "[^a]", "\\w", "\\d", "1"]);
  const kind = random.int(0, 5);
  if (kind < 2) return inner() + inner();
  if (kind === 2) return `(?:${inner()}|${inner()})`;
  if (kind === 3) return `(${inner()})${random.pick(["*", "+", "?", "{2}", "{1,2}", "{2,}"])}`;
  return inner();
}

test("it covers what the engine's own expressions match", () => {
  let matched = 0;
  forEachSeed(400, (random) => {
    const source = `${randomPattern(random, 3)}${random.pick(["a", "b"])}`;
    const text = Array.from({ length: random.int(0, 12) }, () => random.pick(["a", "b", "c", "1"])).join("");
    const expected = coveredByRegExp(source, text);
    if (expected !== text) matched++;
    assert.equal(covered(source, text), expected, `${source} in ${text}`);
  });
  assert.ok(matched > 100, `only ${matched} matched at all`);
});

describe("what a pattern covers", () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ["corp-[a-z]+-\\d{4}", "x corp-ab-1234 y", "x ############ y"],
    ["^key: .*$", "a\nkey: b c\nkey", "a\n########\nkey"],
    ["\\bab\\b", "ab abc xab ab", "## abc xab ##"],
    ["(?i)secret", "SECRET Secret secreT", "###### ###### ######"],
    ["(?<name>x|y)z", "xz yz z", "## ## z"],
    ["[\\]\\-\\\\]", "a]-\\b", "a###b"],
    ["\\x41\\u0042", "AB ab", "## ab"],
    ["[a-]", "a-b", "##b"],
    ["x{2", "x{2 xx", "### xx"],
    ["\\s+!", "a \t\n!b", "a####b"],
    ["a|b", "cabc", "c##c"],
  ];
  for (const [source, text, expected] of rows) test(source, () => assert.equal(covered(source, text), expected));
});

describe("what is refused", () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ["(a", /this group has no end \(column 1\)$/],
    ["a)", /closes no group \(column 2\)$/],
    ["[a", /this class has no end \(column 1\)$/],
    ["a**", /another one/],
    ["a+?", /follows another one, as in a lazy/],
    ["*a", /nothing to repeat/],
    ["(?=a)b", /looking ahead or behind/],
    ["(?<!a)b", /looking ahead or behind/],
    ["(a)\\1", /\\1 is not known here \(column 4\)$/],
    ["\\p{L}", /\\p is not known here/],
    ["a*", /matches the empty text/],
    ["a|", /matches the empty text/],
    ["", /matches the empty text/],
    ["^", /matches the empty text/],
    ["a{2000}", /more than 1000 times/],
    ["((a{100}){100}){100}", /it is too large/],
    ["a{3,2}", /the least number is larger/],
    ["[b-a]", /out of order/],
    ["a\\", /ends with a backslash/],
    ["(".repeat(60), /deeper than 50/],
  ];
  for (const [source, message] of rows) {
    test(source.slice(0, 12) || "nothing", () => {
      assert.throws(
        () => compileLinearPattern(source),
        (error) => error instanceof SyntaxError && message.test(error.message),
      );
    });
  }
});

test("patterns that take others for ever take time in proportion to the text", () => {
  const startMs = performance.now();
  for (const source of ["(a+)+$", "(a|aa)+b", "(.*.*.*)x", "(a?){30}a{30}b"]) {
    for (const _ of compileLinearPattern(source)(`${"a".repeat(20_000)}!`)) assert.fail(source);
  }
  assert.ok(performance.now() - startMs < 5_000);
});
