/**
 * A search request -> the chunks or documents that answer it best, with a score for each.
 *
 * The flow: parse the query -> the ids in scope -> legs (words, vectors) -> one list -> what is covered by the best,
 * or nothing.
 * Units: scores from 0 to 1: how much of the query the best of all covers, and how near to the best a hit comes.
 * Order: by score, then by chunk id; of a document, where documents are asked for, the best chunk alone counts. (The
 * sum of the two best was tried: it favours long documents, and costs BM25 0.02 to 0.13 nDCG@10.)
 */
import type { FusedHit } from "../../core/fuse.ts";
import { LEG_DEPTH } from "../../core/fuse.ts";
import type { MetadataFilter, SearchQuery } from "../../core/query.ts";
import { isNoise, measureCoverage, NO_COVERAGE, strengthOf } from "./cut-off.ts";
import type { Coverage } from "./cut-off.ts";
import type { PlacedChunk } from "./document.ts";
import type { Knowledge } from "./knowledge.ts";
import { fuseAll, plainText, runLegs } from "./legs.ts";
import type { LegsOptions, NamedLeg, SearchMode } from "./legs.ts";
import { readQuery } from "./read-query.ts";
import { selectChunks } from "./scope.ts";
import { runInSlices } from "./slices.ts";
import type { Pace } from "./slices.ts";

export interface SearchRequest {
  /** As it was typed: words, phrases, exclusions, filters. */
  readonly text: string;
  /** `undefined`: all. */
  readonly collections?: readonly string[] | undefined;
  readonly project?: string | undefined;
  readonly mode: SearchMode;
  /** Beside those in the text. */
  readonly filters?: readonly MetadataFilter[];
  readonly k: number;
  /** Whether a document may be found by several of its chunks. */
  readonly per: "chunk" | "document";
}

export interface SearchOptions {
  /** The least part of a query that an answer covers; 0 lets all pass. */
  readonly cutOff: number;
  readonly pace: Pace;
  readonly signal: AbortSignal;
  /** Of the wall clock: what has expired by then is not found. */
  readonly nowMs: number;
}

export interface FoundChunk {
  readonly chunk: PlacedChunk;
  readonly score: number;
  /** As fused; its parts are those of `Found.legs`, in their order. */
  readonly fused: FusedHit;
}

export interface Found {
  readonly query: SearchQuery;
  readonly hits: readonly FoundChunk[];
  readonly legs: readonly NamedLeg[];
  readonly coverage: Coverage;
  readonly notices: readonly string[];
}

/** What is covered is measured on so many. */
const FEWEST = 10;
/** Legs are not searched deeper for documents that may not be there. */
const DEEPEST = 64 * LEG_DEPTH;

/** Rejects with the reason of the signal once that is aborted. */
export async function searchKnowledge(
  knowledge: Knowledge,
  request: SearchRequest,
  options: SearchOptions,
): Promise<Found> {
  const { query, isProse } = readQuery(request.text);
  const notices = [...knowledge.notices()];
  if (isProse) notices.push("so long a text is no expression: its quotes and dashes are taken for punctuation");
  const nothing = { query, hits: [], legs: [], coverage: NO_COVERAGE };
  if (plainText(query).trim() === "") return { ...nothing, notices: [...notices, "the query has no words"] };
  const asked = askEndpoint(knowledge, query, { mode: request.mode, signal: options.signal });
  const scope = { ...request, collections: request.collections, project: request.project };
  const filters = [...query.filters, ...(request.filters ?? [])];
  const steps = selectChunks(knowledge, { ...scope, filters });
  const filter = await runInSlices(steps, options.pace, options.signal);
  if (filter?.size === 0) return { ...nothing, notices: [...notices, "nothing in scope of this search"] };
  const embedding = await asked;
  if (typeof embedding === "string") notices.push(`searched without the vectors of the endpoint: ${embedding}`);
  const vector = typeof embedding === "string" ? undefined : embedding;
  const legsOptions = { mode: request.mode, filter, embedding: vector, pace: options.pace, signal: options.signal };
  const { legs, hits } = await findEnough(knowledge, query, { request, options: legsOptions, nowMs: options.nowMs });
  const best = hits.map(({ chunk }) => chunk);
  const coverage = await measureCoverage(knowledge, query, { best, cutOff: options.cutOff });
  const isModelSure = legs.some(({ name, hits: found }) => name === "endpoint" && found.length > 0);
  if (hits.length > 0 && isNoise(coverage, options.cutOff) && !isModelSure) {
    return { ...nothing, legs, coverage, notices: [...notices, "nothing found covers enough of the query"] };
  }
  const scored = hits.slice(0, request.k).map((hit) => ({ ...hit, score: scoreOf(hit, hits[0]!, coverage) }));
  return { query, hits: scored, legs, coverage, notices };
}

type Candidate = Omit<FoundChunk, "score">;

/** Searches deeper while there are too few documents in what was found and more is to be had. */
async function findEnough(
  knowledge: Knowledge,
  query: SearchQuery,
  { request, options, nowMs }: { request: SearchRequest; options: LegsOptions; nowMs: number },
): Promise<{ readonly legs: NamedLeg[]; readonly hits: readonly Candidate[] }> {
  // By words alone nothing is fused, and nothing need be found that is not asked for.
  for (let depth = request.mode === "lexical" ? Math.max(FEWEST, request.k) : LEG_DEPTH; ; depth *= 4) {
    const legs = await runLegs(knowledge, query, { ...options, depth });
    const hits = resolve(knowledge, fuseAll(legs), { per: request.per, nowMs });
    if (hits.length >= request.k || depth >= DEEPEST || !legs.some(({ isCut }) => isCut)) return { legs, hits };
  }
}

function resolve(
  knowledge: Knowledge,
  fused: readonly FusedHit[],
  { per, nowMs }: { readonly per: SearchRequest["per"]; readonly nowMs: number },
): Candidate[] {
  const seen = new Set<number>();
  return fused.flatMap((hit) => {
    const chunk = knowledge.chunk(hit.id);
    if (chunk === undefined) return [];
    const { firstChunkId, expiresMs = Infinity } = chunk.document;
    if (expiresMs <= nowMs) return [];
    if (per === "document" && seen.has(firstChunkId)) return [];
    seen.add(firstChunkId);
    return [{ chunk, fused: hit }];
  });
}

function scoreOf({ fused }: Candidate, best: Candidate, coverage: Coverage): number {
  const nearness = best.fused.score === 0 ? 1 : fused.score / best.fused.score;
  return nearness * strengthOf(coverage);
}

/** The query's vector, or why there is none; `undefined` where no endpoint is set up or wanted. */
async function askEndpoint(
  knowledge: Knowledge,
  query: SearchQuery,
  { mode, signal }: { readonly mode: SearchMode; readonly signal: AbortSignal },
): Promise<Float32Array | string | undefined> {
  if (mode === "lexical") return undefined;
  return knowledge.endpoint()?.embedQuery(plainText(query), signal);
}
