/**
 * Sealed segments -> one with all that lives in them: their postings are joined, not made anew from the sequences.
 *
 * Order: rows keep theirs, segment by segment; the result is what a `SegmentBuilder` makes of the same rows.
 * Cost: linear in the postings, and about a tenth of sealing the same documents.
 */
import type { Postings, Segment } from "./segment.ts";

const DEAD = 0xffff;

/** A segment with the numbers that its rows have in the new one, and how far its terms have been taken. */
interface Source {
  readonly segment: Segment;
  readonly isWhole: boolean;
  readonly newRows: Uint16Array;
  at: number;
}

/** Together they must have no more living rows than a segment takes. */
export function mergeSegments(segments: readonly Segment[]): Segment {
  const rowCount = segments.reduce((sum, { liveCount }) => sum + liveCount, 0);
  const sources = segments.map((segment, index) => {
    const before = segments.slice(0, index).reduce((sum, { liveCount }) => sum + liveCount, 0);
    return numberRows(segment, before);
  });
  const rows = mergeRows(sources, rowCount);
  const live = new Uint8Array(rowCount).fill(1);
  return { ...rows, postings: mergePostings(sources, rows.lengths), live, liveCount: rowCount };
}

function numberRows(segment: Segment, first: number): Source {
  const newRows = new Uint16Array(segment.ids.length);
  let next = first;
  for (let row = 0; row < newRows.length; row++) newRows[row] = segment.live[row] === 1 ? next++ : DEAD;
  return { segment, isWhole: segment.liveCount === newRows.length, newRows, at: 0 };
}

function mergeRows(
  sources: readonly Source[],
  rowCount: number,
): Pick<Segment, "ids" | "lengths" | "sequences" | "offsets"> {
  const ids = new Uint32Array(rowCount);
  const lengths = new Uint32Array(rowCount);
  const offsets = new Uint32Array(rowCount + 1);
  const sequences = new Uint8Array(sources.reduce((sum, { segment }) => sum + segment.sequences.length, 0));
  let end = 0;
  for (const { segment, newRows } of sources) {
    for (let row = 0; row < newRows.length; row++) {
      const target = newRows[row]!;
      if (target === DEAD) continue;
      ids[target] = segment.ids[row]!;
      lengths[target] = segment.lengths[row]!;
      const sequence = segment.sequences.subarray(segment.offsets[row]!, segment.offsets[row + 1]!);
      sequences.set(sequence, end);
      end += sequence.length;
      offsets[target + 1] = end;
    }
  }
  return { ids, lengths, offsets, sequences: sequences.slice(0, end) };
}

function mergePostings(sources: readonly Source[], lengths: Uint32Array): Postings {
  const joined = new JoinedPostings(sources, lengths);
  for (let term = nextTerm(sources); term !== Infinity; term = nextTerm(sources)) {
    for (const source of sources) if (source.segment.postings.terms[source.at] === term) joined.take(source);
    joined.endTerm(term);
  }
  return joined.postings();
}

/** The smallest that is to come; Infinity when all are through. */
function nextTerm(sources: readonly Source[]): number {
  let least = Infinity;
  for (const { segment, at } of sources) {
    const term = segment.postings.terms[at];
    if (term !== undefined && term < least) least = term;
  }
  return least;
}

/** Postings of one term after the other, in arrays that are large enough for all. */
class JoinedPostings {
  readonly #lengths: Uint32Array;
  readonly #postings: Postings;
  #termCount = 0;
  #end = 0;

  constructor(sources: readonly Source[], lengths: Uint32Array) {
    const sumOf = (count: (postings: Postings) => number): number =>
      sources.reduce((sum, { segment }) => sum + count(segment.postings), 0);
    const [termCount, rowCount] = [sumOf(({ terms }) => terms.length), sumOf(({ rows }) => rows.length)];
    this.#lengths = lengths;
    this.#postings = {
      terms: new Uint32Array(termCount),
      starts: new Uint32Array(termCount + 1),
      rows: new Uint16Array(rowCount),
      counts: new Uint8Array(rowCount),
      largestCounts: new Uint8Array(termCount),
      smallestRatios: new Float32Array(termCount).fill(Infinity),
    };
  }

  /** Takes what lives of the postings of the term that a source is at. */
  take(source: Source): void {
    const { starts, largestCounts, smallestRatios } = source.segment.postings;
    const at = source.at++;
    const [from, to] = [starts[at]!, starts[at + 1]!];
    if (!source.isWhole) return this.#takeLiving(source, from, to);
    const { rows, counts } = this.#postings;
    const { newRows, segment } = source;
    // Not by `set`, which costs more for the few that most terms have.
    for (let next = from, end = this.#end; next < to; next++, end++) {
      rows[end] = newRows[segment.postings.rows[next]!]!;
      counts[end] = segment.postings.counts[next]!;
    }
    this.#end += to - from;
    this.#bound(largestCounts[at]!, smallestRatios[at]!);
  }

  /** A term without living postings is none. */
  endTerm(term: number): void {
    const { terms, starts } = this.#postings;
    if (this.#end === starts[this.#termCount]) return;
    terms[this.#termCount++] = term;
    starts[this.#termCount] = this.#end;
  }

  postings(): Postings {
    const { terms, starts, rows, counts, largestCounts, smallestRatios } = this.#postings;
    return {
      terms: terms.slice(0, this.#termCount),
      starts: starts.slice(0, this.#termCount + 1),
      rows: rows.slice(0, this.#end),
      counts: counts.slice(0, this.#end),
      largestCounts: largestCounts.slice(0, this.#termCount),
      smallestRatios: smallestRatios.slice(0, this.#termCount),
    };
  }

  #takeLiving({ segment, newRows }: Source, from: number, to: number): void {
    for (let next = from; next < to; next++) {
      const row = newRows[segment.postings.rows[next]!]!;
      if (row === DEAD) continue;
      const count = segment.postings.counts[next]!;
      this.#postings.rows[this.#end] = row;
      this.#postings.counts[this.#end++] = count;
      this.#bound(count, Math.fround(this.#lengths[row]! / count));
    }
  }

  #bound(count: number, ratio: number): void {
    const { largestCounts, smallestRatios } = this.#postings;
    if (count > largestCounts[this.#termCount]!) largestCounts[this.#termCount] = count;
    if (ratio < smallestRatios[this.#termCount]!) smallestRatios[this.#termCount] = ratio;
  }
}
