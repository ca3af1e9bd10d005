import assert from "node:assert/strict";
import { test } from "node:test";
import { STOP_WORDS } from "../../src/core/stop-words.ts";
import { eachWord, placeTerms, termsOf, termsOfWord } from "../../src/core/terms.ts";
import { forEachSeed } from "../support/random.ts";

const ROWS: readonly (readonly [text: string, terms: string])[] = [
  ["The connections of the Wings", "connect wing"],
  ["readFileSync", "read file sync readfilesync"],
  ["parse_http_header", "pars http header parsehttpheader"],
  ["HTTPServer v2 IPv6", "http server httpserver v2 pv6 ipv6"],
  ["XMLHttpRequest", "xml http request xmlhttprequest"],
  ["__init__", "init"],
  ["MAX_LABEL_COUNT", "max label count maxlabelcount"],
  ["a I x 7 of", ""],
  ["don't stop; e-mail", "don stop mail"],
  ["Überprüfung naïve CAFÉ", "uberprufung naiv cafe"],
  ["日本語", "日本 本語"],
  ["ﬁle", "file"],
  ["", ""],
];

for (const [text, expected] of ROWS) {
  test(`the terms of ${JSON.stringify(text)}`, () => assert.equal(termsOf(text).join(" "), expected));
}

test("there are 120 stop words, all of them plain", () => {
  assert.equal(STOP_WORDS.size, 120);
  for (const word of STOP_WORDS) assert.match(word, /^[a-z]+$/);
});

test("a stop word inside an identifier keeps its position, but is no term", () => {
  assert.deepEqual(termsOfWord("toString"), { parts: ["", "string"], whole: "tostring" });
  assert.deepEqual(termsOfWord("the"), { parts: [""], whole: undefined });
});

test("words lie in order, apart, and hold all letters and digits", () => {
  forEachSeed(50, (random) => {
    const text = Array.from({ length: 200 }, () =>
      random.pick(["a", "Z", "9", "_", " ", "-", "é", "語", "😀", "\ud800", "\n", "ab"]),
    ).join("");
    const covered = new Set<number>();
    let last = 0;
    eachWord(text, (start, end) => {
      assert.ok(start >= last && end > start, `word ${start}-${end} after ${last}`);
      last = end;
      for (let at = start; at < end; at++) covered.add(at);
    });
    for (const { 0: letter, index } of text.matchAll(/[\p{L}\p{N}_]/gu)) {
      for (let at = index; at < index + letter.length; at++)
        assert.ok(covered.has(at), `offset ${at} of ${JSON.stringify(text)}`);
    }
  });
});

test("a run of a million letters is cut into words, in time that grows with it", () => {
  const words = termsOf("x".repeat(1_000_000));
  assert.equal(words.length, 1_000_000 / 64);
});

test("terms are placed where their letters are", () => {
  const show = (word: string) =>
    placeTerms(word).map(({ term, start, end }) => `${term || "-"}=${word.slice(start, end)}`);
  assert.deepEqual(show("readFileSync"), ["read=read", "file=File", "sync=Sync", "readfilesync=readFileSync"]);
  assert.deepEqual(show("__init__"), ["init=init"]);
  assert.deepEqual(show("parse_the_URLs"), ["pars=parse", "-=the", "ur=UR", "ls=Ls", "parsetheurls=parse_the_URLs"]);
  assert.deepEqual(show("Überprüfung"), ["uberprufung=Überprüfung"]);
  assert.deepEqual(show("日本語"), ["日本=日本", "本語=本語"]);
  assert.deepEqual(show("日"), ["日=日"]);
  assert.deepEqual(show("𠮷野家"), ["𠮷野=𠮷野", "野家=野家"]);
});

test("placed terms are those of the word, inside of it, in order", () => {
  forEachSeed(300, (random) => {
    const letters = ["a", "b", "B", "C", "_", "1", "é", "ﬁ", "日", "本", "ä", "Σ"];
    const word = Array.from({ length: random.int(1, 12) }, () => random.pick(letters)).join("");
    const { parts, whole } = termsOfWord(word);
    const placed = placeTerms(word);
    assert.deepEqual(
      placed.map(({ term }) => term),
      whole === undefined ? parts : [...parts, whole],
    );
    for (const { start, end } of placed) assert.ok(start >= 0 && end >= start && end <= word.length);
  });
});
