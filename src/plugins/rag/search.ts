/**
 * A search request -> the chunks or documents that answer it best, with a score for each.
 *
 * The flow: parse the query -> the ids in scope -> legs (words, vectors) -> one list -> what is covered by the best,
 * or nothing.
 * Units: scores from 0 to 1: how much of the query the best of all covers (or how near a model says it is), times how
 * near to the best a hit comes.
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
import { pathOf } from "./results.ts";
import { compileScope } from "./scope.ts";
import type { SearchScope } from "./scope.ts";
import type { ScopeCache } from "./scope-cache.ts";
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
  readonly scopes: ScopeCache;
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
  if (plainText(query).trim() === "") return foundNothing(query, [...notices, "the query has no words"]);
  const asked = askEndpoint(knowledge, query, { mode: request.mode, signal: options.signal });
  const { collections, project, filters = [] } = request;
  const scope: SearchScope = { collections, project, filters: [...query.filters, ...filters] };
  const filter = await options.scopes.select(scope, options.pace, options.signal);
  if (filter?.size === 0) return foundNothing(query, [...notices, "nothing in scope of this search"]);
  const answer = await asked;
  if (typeof answer === "string") notices.push(`searched without the vectors of the endpoint: ${answer}`);
  const embedding = typeof answer === "string" ? undefined : answer;
  const legs = { mode: request.mode, filter, embedding, pace: options.pace, signal: options.signal };
  const candidates = await findEnough(knowledge, query, { request, legs, scope, nowMs: options.nowMs });
  return judge(knowledge, { query, notices, ...candidates }, { k: request.k, cutOff: options.cutOff });
}

function foundNothing(query: SearchQuery, notices: readonly string[]): Found {
  return { query, hits: [], legs: [], coverage: NO_COVERAGE, notices };
}

/**
 * What scores less than this part of the best is left out: else half a screen of noise follows every short answer. On
 * three collections no judged answer of the ten best is lost by it, and the first at 0.2 (nDCG@10 by 0.0007, on one).
 */
const LEAST_NEARNESS = 0.15;

type Candidate = Omit<FoundChunk, "score">;
type Candidates = Pick<Found, "legs"> & { readonly hits: readonly Candidate[] };

/** The k best with their scores; none where they are noise. */
async function judge(
  knowledge: Knowledge,
  { query, legs, hits, notices }: Candidates & Pick<Found, "query" | "notices">,
  { k, cutOff }: { readonly k: number; readonly cutOff: number },
): Promise<Found> {
  const coverage = await measureCoverage(knowledge, query, { best: hits.map(({ chunk }) => chunk), cutOff });
  const modelCosine = legs.find(({ name }) => name === "endpoint")?.hits[0]?.score;
  const found = { query, legs, coverage };
  if (hits.length > 0 && modelCosine === undefined && isNoise(coverage, cutOff)) {
    return { ...found, hits: [], notices: [...notices, "nothing found covers enough of the query"] };
  }
  const strength = Math.min(1, Math.max(strengthOf(coverage), modelCosine ?? 0));
  const best = hits[0]?.fused.score || 1;
  const near = cutOff === 0 ? hits : hits.filter(({ fused }) => fused.score >= LEAST_NEARNESS * best);
  const scored = near.slice(0, k).map((hit) => ({ ...hit, score: (strength * hit.fused.score) / best }));
  return { ...found, hits: scored, notices };
}

interface Finding {
  readonly request: SearchRequest;
  readonly legs: LegsOptions;
  readonly scope: SearchScope;
  readonly nowMs: number;
}

/** Searches deeper while there are too few documents in what was found and more is to be had. */
async function findEnough(knowledge: Knowledge, query: SearchQuery, finding: Finding): Promise<Candidates> {
  const { request } = finding;
  // By words alone nothing is fused, and nothing need be found that is not asked for.
  for (let depth = request.mode === "lexical" ? Math.max(FEWEST, request.k) : LEG_DEPTH; ; depth *= 4) {
    const legs = await runLegs(knowledge, query, { ...finding.legs, depth });
    const hits = resolve(knowledge, fuseAll(legs), finding);
    if (hits.length >= request.k || depth >= DEEPEST || !legs.some(({ isCut }) => isCut)) return { legs, hits };
  }
}

/** What came while vectors were searched is looked at, too: an id may be newer than the set of those in scope. */
function resolve(
  knowledge: Knowledge,
  fused: readonly FusedHit[],
  { request, scope, nowMs }: Omit<Finding, "legs">,
): Candidate[] {
  const isInScope = compileScope(scope);
  const seen = new Set<number | string>();
  return fused.flatMap((hit) => {
    const chunk = knowledge.chunk(hit.id);
    const collection = chunk && knowledge.collection(chunk.document.collection);
    if (!chunk || !collection || !isInScope(chunk.document, collection)) return [];
    const { firstChunkId, expiresMs = Infinity } = chunk.document;
    if (expiresMs <= nowMs || (request.per === "document" && seen.has(firstChunkId))) return [];
    seen.add(firstChunkId);
    const place = placeOf(knowledge, chunk, request.per);
    if (place !== undefined && seen.has(place)) return [];
    if (place !== undefined) seen.add(place);
    return [{ chunk, fused: hit }];
  });
}

/** The same for one file, or the same lines of it, which two collections may hold; undefined for what is no file. */
function placeOf(
  knowledge: Knowledge,
  { document, startByte }: PlacedChunk,
  per: SearchRequest["per"],
): string | undefined {
  const path = pathOf(knowledge, document);
  if (path === null) return undefined;
  return per === "document" ? path : `${document.file?.hash} ${startByte} ${path}`;
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
