/**
 * What was typed, or pasted -> a query.
 *
 * Whoever writes an expression with phrases and exclusions writes a few words. In a longer text, quotes and dashes are
 * punctuation: held as conditions, they would leave out what the text is about (of the collections, one has judged
 * questions of 150 words and more with a quoted word in them; BM25 lost 0.03 nDCG@10 over all of it for these few).
 * Filters are no punctuation, and hold always.
 */
import { parseQuery } from "../../core/query.ts";
import type { SearchQuery } from "../../core/query.ts";

const LONGEST_EXPRESSION = 32;

export interface ReadQuery {
  readonly query: SearchQuery;
  /** Whether conditions were taken for punctuation. */
  readonly isProse: boolean;
}

export function readQuery(input: string): ReadQuery {
  const query = parseQuery(input);
  const { text, phrases, excluded } = query;
  if (phrases.length + excluded.length === 0) return { query, isProse: false };
  const whole = [text, ...phrases, ...excluded].join(" ");
  if (whole.split(/\s+/).length <= LONGEST_EXPRESSION) return { query, isProse: false };
  return { query: { ...query, text: whole, phrases: [], excluded: [], unfinished: undefined }, isProse: true };
}
