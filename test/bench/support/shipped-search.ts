/**
 * The knowledge plugin's own search, from document to answer: chunks, legs, cut-off, the best chunk of each document.
 *
 * What the benchmark of the core measures on whole documents is measured here on what is shipped.
 */
import { DEFAULT_CUT_OFF } from "../../../src/plugins/rag/cut-off.ts";
import { buildContext } from "../../../src/plugins/rag/context.ts";
import type { Knowledge } from "../../../src/plugins/rag/knowledge.ts";
import { readChunk, showHits } from "../../../src/plugins/rag/results.ts";
import { ScopeCache } from "../../../src/plugins/rag/scope-cache.ts";
import { searchKnowledge } from "../../../src/plugins/rag/search.ts";
import type { Found, SearchRequest } from "../../../src/plugins/rag/search.ts";
import { testKnowledge } from "../../support/knowledge.ts";
import { ndcgAt10 } from "./collections.ts";
import type { Collection } from "./collections.ts";
import { isAnswered, readDocumentation } from "./documentation.ts";
import { largeKnowledge } from "./large-knowledge.ts";
import { median, printTable, quantile } from "./measure.ts";
import { misspell, noiseFor } from "./noise-queries.ts";

type Row = Readonly<Record<string, string | number>>;
type Given = Partial<SearchRequest> & { readonly cutOff?: number };

const signal = new AbortController().signal;
const FILTER = { isExcluded: false } as const;

function search(knowledge: Knowledge, text: string, given: Given = {}): Promise<Found> {
  const { cutOff = DEFAULT_CUT_OFF, ...rest } = given;
  const request: SearchRequest = { text, mode: "hybrid", k: 10, per: "chunk", project: "*", ...rest };
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const pace = { monotonicMs: () => performance.now(), turn };
  return searchKnowledge(knowledge, request, { cutOff, scopes: scopesOf(knowledge), pace, signal, nowMs: 0 });
}

const caches = new WeakMap<Knowledge, ScopeCache>();

function scopesOf(knowledge: Knowledge): ScopeCache {
  const scopes = caches.get(knowledge) ?? new ScopeCache(knowledge);
  caches.set(knowledge, scopes);
  return scopes;
}

function knowledgeOf({ documents }: Collection): Knowledge {
  return testKnowledge(
    documents.map(({ id, title, text }) => ({ id, text, kind: "markdown", ...(title !== "" && { title }) })),
  );
}

/** Each collection as notes, found by their documents; and what the cut-off costs and saves. */
export async function measureShipped(
  collections: readonly Collection[],
  targets: Readonly<Record<string, readonly [lexical: number, hybrid: number]>>,
): Promise<void> {
  const rows: Row[] = [];
  const noise: Row[] = [];
  for (const collection of collections) {
    const knowledge = knowledgeOf(collection);
    const [lexical, hybrid] = targets[collection.name]!;
    for (const [mode, target] of [
      ["lexical", lexical],
      ["hybrid", hybrid],
    ] as const) {
      const all = await gainsOf(knowledge, collection, { mode, cutOff: 0 });
      const kept = await gainsOf(knowledge, collection, { mode });
      rows.push({
        collection: collection.name,
        chunks: knowledge.lexical.size,
        mode,
        "nDCG@10": `${kept.quality.toFixed(4)} (at least ${target})`,
        "without cut-off": all.quality.toFixed(4),
        "p50 ms": median(kept.times),
        "p95 ms": quantile(kept.times, 0.95),
      });
    }
    noise.push(await measureCutOff(knowledge, collection, collections));
  }
  printTable("the plugin's search: documents as notes, chunks, per=document", rows);
  printTable(`what is answered with nothing (cut-off ${DEFAULT_CUT_OFF})`, noise);
}

async function gainsOf(
  knowledge: Knowledge,
  { queries }: Collection,
  given: Given,
): Promise<{ quality: number; times: number[] }> {
  const times: number[] = [];
  let sum = 0;
  for (const { text, relevant } of queries) {
    const start = performance.now();
    const { hits } = await search(knowledge, text, { ...given, per: "document" });
    times.push(performance.now() - start);
    sum += ndcgAt10(
      hits.map(({ chunk }) => chunk.document.id),
      relevant,
    );
  }
  return { quality: sum / queries.length, times };
}

async function measureCutOff(knowledge: Knowledge, collection: Collection, all: readonly Collection[]): Promise<Row> {
  const slips = collection.queries.map(({ text }, at) => misspell(text, at));
  const kinds = [
    { name: "judged", texts: collection.queries.map(({ text }) => text) },
    { name: "a slip in every word", texts: slips },
    ...noiseFor(collection, all),
  ];
  const row: Record<string, string> = { collection: collection.name };
  for (const { name, texts } of kinds) {
    let empty = 0;
    for (const text of texts) if ((await search(knowledge, text)).hits.length === 0) empty++;
    row[name] = `${((100 * empty) / texts.length).toFixed(0)} %`;
  }
  return row;
}

/** How often the beginning of the right section is in a context of 4000 characters. */
export async function measureContext(name: string, directory: string): Promise<void> {
  const { files, questions } = readDocumentation(directory);
  const root = { name: "docs", kind: "folder", project: undefined, root: "/docs" } as const;
  const knowledge = testKnowledge(
    files.map((file) => ({ ...file, collection: "docs" })),
    { collections: [root] },
  );
  const rows: Row[] = [];
  for (const mode of ["lexical", "hybrid"] as const) {
    const row: Record<string, string> = { mode };
    for (const budgetTokens of [500, 1000, 2000]) {
      let found = 0;
      for (const { text, answer } of questions) {
        found += Number(isAnswered(answer, await contextFor(knowledge, text, { mode, budgetTokens })));
      }
      row[`within ${budgetTokens * 4} characters`] = (found / questions.length).toFixed(2);
    }
    rows.push(row);
  }
  const size = `${files.length} files, ${knowledge.lexical.size} chunks, ${questions.length} questions`;
  printTable(`answers in the context: the documentation of ${name} (${size})`, rows);
}

async function contextFor(
  knowledge: Knowledge,
  text: string,
  { mode, budgetTokens }: { readonly mode: SearchRequest["mode"]; readonly budgetTokens: number },
): Promise<string> {
  const { hits } = await search(knowledge, text, { mode, k: 10 + Math.ceil(budgetTokens / 60) });
  const chunks = await Promise.all(
    hits.map(async ({ chunk }) => ({ chunk, text: (await readChunk(knowledge, chunk))! })),
  );
  return buildContext(chunks, { budgetTokens, nameOf: ({ document }) => document.id }).context;
}

const REQUESTS: Readonly<Record<string, Given>> = {
  words: { mode: "lexical" },
  "words, those of no project": { mode: "lexical", project: undefined },
  hybrid: {},
  "hybrid, those of no project": { project: undefined },
  "hybrid, a tag that 2 % have": { filters: [{ field: "tag", value: "rare", ...FILTER }] },
  "hybrid, a path with stars": { filters: [{ field: "path", value: "folder7*/*.md", ...FILTER }] },
  "hybrid, per document": { per: "document" },
};

/** Half of the documents, five chunks each, belong to a project. */
export async function measureSpeed(collections: readonly Collection[]): Promise<void> {
  const knowledge = largeKnowledge(collections);
  const queries = collections.flatMap(({ queries: own }) => own.slice(0, 20).map(({ text }) => text));
  for (const count of [5000, 500_000]) {
    knowledge.growTo(count);
    for (const text of queries) await search(knowledge, text);
    const rows: Row[] = [];
    for (const [request, given] of Object.entries(REQUESTS)) {
      const times: Time[] = [];
      const shown: Time[] = [];
      for (const text of queries) {
        const { result, ...time } = await best(() => search(knowledge, text, given));
        times.push(time);
        shown.push(await best(() => showHits(knowledge, result, { isExplained: false })));
      }
      const all = times.map(({ ms }) => ms);
      rows.push({
        request,
        "p50 ms": median(all),
        "p95 ms": quantile(all, 0.95),
        "p50 CPU ms": median(times.map(({ cpuMs }) => cpuMs)),
        "texts and snippets, CPU ms": median(shown.map(({ cpuMs }) => cpuMs)),
      });
    }
    printTable(`the plugin's search over ${count} chunks`, rows);
  }
}

interface Time {
  readonly ms: number;
  /** Of all threads: what a machine that does nothing else would take at most. */
  readonly cpuMs: number;
}

/** The shortest of three turns: what else the machine does falls mostly on the others. */
async function best<T>(run: () => Promise<T>): Promise<Time & { readonly result: T }> {
  let [ms, cpuMs] = [Infinity, Infinity];
  let result: T;
  for (let turn = 0; turn < 3; turn++) {
    const [start, cpuStart] = [performance.now(), process.cpuUsage()];
    result = await run();
    const { user, system } = process.cpuUsage(cpuStart);
    ms = Math.min(ms, performance.now() - start);
    cpuMs = Math.min(cpuMs, (user + system) / 1000);
  }
  return { ms, cpuMs, result: result! };
}
