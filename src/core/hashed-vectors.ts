/**
 * Text -> a vector of 512 components made of its four-letter pieces: near to those of texts with like spellings, with
 * no model at all.
 *
 * Source: K. Weinberger et al., "Feature hashing for large scale multitask learning", 2009 (a piece goes to one
 * component, with a sign); pieces count as (1 + log count) x idf.
 * Order: what is encoded depends on the documents learned by then; whoever keeps vectors encodes them anew once that
 * has changed a lot.
 * Cost: one pass over the text; 2 MiB for the counts of documents, which pieces share where their hashes agree in 18
 * bits.
 */
import type { Field } from "./bm25.ts";
import { rarity } from "./lexical-plan.ts";
import { isWordCode } from "./terms.ts";

export const HASHED_DIMENSIONS = 512;

const PIECE_LENGTH = 4;
const COUNTERS = 2 ** 18;
const SPACE = 32;

export interface HashedState {
  readonly documentCount: number;
  /** How many documents have a piece, by 18 bits of its hash. */
  readonly pieceCounts: Uint32Array;
}

export class HashedEncoder {
  #documentCount: number;
  readonly #pieceCounts: Uint32Array;
  /** By counter, the document (a running number) that changed it last. */
  readonly #lastDocuments = new Uint32Array(COUNTERS);
  #document = 0;
  /** By count, for the number of documents at hand; 0 where not worked out yet. */
  readonly #idfs = new Float64Array(256);
  readonly #pieces = new PieceCounts();

  /** Without a state, nothing is learned yet. */
  constructor(state?: HashedState) {
    if (state && state.pieceCounts.length !== COUNTERS) {
      throw new RangeError(`Cannot restore ${state.pieceCounts.length} counts of pieces: expected ${COUNTERS}`);
    }
    this.#documentCount = state?.documentCount ?? 0;
    this.#pieceCounts = state?.pieceCounts.slice() ?? new Uint32Array(COUNTERS);
  }

  get documentCount(): number {
    return this.#documentCount;
  }

  /** A copy of what is learned. */
  state(): HashedState {
    return { documentCount: this.#documentCount, pieceCounts: this.#pieceCounts.slice() };
  }

  learn(fields: readonly Field[]): void {
    this.#count(fields, 1);
  }

  /** Takes back a document that was learned with the same fields. */
  unlearn(fields: readonly Field[]): void {
    this.#count(fields, -1);
  }

  /** Not scaled to any length; all zeros for a text without letters and digits. */
  encode(fields: readonly Field[]): Float32Array {
    const vector = new Float32Array(HASHED_DIMENSIONS);
    this.#pieces.countAll(fields);
    this.#pieces.forEach((hash, count) => {
      const idf = this.#idf(this.#pieceCounts[counterOf(hash)]!);
      const weight = count === 1 ? idf : (1 + Math.log(count)) * idf;
      vector[hash % HASHED_DIMENSIONS]! += hash >>> 31 === 1 ? weight : -weight;
    });
    return vector;
  }

  #idf(count: number): number {
    if (count >= this.#idfs.length) return rarity(count, this.#documentCount);
    return (this.#idfs[count] ||= rarity(count, this.#documentCount));
  }

  #count(fields: readonly Field[], change: number): void {
    this.#document = (this.#document + 1) >>> 0;
    this.#pieces.countAll(fields);
    this.#pieces.forEach((hash) => {
      const counter = counterOf(hash);
      // Two pieces of one document that share a counter count once: no counter exceeds the number of documents.
      if (this.#lastDocuments[counter] === this.#document) return;
      this.#lastDocuments[counter] = this.#document;
      this.#pieceCounts[counter]! += change;
    });
    this.#documentCount += change;
    this.#idfs.fill(0);
  }
}

/** Other bits than those that choose the component and the sign. */
function counterOf(hash: number): number {
  return (hash >>> 9) % COUNTERS;
}

/** Hashes of pieces and how often they occur: an open table, emptied by going through what is in it. */
class PieceCounts {
  #hashes = new Uint32Array(4096);
  #counts = new Uint32Array(4096);
  /** The slots in use; at most half of them. */
  #slots = new Uint32Array(2048);
  #size = 0;

  countAll(fields: readonly Field[]): void {
    for (let at = 0; at < this.#size; at++) this.#counts[this.#slots[at]!] = 0;
    this.#size = 0;
    for (const { text, weight } of fields) eachPiece(text, (hash) => this.#add(hash, weight));
  }

  forEach(visit: (hash: number, count: number) => void): void {
    for (let at = 0; at < this.#size; at++) visit(this.#hashes[this.#slots[at]!]!, this.#counts[this.#slots[at]!]!);
  }

  #add(hash: number, count: number): void {
    const mask = this.#hashes.length - 1;
    let slot = hash & mask;
    while (this.#counts[slot] !== 0 && this.#hashes[slot] !== hash) slot = (slot + 1) & mask;
    if (this.#counts[slot] === 0) {
      this.#hashes[slot] = hash;
      this.#slots[this.#size++] = slot;
    }
    this.#counts[slot]! += count;
    if (this.#size === this.#slots.length) this.#grow();
  }

  #grow(): void {
    const [hashes, counts, slots] = [this.#hashes, this.#counts, this.#slots];
    this.#hashes = new Uint32Array(hashes.length * 2);
    this.#counts = new Uint32Array(hashes.length * 2);
    this.#slots = new Uint32Array(hashes.length);
    this.#size = 0;
    for (const slot of slots) this.#add(hashes[slot]!, counts[slot]!);
  }
}

/**
 * Each four characters in a row of each word, a space before and after it; a word of one character is a piece of three.
 */
function eachPiece(text: string, visit: (hash: number) => void): void {
  const lower = text.toLowerCase();
  // The last four UTF-16 units, two in each number, and how many there are of this word with the space before it.
  let older = 0;
  let newer = 0;
  let length = 0;
  for (let at = 0; at <= lower.length; at++) {
    const isInWord = at < lower.length && isWordCode(lower, at);
    if (length === 0) {
      if (!isInWord) continue;
      older = 0;
      newer = SPACE;
      length = 1;
    }
    older = (older << 16) | (newer >>> 16);
    newer = (newer << 16) | (isInWord ? lower.charCodeAt(at) : SPACE);
    length++;
    if (length >= PIECE_LENGTH || !isInWord) visit(mix(older, newer));
    if (!isInWord) length = 0;
  }
}

/**
 * All bits of two 32-bit numbers in each bit of one; multipliers and shifts of the MurmurHash3 finaliser (A. Appleby).
 */
function mix(one: number, other: number): number {
  let hash = Math.imul(one ^ (one >>> 16), 0x85ebca6b) ^ other;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
