import { test } from "node:test";
import assert from "node:assert/strict";
import { redact } from "../../src/core/redact.ts";
import { forEachSeed } from "../support/random.ts";

for (const [name, text, secrets, expected] of [
  ["no secret known", "a token", [], "a token"],
  ["an empty secret hides nothing", "abc", [""], "abc"],
  ["every occurrence", "tok1 and tok1", ["tok1"], "[redacted] and [redacted]"],
  ["the whole text", "tok1", ["tok1"], "[redacted]"],
  ["a secret that begins another", "abcdefgh", ["abcd", "abcdefgh"], "[redacted]"],
  ["secrets that overlap", "xabcXdefy", ["abcX", "Xdef"], "x[redacted]y"],
  ["a secret that overlaps itself", "-aaaaa-", ["aaa"], "-[redacted]-"],
  ["a secret made of the mark itself", "acte tok1", ["acte", "tok1"], "[redacted] [redacted]"],
  ["replacement patterns are not special", "a $& b", ["$&"], "a [redacted] b"],
] as const) {
  test(name, () => assert.equal(redact(text, secrets), expected));
}

test("at a cut, parts of a secret are hidden too, but for a few characters", () => {
  const secrets = ["canary-secret"];
  for (const [text, cut, expected] of [
    ["begun canary-se", { end: true }, "begun [redacted]"],
    ["begun canary-se", {}, "begun canary-se"],
    ["begun can", { end: true }, "begun can"],
    ["y-secret and on", { start: true }, "[redacted] and on"],
    ["secret", { start: true, end: true }, "[redacted]"],
    ["canary-secret", { start: true, end: true }, "[redacted]"],
    ["ry-secret canary-", { start: true, end: true }, "[redacted] [redacted]"],
    ["nary-sec", { start: true, end: true }, "nary-sec"],
  ] as const) {
    assert.equal(redact(text, secrets, cut), expected);
  }
});

test("a character is shown just when it is part of no secret", () => {
  forEachSeed(300, (random) => {
    const word = (low: number, high: number): string =>
      Array.from({ length: random.int(low, high) }, () => random.pick(["x", "y", "z"])).join("");
    const text = word(0, 30);
    const secrets = Array.from({ length: random.int(0, 3) }, () => word(1, 4));
    const isHidden = Array.from(text, () => false);
    for (const secret of secrets) {
      for (let at = 0; at + secret.length <= text.length; at++) {
        if (text.startsWith(secret, at)) isHidden.fill(true, at, at + secret.length);
      }
    }
    const show = (char: string, at: number): string => (!isHidden[at] ? char : isHidden[at - 1] ? "" : "[redacted]");
    assert.equal(redact(text, secrets), Array.from(text, show).join(""));
  });
});
