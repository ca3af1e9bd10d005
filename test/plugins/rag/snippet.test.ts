import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseQuery } from "../../../src/core/query.ts";
import { termsOf } from "../../../src/core/terms.ts";
import { compileMatcher } from "../../../src/plugins/rag/query-matcher.ts";
import { cutSnippet } from "../../../src/plugins/rag/snippet.ts";
import { forEachSeed } from "../../support/random.ts";

/** The snippet with its highlights in brackets; `known` are the words of the index beside those of the text. */
function show(query: string, text: string, { kind = "markdown", known = text } = {}): string {
  const terms = new Set(termsOf(known));
  const matcher = compileMatcher(parseQuery(query), (term) => (terms.has(term) ? 1 : 0));
  const { snippet, highlights } = cutSnippet(text, kind, matcher);
  let shown = "";
  let at = 0;
  for (const [start, end] of highlights) {
    assert.ok(start >= at && end > start && end <= snippet.length, "highlights lie in the snippet, in order, apart");
    shown += `${snippet.slice(at, start)}[${snippet.slice(start, end)}]`;
    at = end;
  }
  return shown + snippet.slice(at);
}

describe("highlights", () => {
  const CASES: readonly (readonly [string, query: string, text: string, shown: string])[] = [
    ["stems", "run", "It runs; running is what a runner does.", "It [runs]; [running] is what a runner does."],
    ["stems of the query", "connections", "connect", "[connect]"],
    ["any case", "HTTP", "the http server", "the [http] server"],
    ["parts of an identifier", "file", "call readFileSync(path)", "call read[File]Sync(path)"],
    ["an identifier as a whole", "readFileSync", "call readFileSync(path)", "call [readFileSync](path)"],
    ["parts between underscores", "limit", "max_limit_bytes", "max_[limit]_bytes"],
    ["a phrase as one", '"event loop"', "An event loop, an event, a loop", "An [event loop], an [event], a [loop]"],
    ["a phrase around a stop word", '"end of file"', "the end of file", "the [end of file]"],
    ["the beginning of the last word, where no word is like it", "confi", "configured", "[configured]"],
    ["a marked beginning", "conf*", "conf configured", "[conf] [configured]"],
    ["not the beginning of a word that is known", "conf", "conf configured", "[conf] configured"],
    ["no stop words", "the server", "the server", "the [server]"],
    ["accents", "cafe", "un café noir", "un [café] noir"],
    ["scripts without spaces", "天气", "今天天气很好", "今天[天气]很好"],
    ["no excluded words and no filters", "a server -loop tag:event", "server loop event", "[server] loop event"],
  ];
  for (const [title, query, text, shown] of CASES) test(title, () => assert.equal(show(query, text), shown));
});

const FILLER = "Nothing of interest stands in this sentence at all. ".repeat(12);

describe("the stretch", () => {
  test("is the whole text where that is short", () => assert.equal(show("none", "A short text."), "A short text."));

  test("is where the most distinct words are, not the most words", () => {
    const shown = show("alpha beta", `alpha alpha alpha. ${FILLER}Here alpha meets beta. ${FILLER}`);
    assert.match(shown, /Here \[alpha\] meets \[beta\]/);
  });

  test("begins with a sentence where one begins near, and holds whole words", () => {
    const shown = show("needle", `${FILLER}The needle is here. ${FILLER}`);
    assert.match(shown, /^Nothing of interest/);
    assert.match(shown, /The \[needle\] is here\./);
    assert.match(shown, / [A-Za-z]+\.?$/);
    assert.ok(shown.length <= 242, `${shown.length} characters`);
  });

  test("begins before the word that it would cut", () => {
    const words = `${"filler ".repeat(20)}see(module.needle) ${"alpha beta gamma delta ".repeat(9)}omega${" filler".repeat(30)}`;
    assert.match(show("needle omega", words), /^see\(module\.\[needle\]/);
  });

  test("begins anew under each heading, without it", () => {
    const text = `# First\n\nneedle at the end\n\n## Second\n\n${"other words ".repeat(10)}`;
    assert.equal(show("needle", text), "[needle] at the end");
  });

  test("takes a line of code that begins with # for no heading", () => {
    assert.match(show("needle", "a\n```\n# needle\nb\n```\nc"), /^a\n```\n# \[needle\]\nb\n```\nc$/);
  });

  test("is the heading where there is nothing else", () => assert.equal(show("needle", "# A needle"), "# A [needle]"));

  test("of a text without a match is its beginning", () => {
    assert.equal(show("missing", FILLER).slice(0, 30), FILLER.slice(0, 30));
  });

  test("of one long word is cut between characters", () => {
    const shown = show("x", "😀".repeat(500));
    assert.ok(shown.isWellFormed() && shown.length > 200 && shown.length <= 240);
  });
});

test("any text and query: within the length, whole, and in linear time", () => {
  forEachSeed(300, (random) => {
    const words = [
      "run",
      "running",
      "readFile",
      "the",
      "#",
      "\n",
      "```",
      "😀",
      "天气",
      '"',
      "a_b",
      ".",
      "x".repeat(99),
    ];
    const pick = (count: number) => Array.from({ length: count }, () => random.pick(words));
    const text = pick(random.int(0, 200)).join(random.pick(["", " ", "\n"]));
    const shown = show(pick(random.int(0, 8)).join(" "), text).replaceAll(/[[\]]/g, "");
    assert.ok(shown.length <= 240 && shown.isWellFormed());
  });
  const long = "run readFileSync_".repeat(20_000);
  assert.ok(show("run", long, { kind: "code" }).length < 400);
});
