/** The retrieval collections beside the repository (`../shared/ir`), and the measure of a ranking. */
import { existsSync, readFileSync } from "node:fs";

export interface CollectionDocument {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

export interface Collection {
  readonly name: string;
  readonly documents: readonly CollectionDocument[];
  /** Those with at least one relevant document. */
  readonly queries: readonly { readonly text: string; readonly relevant: ReadonlySet<string> }[];
}

const ROOT = new URL("../../../../shared/ir/", import.meta.url);

/** Empty where the collections are not there. */
export function loadCollections(): Collection[] {
  return ["cranfield", "cisi", "cosqa"].filter((name) => existsSync(new URL(name, ROOT))).map(loadCollection);
}

function loadCollection(name: string): Collection {
  const read = (file: string): string[] =>
    readFileSync(new URL(`${name}/${file}`, ROOT), "utf8")
      .trim()
      .split("\n");
  const relevant = new Map<string, Set<string>>();
  for (const line of read("qrels.tsv").slice(1)) {
    const [query, document, grade] = line.split("\t") as [string, string, string];
    if (Number(grade) > 0) relevant.set(query, (relevant.get(query) ?? new Set()).add(document));
  }
  const queries = read("queries.jsonl").map((line) => JSON.parse(line) as { id: string; text: string });
  return {
    name,
    documents: read("docs.jsonl").map((line) => JSON.parse(line) as CollectionDocument),
    queries: queries.flatMap(({ id, text }) => (relevant.has(id) ? [{ text, relevant: relevant.get(id)! }] : [])),
  };
}

/** Normalised discounted cumulative gain of the first ten, with gains of 0 and 1. */
export function ndcgAt10(ranking: readonly string[], relevant: ReadonlySet<string>): number {
  const discount = (rank: number): number => 1 / Math.log2(rank + 2);
  let gain = 0;
  let best = 0;
  for (let rank = 0; rank < 10; rank++) {
    if (rank < ranking.length && relevant.has(ranking[rank]!)) gain += discount(rank);
    if (rank < relevant.size) best += discount(rank);
  }
  return gain / best;
}
