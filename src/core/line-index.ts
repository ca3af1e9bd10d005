/**
 * A text -> where its lines begin, and which line an offset is in.
 *
 * Units: lines count from 0 here. A line ends with "\n"; a "\r" before it belongs to the line.
 */
import { GrowableUint32 } from "./growable.ts";

/** Patterns look at no more of a line than this. */
const HEAD_LENGTH = 200;

export class LineIndex {
  readonly text: string;
  readonly #starts: Uint32Array;

  constructor(text: string) {
    this.text = text;
    const starts = new GrowableUint32();
    for (let at = 0; at !== -1;) {
      starts.push(at);
      const newline = text.indexOf("\n", at);
      at = newline === -1 ? -1 : newline + 1;
    }
    this.#starts = starts.toArray();
  }

  get count(): number {
    return this.#starts.length;
  }

  /** Where a line begins; for the line after the last, the end of the text. */
  start(line: number): number {
    return this.#starts[line] ?? this.text.length;
  }

  /** The beginning of a line, without its end-of-line characters. */
  head(line: number): string {
    const start = this.start(line);
    return this.text.slice(start, Math.min(this.start(line + 1), start + HEAD_LENGTH)).replace(/\r?\n$/, "");
  }

  isBlank(line: number): boolean {
    return this.head(line).trim() === "";
  }

  lineAt(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
