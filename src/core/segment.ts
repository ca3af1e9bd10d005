/**
 * Up to `SEGMENT_ROWS` documents -> one sealed piece of the lexical index: their term sequences, and the postings made
 * of them.
 *
 * Order: rows keep the order of arrival; a term's postings are in row order; terms are in number order.
 * Cost: two passes over the sequences; about 3 bytes a posting, 14 a term, and the sequences at one to three bytes a
 * word.
 */
import { writeBlock } from "./blocks.ts";
import type { BlockReader } from "./blocks.ts";
import { GrowableBytes, GrowableUint32 } from "./growable.ts";
import { countTerms, TermCounts } from "./token-sequence.ts";

/**
 * A window of scores for so many rows (32 KiB) fits the first-level cache; each term keeps one upper bound for so many
 * rows.
 */
export const SEGMENT_ROWS = 4096;
/** So many are sealed at once, which takes some 4 ms; segments grow by being merged. */
export const SEALED_ROWS = 256;
/** A count is kept in a byte; past 40 occurrences one more changes a BM25 score by less than a thousandth. */
export const LARGEST_COUNT = 255;

export interface Segment {
  readonly ids: Uint32Array;
  /** The documents' lengths in weighted terms. */
  readonly lengths: Uint32Array;
  /** Row r's sequence lies from `offsets[r]` to `offsets[r + 1]`. */
  readonly sequences: Uint8Array;
  readonly offsets: Uint32Array;
  readonly postings: Postings;
  /** 1 for rows that are not removed. */
  readonly live: Uint8Array;
  liveCount: number;
}

/** Postings of term `terms[i]` lie from `starts[i]` to `starts[i + 1]`. */
export interface Postings {
  readonly terms: Uint32Array;
  readonly starts: Uint32Array;
  readonly rows: Uint16Array;
  readonly counts: Uint8Array;
  /**
   * For each term, the largest count and the smallest length / count: together a bound on its scores under any average
   * length.
   */
  readonly largestCounts: Uint8Array;
  readonly smallestRatios: Float32Array;
}

/** Documents on their way into a segment. */
export class SegmentBuilder {
  readonly #ids = new GrowableUint32();
  readonly #lengths = new GrowableUint32();
  readonly #offsets = new GrowableUint32();
  /** The sequence of the next row is written here, then closed with `endRow`. */
  readonly sequences = new GrowableBytes();

  get rowCount(): number {
    return this.#ids.length;
  }

  get sizeBytes(): number {
    return [this.#ids, this.#lengths, this.#offsets, this.sequences].reduce((sum, part) => sum + part.sizeBytes, 0);
  }

  endRow(id: number, length: number): void {
    this.#ids.push(id);
    this.#lengths.push(length);
    this.#offsets.push(this.sequences.length);
  }

  /** The segment of all rows so far; the builder is empty again. `counts` is scratch space. */
  seal(counts: TermCounts): Segment {
    const offsets = new Uint32Array(this.rowCount + 1);
    offsets.set(this.#offsets.toArray(), 1);
    const sequences = this.sequences.toArray();
    const lengths = this.#lengths.toArray();
    const segment: Segment = {
      ids: this.#ids.toArray(),
      lengths,
      sequences,
      offsets,
      postings: buildPostings({ sequences, offsets, lengths }, counts),
      live: new Uint8Array(this.rowCount).fill(1),
      liveCount: this.rowCount,
    };
    for (const part of [this.#ids, this.#lengths, this.#offsets, this.sequences]) part.clear();
    return segment;
  }
}

export function segmentBytes(segment: Segment): number {
  return arraysOf(segment).reduce((sum, { byteLength }) => sum + byteLength, 0);
}

export function* writeSegment(segment: Segment): Generator<Uint8Array> {
  for (const array of arraysOf(segment)) yield* writeBlock(array);
}

function arraysOf({ ids, lengths, sequences, offsets, live, postings }: Segment) {
  const { terms, starts, rows, counts, largestCounts, smallestRatios } = postings;
  return [ids, lengths, sequences, offsets, live, terms, starts, rows, counts, largestCounts, smallestRatios] as const;
}

export function readSegment(reader: BlockReader): Segment {
  const [ids, lengths, sequences] = [reader.uint32(), reader.uint32(), reader.bytes()];
  const [offsets, live, terms, starts] = [reader.uint32(), reader.bytes(), reader.uint32(), reader.uint32()];
  const [rows, counts, largestCounts, smallestRatios] = [
    reader.uint16(),
    reader.bytes(),
    reader.bytes(),
    reader.float32(),
  ];
  const postings = { terms, starts, rows, counts, largestCounts, smallestRatios };
  const liveCount = live.reduce((sum, flag) => sum + flag, 0);
  return { ids, lengths, sequences, offsets, live, liveCount, postings };
}

/** The index into the postings' terms, -1 where no document of the segment has the term. */
export function findTerm(postings: Postings, term: number): number {
  const { terms } = postings;
  let low = 0;
  let high = terms.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = terms[middle]!;
    if (found === term) return middle;
    if (found < term) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** How often the term at `index` of the postings occurs in a row; 0 where it does not. */
export function countInRow(postings: Postings, index: number, row: number): number {
  const { rows } = postings;
  let low = postings.starts[index]!;
  let high = postings.starts[index + 1]! - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = rows[middle]!;
    if (found === row) return postings.counts[middle]!;
    if (found < row) low = middle + 1;
    else high = middle - 1;
  }
  return 0;
}

type Documents = Pick<Segment, "sequences" | "offsets" | "lengths">;

function buildPostings(documents: Documents, scratch: TermCounts): Postings {
  const pairs = collectPairs(documents, scratch);
  for (const term of pairs.terms) scratch.add(term, 1);
  const terms = scratch.terms.slice(0, scratch.size).sort();
  const starts = new Uint32Array(terms.length + 1);
  for (let index = 0; index < terms.length; index++) {
    starts[index + 1] = starts[index]! + scratch.count(terms[index]!);
    scratch.replace(terms[index]!, index);
  }
  const slots = pairs.terms.map((term) => scratch.count(term));
  scratch.clear();
  return scatter({ terms, starts, slots }, pairs, documents.lengths);
}

interface Pairs {
  readonly terms: Uint32Array;
  readonly counts: Uint8Array;
  /** Row r's pairs end here. */
  readonly ends: Uint32Array;
}

function collectPairs({ sequences, offsets }: Documents, counts: TermCounts): Pairs {
  const terms = new GrowableUint32();
  const amounts = new GrowableBytes();
  const ends = new Uint32Array(offsets.length - 1);
  for (let row = 0; row + 1 < offsets.length; row++) {
    countTerms(sequences, { from: offsets[row]!, to: offsets[row + 1]! }, counts);
    for (let at = 0; at < counts.size; at++) {
      const term = counts.terms[at]!;
      terms.push(term);
      amounts.push(Math.min(counts.count(term), LARGEST_COUNT));
    }
    ends[row] = terms.length;
  }
  counts.clear();
  return { terms: terms.toArray(), counts: amounts.toArray(), ends };
}

function scatter(
  { terms, starts, slots }: { terms: Uint32Array; starts: Uint32Array; slots: Uint32Array },
  pairs: Pairs,
  lengths: Uint32Array,
): Postings {
  const rows = new Uint16Array(slots.length);
  const counts = new Uint8Array(slots.length);
  const largestCounts = new Uint8Array(terms.length);
  const smallestRatios = new Float32Array(terms.length).fill(Infinity);
  const next = starts.slice();
  for (let row = 0, at = 0; row < lengths.length; row++) {
    for (; at < pairs.ends[row]!; at++) {
      const slot = slots[at]!;
      const count = pairs.counts[at]!;
      const target = next[slot]!++;
      rows[target] = row;
      counts[target] = count;
      if (count > largestCounts[slot]!) largestCounts[slot] = count;
      const ratio = lengths[row]! / count;
      if (ratio < smallestRatios[slot]!) smallestRatios[slot] = ratio;
    }
  }
  return { terms, starts, rows, counts, largestCounts, smallestRatios };
}
