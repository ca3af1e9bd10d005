/** A chunk that was found -> the parts of its score: what each way to search found, and each term's share of BM25. */
import type { ScorePart } from "../../core/bm25.ts";
import type { Knowledge } from "./knowledge.ts";
import type { LegName } from "./legs.ts";
import type { Found, FoundChunk } from "./search.ts";

export interface LegShare {
  /** BM25, or the cosine; `null` where the chunk is not among the best of this leg. */
  readonly raw: number | null;
  /** From 0 for the last of the leg's best to 1 for its first. */
  readonly scaled: number;
  readonly weight: number;
}

export interface Explanation {
  readonly legs: Partial<Record<LegName, LegShare>>;
  /** The sum of scaled scores by their weights. */
  readonly fused: number;
  /** Of the query, the part that the best chunk of all covers, by weight; and the same in words that nothing has. */
  readonly coverage: { readonly part: number; readonly rareWords: number };
  /** What each term adds to BM25, the whole chunk considered, best first. */
  readonly terms: readonly ScorePart[];
}

export function explainHit({ lexical }: Knowledge, { query, legs, coverage }: Found, hit: FoundChunk): Explanation {
  const shares = legs.map(({ name, weight, hits }, at): [LegName, LegShare] => {
    const raw = hits.find(({ id }) => id === hit.chunk.chunkId)?.score ?? null;
    return [name, { raw, scaled: hit.fused.parts[at]! / weight, weight }];
  });
  const terms = lexical.explain(query, hit.chunk.chunkId).sort((one, other) => other.score - one.score);
  return { legs: Object.fromEntries(shares), fused: hit.fused.score, coverage, terms };
}

/** By which ways a chunk was found. */
export function findReason({ legs }: Found, { chunk }: FoundChunk): "lexical" | "vector" | "both" {
  const found = legs.filter(({ hits }) => hits.some(({ id }) => id === chunk.chunkId)).map(({ name }) => name);
  if (!found.includes("lexical")) return "vector";
  return found.length === 1 ? "lexical" : "both";
}
