/**
 * Terms <-> small numbers, with the number of documents each occurs in.
 *
 * Cost: a term is looked up by one hash; a prefix of three characters or more by scanning the terms that share those
 * three.
 * Not: a term keeps its number when its last document goes; numbers are reclaimed only by building the index anew.
 */
import { writeBlock } from "./blocks.ts";
import type { BlockReader } from "./blocks.ts";
import { GrowableUint32 } from "./growable.ts";

const PREFIX_LENGTH = 3;
/** What a term takes beside its characters, in the map and the list: measured on 300 000. */
const TERM_BYTES = 84;

export class Vocabulary {
  readonly #numbers = new Map<string, number>();
  readonly #terms: string[] = [];
  readonly #documentCounts = new GrowableUint32();
  #characters = 0;
  /** Made up to `#prefixedTerms` only, because most indexes are never asked for a prefix. */
  readonly #byPrefix = new Map<string, number[]>();
  #prefixedTerms = 0;

  /** How many numbers are given out: 0 to size - 1. */
  get size(): number {
    return this.#terms.length;
  }

  /** Of memory, about; prefixes apart. */
  get sizeBytes(): number {
    return this.size * TERM_BYTES + this.#characters + this.#documentCounts.sizeBytes;
  }

  /** The number of a term, undefined when it was never seen. */
  find(term: string): number | undefined {
    return this.#numbers.get(term);
  }

  /** The number of a term, a new one when it was never seen. */
  intern(term: string): number {
    const known = this.#numbers.get(term);
    if (known !== undefined) return known;
    const number = this.#terms.length;
    this.#numbers.set(term, number);
    this.#terms.push(term);
    this.#characters += term.length;
    this.#documentCounts.push(0);
    return number;
  }

  /** Terms hold no spaces, so a line break parts them. */
  *snapshot(): Generator<Uint8Array> {
    yield* writeBlock(new TextEncoder().encode(this.#terms.join("\n")));
    yield* writeBlock(this.#documentCounts.toArray());
  }

  /** Fills an empty vocabulary. */
  restore(reader: BlockReader): void {
    const text = new TextDecoder().decode(reader.bytes());
    const counts = reader.uint32();
    const terms = text === "" ? [] : text.split("\n");
    if (terms.length !== counts.length)
      throw new RangeError("Cannot read a snapshot: terms and their counts do not match");
    terms.forEach((term, number) => {
      this.intern(term);
      this.#documentCounts.set(number, counts[number]!);
    });
  }

  term(number: number): string {
    return this.#terms[number]!;
  }

  documentCount(number: number): number {
    return this.#documentCounts.at(number);
  }

  addToDocumentCount(number: number, change: number): void {
    this.#documentCounts.set(number, this.#documentCounts.at(number) + change);
  }

  /** The terms in use that start so, the most frequent first (then in alphabetical order), at most `limit` of them. */
  startingWith(prefix: string, limit: number): number[] {
    if (prefix.length < PREFIX_LENGTH) return [];
    while (this.#prefixedTerms < this.size) this.#rememberPrefix(this.#prefixedTerms++);
    const shared = this.#byPrefix.get(prefix.slice(0, PREFIX_LENGTH)) ?? [];
    const found = shared.filter((number) => this.documentCount(number) > 0 && this.term(number).startsWith(prefix));
    return found.sort((one, other) => this.#compareFrequency(one, other)).slice(0, limit);
  }

  #compareFrequency(one: number, other: number): number {
    return this.documentCount(other) - this.documentCount(one) || (this.term(one) < this.term(other) ? -1 : 1);
  }

  #rememberPrefix(number: number): void {
    const term = this.term(number);
    if (term.length < PREFIX_LENGTH) return;
    const prefix = term.slice(0, PREFIX_LENGTH);
    const sharing = this.#byPrefix.get(prefix);
    if (sharing) sharing.push(number);
    else this.#byPrefix.set(prefix, [number]);
  }
}
