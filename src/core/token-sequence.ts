/**
 * The fields of one document <-> bytes that keep every term in its place: what counts, phrases and rebuilds are read
 * from.
 *
 * Layout: for each field varint(weight), varint(codes), then that many varint codes. A code is 0 for a position without
 * a term, otherwise 1 + 2 x term number, plus 1 when the term takes no position of its own (an identifier as a whole).
 */
import type { GrowableBytes } from "./growable.ts";

export const GAP = 0;

export function codeOfPart(term: number): number {
  return 1 + 2 * term;
}

export function codeOfWhole(term: number): number {
  return 2 + 2 * term;
}

/** The term number in a code that is not GAP. */
export function termOfCode(code: number): number {
  return (code - 1) >>> 1;
}

export function appendField(into: GrowableBytes, weight: number, codes: readonly number[]): void {
  into.pushVarint(weight);
  into.pushVarint(codes.length);
  for (const code of codes) into.pushVarint(code);
}

/** Counts of the terms of one document, each occurrence times its field's weight; reused from document to document. */
export class TermCounts {
  /** The terms that occur, in the order of their first occurrence; only the first `size` are of this document. */
  terms = new Uint32Array(256);
  size = 0;
  /** The sum of all counts: the document's length. */
  length = 0;
  #counts = new Uint32Array(1024);

  count(term: number): number {
    return this.#counts[term]!;
  }

  add(term: number, weight: number): void {
    if (term >= this.#counts.length) this.#growCounts(term + 1);
    if (this.#counts[term] === 0) this.#remember(term);
    this.#counts[term]! += weight;
    this.length += weight;
  }

  /** Puts another number in the place of the count of a term that occurs. */
  replace(term: number, count: number): void {
    this.#counts[term] = count;
  }

  clear(): void {
    for (let at = 0; at < this.size; at++) this.#counts[this.terms[at]!] = 0;
    this.size = 0;
    this.length = 0;
  }

  #remember(term: number): void {
    if (this.size === this.terms.length) {
      const larger = new Uint32Array(this.size * 2);
      larger.set(this.terms);
      this.terms = larger;
    }
    this.terms[this.size++] = term;
  }

  #growCounts(needed: number): void {
    const larger = new Uint32Array(Math.max(needed, this.#counts.length * 2));
    larger.set(this.#counts);
    this.#counts = larger;
  }
}

/** Fills `counts` from the sequence that lies in `bytes` from `from` to `to`. */
export function countTerms(bytes: Uint8Array, range: { from: number; to: number }, counts: TermCounts): void {
  counts.clear();
  const reader = new VarintReader(bytes, range.from);
  while (reader.at < range.to) {
    const weight = reader.next();
    for (let left = reader.next(); left > 0; left--) {
      const code = reader.next();
      if (code !== GAP) counts.add(termOfCode(code), weight);
    }
  }
}

/** A phrase as term numbers in a row; -1 stands for any one position (where the phrase has a stop word). */
export type PhrasePattern = readonly number[];

/** Whether one field of the sequence holds the phrase. */
export function containsPhrase(bytes: Uint8Array, range: { from: number; to: number }, phrase: PhrasePattern): boolean {
  const reader = new VarintReader(bytes, range.from);
  const positions: number[] = [];
  while (reader.at < range.to) {
    reader.next();
    positions.length = 0;
    for (let left = reader.next(); left > 0; left--) {
      const code = reader.next();
      if (code === GAP) positions.push(-1);
      else if ((code & 1) === 1) positions.push(termOfCode(code));
    }
    if (holdsInARow(positions, phrase)) return true;
  }
  return false;
}

function holdsInARow(positions: readonly number[], phrase: PhrasePattern): boolean {
  for (let start = 0; start + phrase.length <= positions.length; start++) {
    let length = 0;
    while (length < phrase.length && (phrase[length] === -1 || phrase[length] === positions[start + length])) length++;
    if (length === phrase.length) return true;
  }
  return false;
}

class VarintReader {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  next(): number {
    let byte = this.#bytes[this.at++]!;
    let value = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = this.#bytes[this.at++]!;
      value |= (byte & 127) << shift;
    }
    return value >>> 0;
  }
}
