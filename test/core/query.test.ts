import assert from "node:assert/strict";
import { test } from "node:test";
import { compileFilters, parseQuery } from "../../src/core/query.ts";
import { forEachSeed } from "../support/random.ts";

test("words, phrases, exclusions and filters", () => {
  const query = parseQuery(`open "file handle" -windows -"blue screen" path:src/core tag:"my notes" -kind:code leak `);
  assert.equal(query.text, "open leak");
  assert.deepEqual(query.phrases, ["file handle"]);
  assert.deepEqual(query.excluded, ["windows", "blue screen"]);
  assert.equal(query.unfinished, undefined);
  assert.deepEqual(query.filters, [
    { field: "path", value: "src/core", isExcluded: false },
    { field: "tag", value: "my notes", isExcluded: false },
    { field: "kind", value: "code", isExcluded: true },
  ]);
});

const UNFINISHED: readonly (readonly [input: string, expected: ReturnType<typeof parseQuery>["unfinished"]])[] = [
  ["read fi", { prefix: "fi", isMarked: false }],
  ["read Fi*", { prefix: "fi", isMarked: true }],
  ["read fi ", undefined],
  ["read fi.", undefined],
  [`read "fi"`, undefined],
  ["fi path:a", undefined],
  ["", undefined],
];
for (const [input, expected] of UNFINISHED) {
  test(`the unfinished word of ${JSON.stringify(input)}`, () =>
    assert.deepEqual(parseQuery(input).unfinished, expected));
}

test("an unfinished quote ends with the text; lone signs do no harm", () => {
  assert.deepEqual(parseQuery(`say "to be`).phrases, ["to be"]);
  assert.equal(parseQuery(`- : " tag: `).phrases.length, 1);
});

test("any input is parsed, and a megabyte of it in time that grows with it", () => {
  forEachSeed(100, (random) => {
    const input = Array.from({ length: 40 }, () =>
      random.pick(['"', "-", "path:", "tag:", " ", "word", "*", "\n", "é", "\ud800"]),
    ).join("");
    assert.equal(typeof parseQuery(input).text, "string");
  });
  assert.equal(parseQuery("a ".repeat(500_000)).text.length, 999_999);
  assert.equal(parseQuery('"'.repeat(1_000_000)).phrases.length, 500_000);
});

test("filters: every tag, any of the paths, none of the excluded", () => {
  const metadata = { path: "src/Core/bm25.ts", tags: ["search", "Rank"], kind: "code" };
  const rows: readonly (readonly [query: string, expected: boolean])[] = [
    ["path:core/", true],
    ["path:docs path:bm25", true],
    ["path:docs", false],
    ["path:src/*.ts", true],
    ["path:*.md", false],
    ["-path:*.ts", false],
    ["tag:rank tag:search", true],
    ["tag:rank tag:other", false],
    ["kind:code", true],
    ["kind:co", false],
    ["-kind:notes", true],
    ["", true],
  ];
  for (const [query, expected] of rows)
    assert.equal(compileFilters(parseQuery(query).filters)(metadata), expected, query);
});
