/**
 * Knowledge search: quality on three collections, time for a query and for indexing, memory; side by side with what
 * there is.
 *
 * The machine may be busy: contenders take turns query by query, and what is told is medians over queries, and ratios.
 */
import { chunkText } from "../../src/core/chunk.ts";
import { LexicalIndex } from "../../src/core/bm25.ts";
import { HASHED_DIMENSIONS, HashedEncoder } from "../../src/core/hashed-vectors.ts";
import { encodeLatent } from "../../src/core/latent.ts";
import { VectorIndex } from "../../src/core/vectors.ts";
import { packagesAside } from "./support/aside.ts";
import type { Packages } from "./support/aside.ts";
import { loadCollections, ndcgAt10 } from "./support/collections.ts";
import type { Collection } from "./support/collections.ts";
import { mixChunk, wordsOf } from "./support/large-knowledge.ts";
import { median, printTable, quantile } from "./support/measure.ts";
import * as engines from "./support/search-engines.ts";
import type { Engine, Search } from "./support/search-engines.ts";
import { measureContext, measureShipped, measureSpeed } from "./support/shipped-search.ts";
import { prepareVectors } from "./support/vector-engines.ts";

/** The least nDCG@10 that is promised: BM25 alone, and with the built-in vectors. */
const TARGETS: Readonly<Record<string, readonly [lexical: number, hybrid: number]>> = {
  cranfield: [0.525, 0.55],
  cisi: [0.405, 0.425],
  cosqa: [0.39, 0.415],
};
const LARGE = 500_000;

type Row = Readonly<Record<string, string | number>>;

export async function bench(): Promise<void> {
  const collections = loadCollections();
  if (collections.length === 0)
    return console.log("the collections (../shared/ir) are not here: nothing to measure with");
  const packages = packagesAside();
  try {
    const rivals = [
      engines.fts5(),
      engines.miniSearch(packages),
      engines.lunrSearch(packages),
      engines.orama(packages),
      engines.winkBm25(packages),
    ].filter((engine) => engine !== undefined);
    compareQuality(collections, [engines.LEXICAL, engines.HYBRID, ...rivals]);
    await measureShipped(collections, TARGETS);
    const documentation = packages.directoryOf("fastify");
    if (documentation !== undefined) await measureContext("fastify", `${documentation}/docs`);
    measureIndexing(collections);
    measureLarge(collections);
    await measureSpeed(collections);
    compareVectors(packages);
  } finally {
    packages.remove();
  }
}

function compareQuality(collections: readonly Collection[], contenders: readonly Engine[]): void {
  for (const collection of collections) {
    const [lexical, hybrid] = TARGETS[collection.name]!;
    const searches = contenders.map(({ name, index }): [string, Search] => [name, index(collection.documents)]);
    const times = timeByTurns(
      searches,
      collection.queries.slice(0, 100).map(({ text }) => text),
    );
    const own = median(times.get("bm25")!);
    printTable(
      `${collection.name}: ${collection.documents.length} documents, ${collection.queries.length} queries`,
      searches.map(([name, search]): Row => {
        const middle = median(times.get(name)!);
        const target = { bm25: lexical, hybrid }[name];
        return {
          engine: name,
          "nDCG@10": qualityOf(search, collection).toFixed(4) + (target ? ` (at least ${target})` : ""),
          "p50 ms": middle,
          "p95 ms": quantile(times.get(name)!, 0.95),
          "times bm25": middle / own,
        };
      }),
    );
  }
}

function qualityOf(search: Search, { documents, queries }: Collection): number {
  const gains = queries.map(({ text, relevant }) =>
    ndcgAt10(
      search(text).map((at) => documents[at]!.id),
      relevant,
    ),
  );
  return gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
}

/**
 * Milliseconds by name, one for each query: the best of three turns, in each of which every contender has the query
 * once. What else the machine does falls on all of them, and mostly on the turns that do not count.
 */
function timeByTurns<Q>(
  contenders: readonly (readonly [name: string, run: (query: Q) => unknown])[],
  queries: readonly Q[],
): Map<string, number[]> {
  const times = new Map(contenders.map(([name]) => [name, [] as number[]]));
  for (const [, run] of contenders) for (const query of queries.slice(0, 20)) run(query);
  for (const query of queries) {
    const best = new Map<string, number>();
    for (let turn = 0; turn < 3; turn++) {
      for (const [name, run] of contenders) {
        const start = performance.now();
        run(query);
        best.set(name, Math.min(best.get(name) ?? Infinity, performance.now() - start));
      }
    }
    for (const [name, ms] of best) times.get(name)!.push(ms);
  }
  return times;
}

/** Each document of the collections as a Markdown file, through all that becomes of a file. */
function measureIndexing(collections: readonly Collection[]): void {
  const files = collections.flatMap(({ documents }) => documents.map(({ title, text }) => `# ${title}\n\n${text}\n`));
  const characters = files.reduce((sum, file) => sum + file.length, 0);
  const steps = new Map<string, number[]>();
  const time = <T>(name: string, work: () => T): T => {
    const start = process.cpuUsage();
    const result = work();
    const { user, system } = process.cpuUsage(start);
    steps.set(name, [...(steps.get(name) ?? []), (user + system) / 1000]);
    return result;
  };
  for (let round = 0; round < 5; round++) {
    const chunks = time("chunks", () => files.flatMap((file) => chunkText(file, "a.md")));
    const fields = chunks.map(({ text, headings }) => [
      { text: headings.join(" "), weight: 2 },
      { text, weight: 1 },
    ]);
    time("bm25", () => {
      const index = new LexicalIndex();
      fields.forEach((document, id) => index.add(id, document));
      index.seal();
    });
    const encoder = new HashedEncoder();
    time("hashed: learn", () => fields.forEach((document) => encoder.learn(document)));
    const index = new VectorIndex({ dimensions: HASHED_DIMENSIONS, format: "int8" });
    time("hashed: encode, add", () => fields.forEach((document, id) => index.add(id, encoder.encode(document))));
    const model = time("latent: train", () => engines.trainAtOnce(fields));
    time("latent: encode", () => fields.forEach((document) => encodeLatent(document, model)));
  }
  printTable(
    `indexing ${files.length} files, ${(characters / 1e6).toFixed(1)} MB (CPU time, median of 5)`,
    [...steps].map(([step, times]): Row => {
      const middle = median(times);
      return { step, ms: middle, "MB/s": characters / 1000 / middle };
    }),
  );
}

/** See `large-knowledge.ts`. */
function measureLarge(collections: readonly Collection[]): void {
  const index = new LexicalIndex();
  const words = wordsOf(collections);
  const before = usedBytes();
  let characters = 0;
  let buildMs = 0;
  for (const count of [5000, 100_000, LARGE]) {
    while (index.size < count) {
      const text = mixChunk(words, index.size);
      characters += text.length;
      const start = performance.now();
      index.add(index.size, [{ text, weight: 1 }]);
      buildMs += performance.now() - start;
    }
    index.seal();
    const searches = collections.map(({ name, queries }) => ({ name, queries: queries.slice(0, 60) }));
    const rows = searches.map(({ name, queries }): Row => {
      const run = ({ text }: { readonly text: string }): unknown => index.search({ text }, { k: 10 });
      const times = timeByTurns([[name, run]], queries).get(name)!;
      return { "queries of": name, "p50 ms": median(times), "p95 ms": quantile(times, 0.95) };
    });
    printTable(`bm25 over ${count} chunks`, rows);
  }
  const perChunk = ((usedBytes() - before) / LARGE).toFixed(0);
  const average = (characters / LARGE).toFixed(0);
  const speed = (characters / 1000 / buildMs).toFixed(1);
  console.log(`memory: ${perChunk} bytes a chunk of ${average} characters; built at ${speed} MB/s`);
}

function compareVectors(packages: Packages): void {
  const { queries, contenders } = prepareVectors(packages);
  const times = timeByTurns(
    contenders.map(({ name, run }) => [name, run] as const),
    queries,
  );
  const reading = median(times.get("reading the memory")!);
  const oracle = contenders.find(({ name }) => name === "float, plain JS")!;
  const expected = queries.map((query) => oracle.run(query)!.join());
  printTable(
    "exact top 10 of 100 000 x 384",
    contenders.map(({ name, run }): Row => {
      const middle = median(times.get(name)!);
      const same = queries.filter((query, at) => run(query)?.join() === expected[at]).length;
      return {
        contender: name,
        "p50 ms": middle,
        "best ms": Math.min(...times.get(name)!),
        "times reading": middle / reading,
        "same ids": name === "reading the memory" ? "" : `${same} of ${queries.length}`,
      };
    }),
  );
}

function usedBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
