/**
 * Documents made of weighted fields -> an index that answers queries with the best matches by BM25.
 *
 * Source: S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009; the idf with 1
 * added inside the logarithm, so that no term counts against a document. A field's weight multiplies its counts and its
 * length.
 * Order: by score, then id. What was added and removed before leaves no trace in a score: counts are kept exactly.
 * Cost: adding is linear in the text; documents are sealed into segments at the next search, or when 256 wait; small
 * and half-empty segments are merged on the way, into such of up to 4096, one merge a step: 5 to 10 ms at most.
 */
import { BlockReader, requireKind, writeJson } from "./blocks.ts";
import { requireId } from "./id-set.ts";
import type { IdFilter } from "./id-set.ts";
import { planConstraints, planQuery } from "./lexical-plan.ts";
import type { Constraints, LexicalQuery } from "./lexical-plan.ts";
import { satisfies, scoreParts, searchSegments } from "./lexical-search.ts";
import type { SearchPlan, Saturation } from "./lexical-search.ts";
import { readSegment, SEALED_ROWS, SegmentBuilder, writeSegment } from "./segment.ts";
import { SegmentStore } from "./segment-store.ts";
import { appendField, codeOfPart, codeOfWhole, countTerms, GAP, termOfCode, TermCounts } from "./token-sequence.ts";
import { eachWord, termsOfWord } from "./terms.ts";
import { TopK } from "./top-k.ts";
import type { Hit } from "./top-k.ts";
import { Vocabulary } from "./vocabulary.ts";
import { WordCache } from "./word-cache.ts";

/** As swept over three collections (k1 1.2 to 1.8, b 0.6 to 0.9): no other pair was better on all of them. */
const K1 = 1.5;
const B = 0.75;
const LARGEST_WEIGHT = 255;
/** The number changes with the layout, and with what text is made into terms. */
const SNAPSHOT_KIND = "pi-daemon lexical index 1";

export interface Field {
  readonly text: string;
  /** How often each occurrence counts: an integer from 1 to 255. */
  readonly weight: number;
}

export interface LexicalOptions {
  /** How many hits at most. */
  readonly k: number;
  /** Ids outside of it are no hits; it does not change scores. */
  readonly filter?: IdFilter | undefined;
}

/** What one term adds to a document's score. */
export interface ScorePart {
  readonly term: string;
  readonly score: number;
}

export class LexicalIndex {
  readonly #vocabulary = new Vocabulary();
  readonly #scratch = new TermCounts();
  readonly #segments = new SegmentStore();
  readonly #waiting = new SegmentBuilder();
  readonly #waitingIds = new Set<number>();
  readonly #codes = new WordCache((word) => this.#encodeWord(word));
  #size = 0;
  #totalLength = 0;

  /** How many documents there are. */
  get size(): number {
    return this.#size;
  }

  /** In weighted terms; 0 for an empty index. */
  get averageLength(): number {
    return this.#size === 0 ? 0 : this.#totalLength / this.#size;
  }

  /** Memory, in bytes; of the words about. */
  get sizeBytes(): number {
    return this.#vocabulary.sizeBytes + this.#segments.sizeBytes + this.#waiting.sizeBytes;
  }

  has(id: number): boolean {
    return this.#waitingIds.has(id) || this.#segments.locate(id) !== undefined;
  }

  /** Adds a document; a RangeError for an id that is taken or out of bounds, or a weight that is. */
  add(id: number, fields: readonly Field[]): void {
    requireId(id);
    if (this.has(id)) throw new RangeError(`Cannot add document ${id}: it is in the index already; remove it first`);
    for (const { weight } of fields) requireWeight(weight);
    const counts = this.#scratch;
    counts.clear();
    for (const field of fields) this.#appendField(field, counts);
    for (let at = 0; at < counts.size; at++) this.#vocabulary.addToDocumentCount(counts.terms[at]!, 1);
    this.#waiting.endRow(id, counts.length);
    this.#waitingIds.add(id);
    this.#size++;
    this.#totalLength += counts.length;
    counts.clear();
    if (this.#waiting.rowCount === SEALED_ROWS) this.seal();
    else this.#segments.tidy();
  }

  /** Whether the document was there to be removed. */
  remove(id: number): boolean {
    if (this.#waitingIds.has(id)) this.seal();
    const place = this.#segments.locate(id);
    if (!place) return false;
    const { segment, row } = place;
    const counts = this.#scratch;
    countTerms(segment.sequences, { from: segment.offsets[row]!, to: segment.offsets[row + 1]! }, counts);
    for (let at = 0; at < counts.size; at++) this.#vocabulary.addToDocumentCount(counts.terms[at]!, -1);
    this.#size--;
    this.#totalLength -= counts.length;
    counts.clear();
    this.#segments.remove(id);
    this.#segments.tidy();
    return true;
  }

  /** The best matches, best first. */
  search(query: LexicalQuery, { k, filter }: LexicalOptions): Hit[] {
    const best = new TopK(k);
    const plan = this.#plan(query);
    if (!plan) return [];
    this.seal();
    searchSegments(this.#segments, { plan, saturation: this.#saturation(), best, filter });
    return best.hits();
  }

  /** What each term of the query adds to one document's score, in the order of the query; empty for an unknown id. */
  explain(query: LexicalQuery, id: number): ScorePart[] {
    const plan = this.#plan(query);
    this.seal();
    const place = this.#segments.locate(id);
    if (!plan || !place) return [];
    const scores = scoreParts(place, { plan, saturation: this.#saturation() });
    const parts = plan.terms.map((term, at) => ({ term: this.#vocabulary.term(term), score: scores[at]! }));
    return parts.filter((part) => part.score > 0);
  }

  /** A test for documents found by other means: whether one holds every phrase and nothing of what is excluded. */
  constrain(constraints: Constraints): IdFilter {
    this.seal();
    const plan = planConstraints(constraints, { vocabulary: this.#vocabulary, documentCount: this.#size });
    const has = (id: number): boolean => {
      const place = this.#segments.locate(id);
      return plan !== undefined && place !== undefined && satisfies(place, plan);
    };
    return { has, isCostly: true };
  }

  /** How many documents have the term, which must be as `termsOf` gives it. */
  documentCount(term: string): number {
    const number = this.#vocabulary.find(term);
    return number === undefined ? 0 : this.#vocabulary.documentCount(number);
  }

  /** Makes what was added last ready for searches, which do this themselves; 256 documents at most. */
  seal(): void {
    if (this.#waiting.rowCount === 0) return;
    this.#segments.insert(this.#waiting.seal(this.#scratch));
    this.#waitingIds.clear();
  }

  /** The whole index in pieces that `restore` takes, joined; it must not change before the last is written. */
  *snapshot(): Generator<Uint8Array> {
    this.seal();
    const segments = [...this.#segments];
    yield* writeJson(SNAPSHOT_KIND);
    yield* writeJson({ size: this.#size, totalLength: this.#totalLength, segments: segments.length });
    yield* this.#vocabulary.snapshot();
    for (const segment of segments) yield* writeSegment(segment);
  }

  /** The index that wrote these bytes; a RangeError where they are not of this kind or end early. */
  static restore(bytes: Uint8Array): LexicalIndex {
    const reader = new BlockReader(bytes);
    requireKind(reader, SNAPSHOT_KIND);
    const totals = reader.json() as { size: number; totalLength: number; segments: number };
    const index = new LexicalIndex();
    index.#vocabulary.restore(reader);
    for (let left = totals.segments; left > 0; left--) index.#segments.place(readSegment(reader));
    index.#size = totals.size;
    index.#totalLength = totals.totalLength;
    return index;
  }

  #plan(query: LexicalQuery): SearchPlan | undefined {
    return planQuery(query, { vocabulary: this.#vocabulary, documentCount: this.#size });
  }

  #saturation(): Saturation {
    return { scale: K1 + 1, flat: K1 * (1 - B), slope: (K1 * B) / this.averageLength };
  }

  #appendField({ text, weight }: Field, counts: TermCounts): void {
    const codes: number[] = [];
    eachWord(text, (start, end) => {
      for (const code of this.#codes.get(text, start, end)) {
        codes.push(code);
        if (code !== GAP) counts.add(termOfCode(code), weight);
      }
    });
    appendField(this.#waiting.sequences, weight, codes);
  }

  #encodeWord(word: string): readonly number[] {
    const { parts, whole } = termsOfWord(word);
    const codes = parts.map((part) => (part === "" ? GAP : codeOfPart(this.#vocabulary.intern(part))));
    if (whole !== undefined) codes.push(codeOfWhole(this.#vocabulary.intern(whole)));
    return codes;
  }
}

function requireWeight(weight: number): void {
  if (!Number.isInteger(weight) || weight < 1 || weight > LARGEST_WEIGHT) {
    throw new RangeError(`Cannot weigh a field ${weight} times: expected an integer from 1 to ${LARGEST_WEIGHT}`);
  }
}
