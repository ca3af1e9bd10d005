/**
 * Segments and weighted terms -> the documents with the best BM25 scores, exact, looking only where they can be.
 *
 * Source: H. Turtle and J. Flood, "Query evaluation: strategies and optimizations", 1995 (max-score), with one upper
 * bound for each term and segment. Segments are visited from the most to the least promising; inside one, a document
 * that has none of the terms with high bounds is dropped as soon as the bounds of the others together stay below the
 * k-th best score so far.
 * Order: by score, then id. A score is always summed in the order of the plan's terms, so it does not depend on what
 * was pruned.
 */
import type { IdFilter } from "./id-set.ts";
import { countInRow, findTerm, SEGMENT_ROWS } from "./segment.ts";
import type { Segment } from "./segment.ts";
import type { Place } from "./segment-store.ts";
import { containsPhrase } from "./token-sequence.ts";
import type { PhrasePattern } from "./token-sequence.ts";
import type { TopK } from "./top-k.ts";

export interface SearchPlan {
  /** Term numbers, each once; a weight is the term's idf times its count in the query. */
  readonly terms: readonly number[];
  readonly weights: readonly number[];
  /** Indexes into `terms`: documents without one of these are left out. */
  readonly required: readonly number[];
  /** Numbers of terms whose documents are left out. */
  readonly excluded: readonly number[];
  readonly phrases: readonly PhrasePattern[];
  readonly excludedPhrases: readonly PhrasePattern[];
}

/** A count is worth scale x count / (count + flat + slope x length). */
export interface Saturation {
  readonly scale: number;
  readonly flat: number;
  readonly slope: number;
}

export interface Scoring {
  readonly plan: SearchPlan;
  readonly saturation: Saturation;
}

export interface SearchTarget extends Scoring {
  readonly best: TopK;
  readonly filter: IdFilter | undefined;
}

/**
 * Scores added in another order may differ in the last bits; no bound may shut out what such a difference would let in.
 */
const ROUNDING = 1 + 1e-9;

interface Prospect {
  readonly segment: Segment;
  /** For each term of the plan, its index in the segment's postings, -1 where it has none. */
  readonly indexes: Int32Array;
  readonly bounds: Float64Array;
  readonly total: number;
}

/** Offers every document that can be among the best to `target.best`. */
export function searchSegments(segments: Iterable<Segment>, target: SearchTarget): void {
  const prospects: Prospect[] = [];
  for (const segment of segments) {
    const prospect = inspect(segment, target);
    if (prospect) prospects.push(prospect);
  }
  prospects.sort((one, other) => other.total - one.total);
  for (const prospect of prospects) {
    if (prospect.total * ROUNDING < target.best.threshold) break;
    searchSegment(prospect, target);
  }
}

/** What each of the plan's terms adds to the score of one row, in their order. */
export function scoreParts({ segment, row }: Place, { plan, saturation }: Scoring): number[] {
  const dampening = saturation.flat + saturation.slope * segment.lengths[row]!;
  return plan.terms.map((term, at) => {
    const index = findTerm(segment.postings, term);
    const count = index < 0 ? 0 : countInRow(segment.postings, index, row);
    return count === 0 ? 0 : saturate(plan.weights[at]! * saturation.scale, count, dampening);
  });
}

function saturate(worth: number, count: number, dampening: number): number {
  return (worth * count) / (count + dampening);
}

function inspect(segment: Segment, { plan, saturation }: SearchTarget): Prospect | undefined {
  if (segment.liveCount === 0) return undefined;
  const { postings } = segment;
  const indexes = new Int32Array(plan.terms.length);
  const bounds = new Float64Array(plan.terms.length);
  let total = 0;
  for (let at = 0; at < plan.terms.length; at++) {
    const index = findTerm(postings, plan.terms[at]!);
    indexes[at] = index;
    if (index < 0) continue;
    const least = saturation.flat / postings.largestCounts[index]! + saturation.slope * postings.smallestRatios[index]!;
    // The ratios are single-precision numbers, so the bound is raised by more than their rounding.
    bounds[at] = ((plan.weights[at]! * saturation.scale) / (1 + least)) * (1 + 1e-6);
    total += bounds[at]!;
  }
  const lacksRequired = plan.required.some((at) => indexes[at] === -1);
  return total === 0 || lacksRequired ? undefined : { segment, indexes, bounds, total };
}

/** Scores by row of the segment at hand; all zero between two segments. */
const scores = new Float64Array(SEGMENT_ROWS);
/** The rows of the segment at hand that can still be among the best. */
const candidates = new Uint16Array(SEGMENT_ROWS + 1);
/** Finding a row in a list by halving takes as long as adding up this many postings (measured: 60 ns and 2.5 ns). */
const POSTINGS_A_LOOKUP = 24;

function searchSegment(prospect: Prospect, target: SearchTarget): void {
  const { best, plan } = target;
  const order = visitingOrder(prospect, plan);
  const rests = sumsOfRest(order, prospect.bounds);
  let next = 0;
  do accumulate(prospect, order[next++]!, target);
  while (next < order.length && plan.required.length === 0 && rests[next]! * ROUNDING >= best.threshold);
  let count = collectCandidates(prospect.segment.ids.length, leastScore(best, rests[next]!));
  while (next < order.length && count > 0) {
    addTerm(prospect, { at: order[next++]!, candidateCount: count, target });
    count = keepCandidates(count, leastScore(best, rests[next]!));
  }
  for (let at = 0; at < count; at++) {
    if (scores[candidates[at]!]! >= leastScore(best, 0)) offer(prospect.segment, candidates[at]!, target);
  }
  scores.fill(0, 0, prospect.segment.ids.length);
}

/**
 * The terms that the segment has, the highest bounds first; before them the rarest of those that a document must have.
 */
function visitingOrder(prospect: Prospect, plan: SearchPlan): number[] {
  const { indexes, bounds } = prospect;
  const present: number[] = [];
  for (let at = 0; at < indexes.length; at++) if (indexes[at]! >= 0) present.push(at);
  present.sort((one, other) => bounds[other]! - bounds[one]!);
  if (plan.required.length === 0) return present;
  const required = plan.required.toSorted((one, other) => frequency(prospect, one) - frequency(prospect, other));
  const first = required[0]!;
  return [first, ...present.filter((at) => at !== first)];
}

function frequency({ segment, indexes }: Prospect, at: number): number {
  const { starts } = segment.postings;
  return starts[indexes[at]! + 1]! - starts[indexes[at]!]!;
}

/** Element i: the sum of the bounds from the i-th term of the order to the last. */
function sumsOfRest(order: readonly number[], bounds: Float64Array): Float64Array {
  const sums = new Float64Array(order.length + 1);
  for (let at = order.length - 1; at >= 0; at--) sums[at] = sums[at + 1]! + bounds[order[at]!]!;
  return sums;
}

/** What a row must have by now when the terms to come add `rest` at most. */
function leastScore(best: TopK, rest: number): number {
  return best.threshold / ROUNDING - rest;
}

/** Adds one term to the scores: to those of all its rows, or of the candidates alone where that is less work. */
function addTerm(prospect: Prospect, step: { at: number; candidateCount: number; target: SearchTarget }): void {
  const { at, candidateCount, target } = step;
  if (candidateCount * POSTINGS_A_LOOKUP > frequency(prospect, at)) return accumulate(prospect, at, target);
  const { segment, indexes } = prospect;
  const { scale, flat, slope } = target.saturation;
  const worth = target.plan.weights[at]! * scale;
  for (let candidate = 0; candidate < candidateCount; candidate++) {
    const row = candidates[candidate]!;
    const count = countInRow(segment.postings, indexes[at]!, row);
    if (count > 0) scores[row]! += saturate(worth, count, flat + slope * segment.lengths[row]!);
  }
}

function accumulate({ segment, indexes }: Prospect, at: number, { plan, saturation }: SearchTarget): void {
  const { starts, rows, counts } = segment.postings;
  const { lengths } = segment;
  const { flat, slope } = saturation;
  const worth = plan.weights[at]! * saturation.scale;
  const end = starts[indexes[at]! + 1]!;
  for (let posting = starts[indexes[at]!]!; posting < end; posting++) {
    const row = rows[posting]!;
    const count = counts[posting]!;
    scores[row]! += (worth * count) / (count + flat + slope * lengths[row]!);
  }
}

/**
 * Written without a branch: whether a row passes cannot be foreseen, and a wrong guess costs more than the needless
 * write.
 */
function collectCandidates(rowCount: number, least: number): number {
  const leastPositive = Math.max(least, Number.MIN_VALUE);
  let count = 0;
  for (let row = 0; row < rowCount; row++) {
    candidates[count] = row;
    count += Number(scores[row]! >= leastPositive);
  }
  return count;
}

function keepCandidates(count: number, least: number): number {
  let kept = 0;
  for (let at = 0; at < count; at++) {
    const row = candidates[at]!;
    candidates[kept] = row;
    kept += Number(scores[row]! >= least);
  }
  return kept;
}

function offer(segment: Segment, row: number, target: SearchTarget): void {
  const id = segment.ids[row]!;
  if (segment.live[row] === 0 || (target.filter && !target.filter.has(id))) return;
  if (!satisfies({ segment, row }, target.plan)) return;
  const parts = scoreParts({ segment, row }, target);
  target.best.offer(
    id,
    parts.reduce((sum, part) => sum + part, 0),
  );
}

/** Whether a row has all that the plan requires and nothing that it excludes. */
export function satisfies({ segment, row }: Place, plan: SearchPlan): boolean {
  const { postings, sequences, offsets } = segment;
  const has = (term: number): boolean => {
    const index = findTerm(postings, term);
    return index >= 0 && countInRow(postings, index, row) > 0;
  };
  if (!plan.required.every((at) => has(plan.terms[at]!)) || plan.excluded.some(has)) return false;
  const range = { from: offsets[row]!, to: offsets[row + 1]! };
  return (
    plan.phrases.every((phrase) => containsPhrase(sequences, range, phrase)) &&
    !plan.excludedPhrases.some((phrase) => containsPhrase(sequences, range, phrase))
  );
}
