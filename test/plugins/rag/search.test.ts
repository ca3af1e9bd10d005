import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VectorIndex } from "../../../src/core/vectors.ts";
import { showHits } from "../../../src/plugins/rag/results.ts";
import { ScopeCache } from "../../../src/plugins/rag/scope-cache.ts";
import { searchKnowledge } from "../../../src/plugins/rag/search.ts";
import type { Found, SearchRequest } from "../../../src/plugins/rag/search.ts";
import { testKnowledge } from "../../support/knowledge.ts";
import type { TestDocument, TestKnowledge } from "../../support/knowledge.ts";

const never = new AbortController().signal;
const pace = { monotonicMs: () => 0, turn: async () => undefined };

interface Given extends Partial<SearchRequest> {
  readonly cutOff?: number;
  readonly signal?: AbortSignal;
}

function search(knowledge: TestKnowledge, text: string, given: Given = {}): Promise<Found> {
  const { cutOff = 0.2, signal = never, ...rest } = given;
  const request: SearchRequest = { text, mode: "hybrid", k: 10, per: "chunk", ...rest };
  return searchKnowledge(knowledge, request, { cutOff, scopes: new ScopeCache(knowledge), pace, signal, nowMs: 0 });
}

const idsOf = ({ hits }: Found): string[] => hits.map(({ chunk }) => chunk.document.id);

const DOCUMENTS: readonly TestDocument[] = [
  { id: "loop", title: "The event loop", text: "Timers and callbacks run when the stack is empty." },
  { id: "stream", title: "Streams", text: "A readable stream pauses when its buffer is full." },
  { id: "journal", title: "The journal", text: "Every event is appended to the journal before it counts." },
  { id: "backup", title: "Backups", text: "A backup is restored into an empty folder." },
  { id: "lock", title: "Lock files", text: "One daemon holds the lock of a data directory.", tags: ["disk"] },
  { id: "quota", title: "Quotas", text: "The disk budget bounds what the daemon may write.", tags: ["disk"] },
];
const knowledge = testKnowledge(DOCUMENTS);

describe("what is found", () => {
  test("the best first, by words and by vectors", async () => {
    const found = await search(knowledge, "event loop timers");
    assert.equal(idsOf(found)[0], "loop");
    const [hit] = await showHits(knowledge, found, { isExplained: false });
    assert.deepEqual([hit!.why, hit!.title, hit!.snippet], ["both", "The event loop", DOCUMENTS[0]!.text]);
    assert.deepEqual(hit!.highlights, [[0, 6]]);
    assert.ok(hit!.score > 0 && hit!.score <= 1);
  });

  test("a mistyped word, by its vectors alone", async () => {
    const found = await search(knowledge, "jornal");
    assert.equal(idsOf(found)[0], "journal");
    const [hit] = await showHits(knowledge, found, { isExplained: false });
    assert.equal(hit!.why, "vector");
    assert.deepEqual(idsOf(await search(knowledge, "jornal", { mode: "lexical" })), []);
  });

  test("phrases and exclusions hold for what vectors find", async () => {
    const phrase = idsOf(await search(knowledge, 'disk "data directory"'));
    assert.deepEqual(phrase, ["lock"]);
    for (const mode of ["hybrid", "lexical", "vector"] as const) {
      const found = await search(knowledge, "daemon disk -budget", { mode });
      assert.ok(idsOf(found).includes("lock") && !idsOf(found).includes("quota"), mode);
    }
    assert.deepEqual(idsOf(await search(knowledge, 'disk "no such phrase"')), []);
  });

  test("in a long text, quotes and dashes are punctuation", async () => {
    const text = `${"what is known about the event loop and its timers ".repeat(4)} "never" -event`;
    const found = await search(knowledge, text);
    assert.equal(idsOf(found)[0], "loop");
    assert.match(found.notices.join(), /punctuation/);
    assert.deepEqual(idsOf(await search(knowledge, 'event loop "never"')), []);
  });

  test("filters of the text and of the request", async () => {
    assert.deepEqual(idsOf(await search(knowledge, "event daemon tag:disk")).sort(), ["lock", "quota"]);
    const filters = [{ field: "path", value: "quo*", isExcluded: false }] as const;
    assert.deepEqual(idsOf(await search(knowledge, "event daemon tag:disk", { filters })), ["quota"]);
    const outside = await search(knowledge, "event tag:none");
    assert.deepEqual([idsOf(outside), outside.notices], [[], ["nothing in scope of this search"]]);
  });

  test("k is the most", async () => assert.equal(idsOf(await search(knowledge, "daemon", { k: 1 })).length, 1));

  test("no more than a word is needed, no less either", async () => {
    const { hits, notices } = await search(knowledge, " tag:disk ");
    assert.deepEqual([hits, notices], [[], ["the query has no words"]]);
    assert.deepEqual(idsOf(await search(knowledge, "what is the")), []);
    assert.deepEqual(idsOf(await search(testKnowledge([]), "daemon")), []);
  });
});

describe("better nothing than noise", () => {
  const NOISE = ["xqzvk wrtplm", "Wie backe ich einen Apfelkuchen", "где купить билеты на поезд", "brumple snorvat"];
  for (const query of NOISE) {
    test(query, async () => {
      const found = await search(knowledge, query);
      assert.deepEqual(found.hits, []);
      assert.ok(
        found.legs.some(({ hits }) => hits.length > 0),
        "the vectors had found something",
      );
      assert.match(found.notices.join(), /covers enough/);
      assert.ok((await search(knowledge, query, { cutOff: 0 })).hits.length > 0, "0 lets all pass");
    });
  }

  test("behind a good answer, what is far from it is left out", async () => {
    const all = await search(knowledge, "journal", { cutOff: 0 });
    const kept = await search(knowledge, "journal");
    assert.ok(all.hits.length > kept.hits.length, "there is a tail");
    assert.deepEqual(
      kept.hits,
      all.hits.filter(({ score }) => score >= 0.15 * all.hits[0]!.score),
    );
  });

  test("scores tell queries apart: all words found, or one of many", async () => {
    const scoreOf = async (query: string): Promise<number> => (await search(knowledge, query)).hits[0]!.score;
    assert.equal(await scoreOf("journal"), 1);
    assert.ok((await scoreOf("journal xqzvk wrtplm")) < 0.5);
  });
});

describe("documents", () => {
  const pages = Array.from({ length: 40 }, (_, page) => `## Page ${page}\n\n${`daemon page text ${page} `.repeat(45)}`);
  const long: TestDocument = { id: "long", text: pages.join("\n\n") };
  const filler = "filler words ".repeat(80);
  const short = Array.from({ length: 3 }, (_, at) => ({ id: `short${at}`, text: `${filler} daemon ${at}` }));
  const both = testKnowledge([...Array.from({ length: 4 }, (_, at) => ({ ...long, id: `long${at}` })), ...short]);

  test("count once each, and are looked for below the chunks of a long one", async () => {
    const found = await search(both, "daemon", { per: "document", k: 7, mode: "lexical" });
    assert.equal(new Set(idsOf(found)).size, 7);
    assert.equal(found.hits.length, 7);
  });

  test("chunks do not", async () => {
    const found = await search(both, "daemon", { k: 20, mode: "lexical" });
    assert.ok(new Set(idsOf(found)).size < found.hits.length);
  });
});

describe("an endpoint", () => {
  const index = new VectorIndex({ dimensions: 2, format: "both" });
  DOCUMENTS.forEach((_, id) => index.add(id, id === 3 ? [1, 0] : [0.2, 1]));
  const withModel = testKnowledge(DOCUMENTS, {
    endpoint: { index, embedQuery: async (text) => (text === "down" ? "it is down" : new Float32Array([1, 0])) },
  });

  test("finds what shares no word", async () => {
    const found = await search(withModel, "Sicherheitskopie");
    assert.equal(idsOf(found)[0], "backup");
    assert.equal(found.hits[0]!.score, 1, "as near as the model says it is");
    assert.deepEqual(
      found.legs.map(({ name }) => name),
      ["lexical", "endpoint"],
      "not the built-in vectors",
    );
  });

  test("counts by how much it has embedded", async () => {
    const half = new VectorIndex({ dimensions: 2, format: "both" });
    for (const id of [0, 1, 2]) half.add(id, [1, 0]);
    const embedQuery = async () => new Float32Array([1, 0]);
    const part = testKnowledge(DOCUMENTS, { endpoint: { index: half, embedQuery } });
    const { legs } = await search(part, "event loop");
    const weights = Object.fromEntries(legs.map(({ name, weight }) => [name, Number(weight.toFixed(3))]));
    assert.deepEqual(weights, { lexical: 0.55, hashed: 0.1, latent: 0.1, endpoint: 0.25 });
  });

  test("that is down is told of, and the built-in vectors stand in", async () => {
    const found = await search(withModel, "down", { cutOff: 0 });
    assert.match(found.notices.join(), /without the vectors of the endpoint: it is down/);
    assert.ok(found.legs.some(({ name }) => name === "hashed"));
  });
});

test("every part of a score is explained, and they add up", async () => {
  const found = await search(knowledge, "event journal");
  const [hit] = await showHits(knowledge, found, { isExplained: true });
  const { legs, fused, terms, coverage } = hit!.explain!;
  const sum = Object.values(legs).reduce((total, { scaled, weight }) => total + scaled * weight, 0);
  assert.ok(Math.abs(sum - fused) < 1e-9);
  assert.deepEqual(
    terms.map(({ term }) => term),
    ["journal", "event"],
  );
  assert.ok(Math.abs(terms.reduce((total, { score }) => total + score, 0) - legs.lexical!.raw!) < 1e-9);
  assert.equal(coverage.part, 1);
});

test("out of date is said of what is, and what has gone is left out", async () => {
  const changing = testKnowledge(DOCUMENTS, { notices: ["indexing"] });
  changing.stale.add("journal");
  const found = await search(changing, "event");
  assert.deepEqual(found.notices, ["indexing"]);
  const before = await showHits(changing, found, { isExplained: false });
  assert.deepEqual(
    before.filter(({ stale }) => stale).map(({ id }) => id),
    ["journal"],
  );
  changing.gone.add("journal");
  const after = await showHits(changing, found, { isExplained: false });
  assert.deepEqual(
    after.map(({ id }) => id),
    before.map(({ id }) => id).filter((id) => id !== "journal"),
  );
});

test("what comes into another project while a search goes on does not leak into it", async () => {
  const theirs = { id: "theirs", text: "the tide", project: "p" };
  const whole = testKnowledge([{ id: "ours", text: "the tide" }, theirs]);
  // Listed without the one that came after the ids in scope were chosen.
  const documentsOf = (name: string) => [...whole.documentsOf(name)].filter(({ project }) => project === undefined);
  assert.deepEqual(idsOf(await search({ ...whole, documentsOf }, "tide")), ["ours"]);
});

test("a file that two collections hold is found once; copies of it elsewhere are others", async () => {
  const folder = (name: string, root: string) => ({ name, kind: "folder", project: undefined, root }) as const;
  const collections = [folder("whole", "/w"), folder("part", "/w/docs"), folder("copy", "/copy")];
  const long = Array.from(
    { length: 40 },
    (_, at) => `The tide at hour ${at} is neither high nor low, says the pilot.`,
  ).join(" ");
  const held = [
    { collection: "whole", id: "docs/a.md", text: long },
    { collection: "part", id: "a.md", text: long },
    { collection: "copy", id: "a.md", text: long },
  ];
  const overlapping = testKnowledge(held, { collections });
  const chunks = await search(overlapping, "tide pilot", { k: 50 });
  const places = chunks.hits.map(({ chunk: { document, startLine, startByte } }) => {
    return `${document.collection === "copy" ? "copy" : "/w"} ${startLine} ${startByte}`;
  });
  assert.equal(new Set(places).size, places.length);
  assert.equal(places.length, 2 * overlapping.chunksOf(chunks.hits[0]!.chunk.document).length);
  assert.equal((await search(overlapping, "tide pilot", { per: "document" })).hits.length, 2);
});

test("what has expired is not found", async () => {
  const notes = testKnowledge([
    { id: "old", text: "the tide", expiresMs: 1000 },
    { id: "new", text: "the tide" },
  ]);
  const request = { text: "tide", mode: "hybrid", k: 10, per: "chunk" } as const;
  const at = (nowMs: number) =>
    searchKnowledge(notes, request, { cutOff: 0.2, scopes: new ScopeCache(notes), pace, signal: never, nowMs });
  assert.deepEqual(idsOf(await at(999)).sort(), ["new", "old"]);
  assert.deepEqual(idsOf(await at(1000)), ["new"]);
});

test("a search gives the loop back, and ends when nobody waits any more", async () => {
  const many = testKnowledge(
    Array.from({ length: 4500 }, (_, at) => ({ id: `${at}`, text: `daemon ${at}` })),
    { isTrained: false },
  );
  let turns = 0;
  let nowMs = 0;
  const controller = new AbortController();
  const slow = { monotonicMs: () => (nowMs += 10), turn: async () => void turns++ };
  const options = { cutOff: 0, scopes: new ScopeCache(many), pace: slow, signal: controller.signal, nowMs: 0 };
  const request = { text: "daemon", mode: "vector", k: 1, per: "chunk" } as const;
  await searchKnowledge(many, request, options);
  assert.ok(turns >= 1, `${turns} turns`);
  controller.abort(new Error("gone"));
  await assert.rejects(searchKnowledge(many, request, options), /gone/);
});
