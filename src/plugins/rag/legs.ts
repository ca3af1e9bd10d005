/**
 * A query -> the best chunks by each of the ways to search, with what each way counts.
 *
 * The endpoint's vectors take the place of the built-in ones as far as they have come: with a part r of all chunks
 * embedded, its leg counts r of the vectors' share, and the built-in legs what is left of theirs. With all of them
 * there, words and model count the same: on texts that a model was not trained for it is about as good as BM25, now
 * better and now worse, and equal parts lose least to whichever is worse.
 * Order: the lexical search is done at once; vectors are searched in slices.
 */
import { fuseLegs, LEG_WEIGHTS } from "../../core/fuse.ts";
import type { FusedHit, Leg } from "../../core/fuse.ts";
import type { IdFilter } from "../../core/id-set.ts";
import { encodeLatent } from "../../core/latent.ts";
import type { Hit } from "../../core/top-k.ts";
import type { SearchQuery } from "../../core/query.ts";
import type { VectorIndex } from "../../core/vectors.ts";
import type { Knowledge } from "./knowledge.ts";
import { runInSlices } from "./slices.ts";
import type { Pace } from "./slices.ts";

export const SEARCH_MODES = ["hybrid", "lexical", "vector"] as const;
export type SearchMode = (typeof SEARCH_MODES)[number];
export type LegName = "lexical" | "hashed" | "latent" | "endpoint";

export interface NamedLeg extends Leg {
  readonly name: LegName;
  /** Whether more was to be had than was asked for. */
  readonly isCut: boolean;
}

export interface LegsOptions {
  readonly mode: SearchMode;
  readonly filter: IdFilter | undefined;
  /** Of the endpoint's model; `undefined` where it takes no part. */
  readonly embedding: Float32Array | undefined;
  readonly pace: Pace;
  readonly signal: AbortSignal;
}

/** What words count beside a model that has seen every chunk. */
const LEXICAL_BESIDE_MODEL = 0.5;

/** What vectors are made of: everything that is asked for, quoted or not. */
export function plainText({ text, phrases }: SearchQuery): string {
  return [text, ...phrases].join(" ");
}

/** Finds, in each way, the `depth` best. */
export async function runLegs(
  knowledge: Knowledge,
  query: SearchQuery,
  { depth, ...options }: LegsOptions & { readonly depth: number },
): Promise<NamedLeg[]> {
  const weights = weighLegs(knowledge, options);
  const legs: NamedLeg[] = [];
  if (weights.lexical > 0) {
    const hits = knowledge.lexical.search(query, { k: depth, filter: options.filter });
    legs.push(toLeg("lexical", hits, { weight: weights.lexical, depth }));
  }
  const filter = constrain(knowledge, query, options.filter);
  for (const { name, index, vector } of vectorsOf(knowledge, query, options)) {
    const weight = weights[name];
    if (weight <= 0 || vector.every((component) => component === 0)) continue;
    const steps = index.searchInSlices(vector, { k: depth, filter });
    legs.push(toLeg(name, await runInSlices(steps, options.pace, options.signal), { weight, depth }));
  }
  return legs;
}

/** Alone, a leg is scaled from 0: there is no other whose hits could be missing in it. */
function toLeg(name: LegName, hits: readonly Hit[], { weight, depth }: Pick<Leg, "weight" | "depth">): NamedLeg {
  return { name, weight, hits, isCut: hits.length === depth, depth: weight === 1 ? depth + 1 : depth };
}

/** All hits of all legs, best first. */
export function fuseAll(legs: readonly NamedLeg[]): FusedHit[] {
  const count = legs.reduce((sum, { hits }) => sum + hits.length, 0);
  return count === 0 ? [] : fuseLegs(legs, count);
}

export function weighLegs(
  knowledge: Knowledge,
  { mode, embedding }: Pick<LegsOptions, "mode" | "embedding">,
): Record<LegName, number> {
  if (mode === "lexical") return { lexical: 1, hashed: 0, latent: 0, endpoint: 0 };
  const embedded = embedding === undefined ? 0 : knowledge.endpoint()!.index.size;
  const ratio = Math.min(1, embedded / Math.max(1, knowledge.lexical.size));
  const lexical = LEG_WEIGHTS.lexical + (LEXICAL_BESIDE_MODEL - LEG_WEIGHTS.lexical) * ratio;
  const left = 1 - ratio;
  const vectors = {
    hashed: LEG_WEIGHTS.hashed * left,
    latent: LEG_WEIGHTS.latent * left,
    endpoint: (1 - LEXICAL_BESIDE_MODEL) * ratio,
  };
  if (mode === "hybrid") return { lexical, ...vectors };
  const sum = 1 - lexical;
  return {
    lexical: 0,
    hashed: vectors.hashed / sum,
    latent: vectors.latent / sum,
    endpoint: vectors.endpoint / sum,
  };
}

interface VectorLeg {
  readonly name: Exclude<LegName, "lexical">;
  readonly index: VectorIndex;
  readonly vector: Float32Array;
}

function* vectorsOf(
  knowledge: Knowledge,
  query: SearchQuery,
  { mode, embedding }: Pick<LegsOptions, "mode" | "embedding">,
): Generator<VectorLeg> {
  if (mode === "lexical") return;
  const fields = [{ text: plainText(query), weight: 1 }];
  const { encoder, index } = knowledge.hashed;
  yield { name: "hashed", index, vector: encoder.encode(fields) };
  const latent = knowledge.latent();
  if (latent) yield { name: "latent", index: latent.index, vector: encodeLatent(fields, latent.model) };
  const endpoint = knowledge.endpoint();
  // While the question was asked, another model may have taken the place of the one that answered.
  const isOfIndex = endpoint?.index.dimensions === embedding?.length;
  if (endpoint && embedding && isOfIndex) yield { name: "endpoint", index: endpoint.index, vector: embedding };
}

/** Phrases and exclusions hold for what vectors find, too. */
function constrain(knowledge: Knowledge, query: SearchQuery, filter: IdFilter | undefined): IdFilter | undefined {
  if (query.phrases.length === 0 && query.excluded.length === 0) return filter;
  const constraints = knowledge.lexical.constrain(query);
  const has = (id: number): boolean => (filter?.has(id) ?? true) && constraints.has(id);
  return { has, isCostly: true };
}
