/**
 * A set of small whole numbers, one bit each: what a filter hands to the indexes, and how they mark the living.
 *
 * Units: ids are integers from 0 to `LARGEST_ID`; memory is one bit for each id up to the largest added.
 */

/** What the indexes need of a filter; a `Set<number>` fits too. */
export interface IdFilter {
  has(id: number): boolean;
  /** To be asked only about what is about to become a hit. */
  readonly isCostly?: true;
}

/** 2^26: with it, the tables that lead from an id to its place stay under 256 MiB. */
export const LARGEST_ID = 2 ** 26 - 1;

export class IdSet implements IdFilter {
  #words = new Uint32Array(16);
  #size = 0;

  constructor(ids: Iterable<number> = []) {
    for (const id of ids) this.add(id);
  }

  get size(): number {
    return this.#size;
  }

  has(id: number): boolean {
    return ((this.#words[id >>> 5] ?? 0) & (1 << (id & 31))) !== 0;
  }

  add(id: number): void {
    requireId(id);
    const word = id >>> 5;
    if (word >= this.#words.length) this.#grow(word + 1);
    if (!this.has(id)) this.#size++;
    this.#words[word]! |= 1 << (id & 31);
  }

  /** Adds `count` ids in a row. */
  addRange(first: number, count: number): void {
    if (count < 1) return;
    requireId(first);
    const end = first + count;
    requireId(end - 1);
    if ((end - 1) >>> 5 >= this.#words.length) this.#grow(((end - 1) >>> 5) + 1);
    for (let word = first >>> 5; word <= (end - 1) >>> 5; word++) {
      const from = Math.max(0, first - word * 32);
      const to = Math.min(32, end - word * 32);
      const bits = (0xffffffff >>> (32 - (to - from))) << from;
      const before = this.#words[word]!;
      this.#words[word] = before | bits;
      this.#size += countBits(bits & ~before);
    }
  }

  delete(id: number): void {
    if (!this.has(id)) return;
    this.#size--;
    this.#words[id >>> 5]! &= ~(1 << (id & 31));
  }

  #grow(wordCount: number): void {
    const larger = new Uint32Array(Math.max(wordCount, this.#words.length * 2));
    larger.set(this.#words);
    this.#words = larger;
  }
}

/** Throws a RangeError unless `id` is one that the indexes accept. */
export function requireId(id: number): void {
  if (!Number.isInteger(id) || id < 0 || id > LARGEST_ID) {
    throw new RangeError(`Cannot use ${id} as an id: expected an integer from 0 to ${LARGEST_ID}`);
  }
}

function countBits(word: number): number {
  let pairs = word - ((word >>> 1) & 0x55555555);
  pairs = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((pairs + (pairs >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
