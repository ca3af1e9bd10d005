import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HttpError } from "../../../src/plugins/plugin.ts";
import type { Explanation } from "../../../src/plugins/rag/explain.ts";
import type { Hit } from "../../../src/plugins/rag/results.ts";
import { searchRoutes } from "../../../src/plugins/rag/routes-search.ts";
import type { Route } from "../../../src/system/http.ts";
import { testKnowledge } from "../../support/knowledge.ts";
import { requestOf } from "../../support/request.ts";
import type { RequestParts } from "../../support/request.ts";
import { testServices } from "../../support/services.ts";

const scope = { kind: "notes", project: undefined, root: undefined } as const;
const folder = { name: "docs", kind: "folder", project: "red", root: "/home/tester/docs" } as const;
const knowledge = testKnowledge(
  [
    { collection: "notes", id: "a", text: "The daemon keeps a journal.", tags: ["x"] },
    { collection: "notes", id: "b", text: "The journal is read at the start.", title: "Start" },
    { collection: "docs", id: "guide/start.md", text: "# Guide\n\n## Start\n\nStart the daemon with one command." },
  ],
  { collections: [{ name: "notes", ...scope }, folder], notices: ["one file is being indexed"] },
);
const services = testServices();
const routes = searchRoutes(services, knowledge, () => ({ cutOff: 0.2 }));

interface Body {
  readonly hits: readonly (Hit & { readonly explain: Explanation })[];
  readonly [key: string]: unknown;
}

async function call(route: string, parts: RequestParts): Promise<{ status: number; body: Body }> {
  const [method, path] = route.split(" ");
  const { handle } = routes.find((each: Route) => each.method === method && each.pattern === `/api/rag/${path}`)!;
  try {
    const reply = await handle(requestOf(parts));
    return { status: reply.status, body: JSON.parse(reply.body as string) };
  } catch (error) {
    assert.ok(error instanceof HttpError, String(error));
    return { status: error.status, body: { hits: [], error: error.message, code: error.code } };
  }
}

describe("a search", () => {
  test("by GET and by POST answers the same", async () => {
    const query = "q=journal&collection=notes,docs&tag=x&k=5&mode=lexical&explain";
    const get = await call("GET search", { query });
    const filters = { tag: ["x"] };
    const json = { q: "journal", collections: ["notes", "docs"], filters, k: 5, mode: "lexical", explain: true };
    const post = await call("POST search", { json });
    assert.equal(get.status, 200);
    assert.deepEqual({ ...post.body, tookMs: 0 }, { ...get.body, tookMs: 0 });
    const { query: text, mode, hits, notices } = get.body;
    assert.deepEqual([text, mode, notices], ["journal", "lexical", ["one file is being indexed"]]);
    assert.equal(hits.length, 1);
    const { explain, score, ...hit } = hits[0]!;
    assert.deepEqual(hit, {
      collection: "notes",
      id: "a",
      path: null,
      startLine: 1,
      endLine: 1,
      headings: [],
      symbol: null,
      title: null,
      kind: "markdown",
      tags: ["x"],
      metadata: {},
      project: null,
      snippet: "The daemon keeps a journal.",
      highlights: [[19, 26]],
      text: "The daemon keeps a journal.",
      why: "lexical",
      stale: false,
    });
    assert.deepEqual([score, explain.legs.lexical!.scaled], [1, 1]);
  });

  test("of a project has the paths of its files", async () => {
    const { body } = await call("GET search", { query: "q=start+daemon+command&project=red&k=1" });
    const { path, project, headings, startLine } = body.hits[0]!;
    assert.deepEqual([path, project, headings, startLine], ["/home/tester/docs/guide/start.md", "red", ["Guide"], 1]);
    const other = await call("GET search", { query: "q=start+daemon+command" });
    assert.ok(other.body.hits.every((hit) => hit.collection === "notes"));
  });

  test("within a budget answers what has room, one at least", async () => {
    const json = { q: "journal", filters: {}, budget: 100 };
    assert.equal((await call("POST search", { json })).body.hits.length, 2);
  });

  test("is timed by its mode", () => {
    const family = services.registry.family("pi_daemon_rag_query_duration_seconds")!;
    assert.ok(family.find(["mode", "lexical"]) && family.find(["mode", "hybrid"]));
  });
});

test("a context is a block with its sources", async () => {
  const json = { q: "start the daemon", collections: ["docs"], budget: 200 };
  const { status, body } = await call("POST context", { json });
  assert.equal(status, 200);
  const heads = /^Reference text.*untrusted.*\n\n\[1\] \/home\/tester\/docs\/guide\/start\.md:1-5 \(Guide/;
  assert.match(body["context"] as string, heads);
  const [source] = body["sources"] as { path: string }[];
  assert.equal(source!.path, "/home/tester/docs/guide/start.md");
  assert.ok((body["tokens"] as number) <= 200);
  const nothing = await call("POST context", { json: { q: "xqzvk wrtplm" } });
  const { context, sources, tokens } = nothing.body;
  assert.deepEqual([context, sources, tokens], ["", [], 0]);
});

const LONG = "word ".repeat(200_000);
const FAULTS: readonly (readonly [string, route: string, parts: RequestParts, RegExp])[] = [
  ["no query", "GET search", {}, /q: is required/],
  ["an empty query", "GET search", { query: "q=" }, /q: must not be empty/],
  ["two queries", "GET search", { query: "q=a&q=b" }, /q: expected a string/],
  ["no number", "GET search", { query: "q=a&k=ten" }, /k: expected an integer from 1 to 100, got "ten"/],
  ["too many hits", "GET search", { query: "q=a&k=101" }, /k: expected an integer from 1 to 100, got 101/],
  ["an unknown mode", "GET search", { query: "q=a&mode=hybird" }, /mode: .*did you mean "hybrid"\?/],
  ["an unknown parameter", "GET search", { query: "q=a&colection=b" }, /colection: .*did you mean "collection"\?/],
  ["an unknown key", "POST search", { json: { q: "a", filter: {} } }, /filter: .*did you mean "filters"\?/],
  ["an unknown filter", "POST search", { json: { q: "a", filters: { paths: [] } } }, /paths: .*did you mean "path"\?/],
  ["an unknown kind", "GET search", { query: "q=a&kind=markdwon" }, /kind\.0: .*did you mean "markdown"\?/],
  ["no flag", "GET search", { query: "q=a&explain=maybe" }, /explain: expected true or false/],
  ["an empty collection name", "GET search", { query: "q=a&collection=" }, /collection\.0: must not be empty/],
  ["a query of a megabyte", "POST search", { json: { q: LONG } }, /q: expected at most 2000 characters, got 1000000/],
  ["half a character", "POST search", { json: { q: "a\ud800" } }, /q: expected well-formed Unicode/],
  ["many filters", "POST search", { json: { q: "path:a ".repeat(40) } }, /q: expected at most 32 filters, got 40/],
  ["many quotes", "POST search", { json: { q: '"" '.repeat(65) + "a" } }, /at most 64 phrases and excluded words/],
  ["many filters apart", "POST search", { json: { q: "a", filters: { path: Array(33).fill("a") } } }, /at most 32/],
  ["a list for a body", "POST search", { json: [] }, /expected an object/],
  ["no body", "POST search", {}, /expected a JSON object/],
  ["__proto__", "POST search", { json: JSON.parse('{"q": "a", "__proto__": {"k": 3}}') }, /unknown key "__proto__"/],
  ["a small budget", "POST context", { json: { q: "a", budget: 10 } }, /budget: expected an integer from 100 to/],
  ["a key of the search", "POST context", { json: { q: "a", explain: true } }, /explain: unknown key/],
];

for (const [title, route, parts, message] of FAULTS) {
  test(`refused with a sentence: ${title}`, async () => {
    const { status, body } = await call(route, parts);
    assert.equal(status, 400, JSON.stringify(body).slice(0, 200));
    assert.match(body["error"] as string, message);
  });
}

test("a collection that is not there is 404, with the nearest that is", async () => {
  const { status, body } = await call("GET search", { query: "q=a&collection=doc" });
  assert.deepEqual([status, body["error"]], [404, 'there is no collection "doc"; did you mean "docs"?']);
  assert.equal((await call("GET search", { query: "q=a&collection=__proto__" })).status, 404);
});

test("whatever stands in a query, there is an answer", async () => {
  const words = Array.from({ length: 990 }, (_, at) => String.fromCharCode(97 + (at % 26))).join(" ");
  const texts = [
    words,
    "*".repeat(2000),
    `"${"a ".repeat(900)}`,
    "-",
    '"',
    "path:",
    'tag:"',
    "__proto__ constructor",
    "💥",
  ];
  for (const q of texts) assert.equal((await call("POST search", { json: { q } })).status, 200, q.slice(0, 40));
});
