/**
 * Texts -> whether another one says anything that they did not: by the runs of three words that it shares with them.
 *
 * Cost: linear in the texts.
 */
import { eachWord } from "../../core/terms.ts";

const RUN = 3;
/** A text of whose runs so many are known is a copy, with a word changed here and there. */
const COVERED = 0.8;

export class WordRuns {
  readonly #runs = new Set<string>();

  add(text: string): void {
    for (const run of runsOf(text)) this.#runs.add(run);
  }

  covers(text: string): boolean {
    const runs = runsOf(text);
    let known = 0;
    for (const run of runs) known += Number(this.#runs.has(run));
    return runs.size > 0 && known >= COVERED * runs.size;
  }
}

/** A text of fewer words is one run; one without words is itself. */
function runsOf(text: string): Set<string> {
  const words: string[] = [];
  eachWord(text, (start, end) => words.push(text.slice(start, end).toLowerCase()));
  if (words.length === 0) return new Set([text.trim()]);
  const runs = new Set<string>();
  for (let at = 0; at <= Math.max(0, words.length - RUN); at++) runs.add(words.slice(at, at + RUN).join(" "));
  return runs;
}
