/**
 * The chunks of a document <-> a few bytes for each: what is kept of them for good.
 *
 * Layout: JSON of flat numbers, for each chunk how far it begins behind the one before, its length, the same in lines,
 * and the numbers of its headings and of its symbol; texts that repeat stand there once.
 * Cost: about 20 bytes a chunk; reading a table is linear in it, so that readers keep what they have read.
 */
import type { ChunkFacts } from "./document.ts";

const FIELDS = 6;

interface Table {
  /** Lists of headings, by number. */
  readonly headings: readonly (readonly string[])[];
  /** Symbols, by number; none is -1. */
  readonly symbols: readonly string[];
  readonly numbers: readonly number[];
}

/** `chunks` in the order of the text. */
export function writeChunkTable(chunks: readonly ChunkFacts[]): Buffer {
  const headings = new Numbering<readonly string[]>((list) => list.join("\n"));
  const symbols = new Numbering<string>((symbol) => symbol);
  const numbers: number[] = [];
  let [byte, line] = [0, 1];
  for (const chunk of chunks) {
    const symbol = chunk.symbol === undefined ? -1 : symbols.numberOf(chunk.symbol);
    numbers.push(chunk.startByte - byte, chunk.endByte - chunk.startByte);
    numbers.push(chunk.startLine - line, chunk.endLine - chunk.startLine);
    numbers.push(headings.numberOf(chunk.headings), symbol);
    [byte, line] = [chunk.endByte, chunk.endLine];
  }
  const table: Table = { headings: headings.values, symbols: symbols.values, numbers };
  return Buffer.from(JSON.stringify(table));
}

export function readChunkTable(bytes: Uint8Array): ChunkFacts[] {
  const { headings, symbols, numbers } = JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(),
  ) as Table;
  const chunks: ChunkFacts[] = [];
  let [endByte, endLine] = [0, 1];
  for (let at = 0; at < numbers.length; at += FIELDS) {
    const startByte = endByte + numbers[at]!;
    endByte = startByte + numbers[at + 1]!;
    const startLine = endLine + numbers[at + 2]!;
    endLine = startLine + numbers[at + 3]!;
    const symbol = symbols[numbers[at + 5]!];
    chunks.push({ startByte, endByte, startLine, endLine, headings: headings[numbers[at + 4]!]!, symbol });
  }
  return chunks;
}

/** Gives each value a number at its first coming. */
class Numbering<T> {
  readonly values: T[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #keyOf: (value: T) => string;

  constructor(keyOf: (value: T) => string) {
    this.#keyOf = keyOf;
  }

  numberOf(value: T): number {
    const key = this.#keyOf(value);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.values.length);
    return this.values.push(value) - 1;
  }
}
