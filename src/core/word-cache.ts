/**
 * Words as they stand in texts -> what was made of them the first time, found without cutting the word out of its text.
 *
 * Cost: a hash and a comparison of the characters; a string is only made for a word that is new. When the cache is full
 * it is emptied, since the frequent words are back at once.
 */
const LARGEST_SIZE = 2 ** 17;

export class WordCache<T> {
  readonly #make: (word: string) => T;
  /** An open table of entry numbers, plus 1; 0 is free. */
  #slots = new Uint32Array(2048);
  #hashes = new Uint32Array(1024);
  /** The characters of entry e lie from `ends[e - 1]` to `ends[e]`. */
  #ends = new Uint32Array(1024);
  #characters = new Uint16Array(8192);
  readonly #values: T[] = [];

  constructor(make: (word: string) => T) {
    this.#make = make;
  }

  /** For the word that lies in `text` from `start` to `end`. */
  get(text: string, start: number, end: number): T {
    let hash = 0;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x9e3779b1);
    hash = (hash ^ (hash >>> 15)) >>> 0;
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      if (this.#hashes[entry - 1] === hash && this.#holds(entry - 1, { text, start, end }))
        return this.#values[entry - 1]!;
      slot = (slot + 1) & mask;
    }
    const value = this.#make(copyString(text.slice(start, end)));
    this.#remember({ text, start, end }, { hash, value });
    return value;
  }

  #holds(entry: number, { text, start, end }: Word): boolean {
    const from = entry === 0 ? 0 : this.#ends[entry - 1]!;
    if (this.#ends[entry]! - from !== end - start) return false;
    for (let at = start, own = from; at < end; at++, own++) {
      if (text.charCodeAt(at) !== this.#characters[own]) return false;
    }
    return true;
  }

  #remember({ text, start, end }: Word, { hash, value }: { hash: number; value: T }): void {
    if (this.#values.length === LARGEST_SIZE) this.#clear();
    const entry = this.#values.push(value) - 1;
    if (entry === this.#hashes.length) this.#growEntries();
    let last = entry === 0 ? 0 : this.#ends[entry - 1]!;
    if (last + end - start > this.#characters.length) this.#growCharacters();
    for (let at = start; at < end; at++) this.#characters[last++] = text.charCodeAt(at);
    this.#hashes[entry] = hash;
    this.#ends[entry] = last;
    this.#enter(entry);
  }

  #enter(entry: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hashes[entry]! & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = entry + 1;
  }

  #clear(): void {
    this.#slots.fill(0);
    this.#values.length = 0;
  }

  /** The table has twice as many slots as there is room for entries. */
  #growEntries(): void {
    const capacity = this.#hashes.length * 2;
    const [hashes, ends] = [new Uint32Array(capacity), new Uint32Array(capacity)];
    hashes.set(this.#hashes);
    ends.set(this.#ends);
    const count = this.#hashes.length;
    this.#hashes = hashes;
    this.#ends = ends;
    this.#slots = new Uint32Array(capacity * 2);
    for (let entry = 0; entry < count; entry++) this.#enter(entry);
  }

  #growCharacters(): void {
    const characters = new Uint16Array(this.#characters.length * 2);
    characters.set(this.#characters);
    this.#characters = characters;
  }
}

interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The same characters in a string of their own. In V8 a slice of 13 characters or more is a view that keeps the whole
 * text alive; shorter ones are copies already.
 */
function copyString(slice: string): string {
  return slice.length < 13 ? slice : Array.from(slice).join("");
}
