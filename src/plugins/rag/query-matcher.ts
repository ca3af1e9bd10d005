/**
 * A query -> where a text matches it: stems, parts of identifiers, phrases, the beginning of the last word.
 *
 * Units: offsets in UTF-16 units, `end` one past the last.
 * Cost: linear in the text for a given query.
 */
import type { SearchQuery } from "../../core/query.ts";
import { eachWord, placeTerms, termsOf } from "../../core/terms.ts";
import type { PlacedTerm } from "../../core/terms.ts";
import { WordCache } from "../../core/word-cache.ts";

export interface Match {
  readonly start: number;
  readonly end: number;
  /** What it is a match of; equal for equal terms. */
  readonly key: string;
  readonly weight: number;
}

export interface QueryMatcher {
  /** In the order of the text, without overlaps. */
  findIn(text: string): Match[];
}

/** How much a term says; 0 for one that nothing has. */
export type WeighTerm = (term: string) => number;

/** A phrase as it stands counts more than its words apart. */
const PHRASE_FACTOR = 2;

interface Phrase {
  readonly key: string;
  /** "" for any one position. */
  readonly terms: readonly string[];
  readonly weight: number;
}

export function compileMatcher(query: SearchQuery, weigh: WeighTerm): QueryMatcher {
  const weights = new Map(termsOf([query.text, ...query.phrases].join(" ")).map((term) => [term, weigh(term)]));
  const phrases = query.phrases.map((text) => compilePhrase(text, weights)).filter(({ terms }) => terms.length > 1);
  const prefix = openPrefix(query, weigh);
  return {
    findIn(text) {
      const words = placeWords(text);
      const matches = [
        ...findPhrases(words, phrases),
        ...words.flatMap((word) => matchWord(word, { text, weights, prefix })),
      ];
      return withoutOverlaps(matches);
    },
  };
}

/** The beginning that other words may have, too: where it is marked so, or is no word that is known. */
function openPrefix({ unfinished }: SearchQuery, weigh: WeighTerm): string | undefined {
  if (!unfinished) return undefined;
  const isKnown = termsOf(unfinished.prefix).some((term) => weigh(term) > 0);
  return unfinished.isMarked || !isKnown ? unfinished.prefix : undefined;
}

function compilePhrase(text: string, weights: ReadonlyMap<string, number>): Phrase {
  const terms = placeWords(text)
    .flatMap(positionsOf)
    .map(({ term }) => term);
  while (terms[0] === "") terms.shift();
  while (terms.at(-1) === "") terms.pop();
  const weight = terms.reduce((sum, term) => sum + (weights.get(term) ?? 0), 0);
  return { key: `"${terms.join(" ")}"`, terms, weight: weight * PHRASE_FACTOR };
}

/** Shared by all queries: the terms of a word depend on nothing else. */
const knownWords = new WordCache(placeTerms);

/** The terms of one word, placed in the text. */
function placeWords(text: string): PlacedTerm[][] {
  const words: PlacedTerm[][] = [];
  eachWord(text, (from, to) => {
    const placed = knownWords.get(text, from, to);
    words.push(placed.map(({ term, start, end }) => ({ term, start: from + start, end: from + end })));
  });
  return words;
}

/** Without the identifier as a whole, which takes no position of its own. */
function positionsOf(word: readonly PlacedTerm[]): readonly PlacedTerm[] {
  return isWhole(word.at(-1), word) ? word.slice(0, -1) : word;
}

function isWhole(last: PlacedTerm | undefined, word: readonly PlacedTerm[]): boolean {
  return last !== undefined && word.length > 2 && last.start <= word[0]!.start && last.end >= word.at(-2)!.end;
}

function findPhrases(words: readonly (readonly PlacedTerm[])[], phrases: readonly Phrase[]): Match[] {
  if (phrases.length === 0) return [];
  const positions = words.flatMap(positionsOf);
  return phrases.flatMap(({ key, terms, weight }) => {
    const found: Match[] = [];
    for (let at = 0; at + terms.length <= positions.length; at++) {
      if (!terms.every((term, next) => term === "" || term === positions[at + next]!.term)) continue;
      found.push({ start: positions[at]!.start, end: positions[at + terms.length - 1]!.end, key, weight });
    }
    return found;
  });
}

interface WordQuery {
  readonly text: string;
  readonly weights: ReadonlyMap<string, number>;
  readonly prefix: string | undefined;
}

function matchWord(word: readonly PlacedTerm[], { text, weights, prefix }: WordQuery): Match[] {
  const last = word.at(-1)!;
  const whole = isWhole(last, word) ? [last] : [];
  for (const { term, start, end } of whole) {
    if (weights.has(term)) return [{ start, end, key: term, weight: weights.get(term)! }];
  }
  return positionsOf(word).flatMap(({ term, start, end }) => {
    if (term !== "" && weights.has(term)) return [{ start, end, key: term, weight: weights.get(term)! }];
    if (prefix === undefined || !text.slice(start, end).toLowerCase().startsWith(prefix)) return [];
    return [{ start, end, key: `${prefix}*`, weight: 1 }];
  });
}

/** Of those that overlap, the one that begins first, the longest of these. */
function withoutOverlaps(matches: Match[]): Match[] {
  matches.sort((one, other) => one.start - other.start || other.end - one.end);
  let end = 0;
  return matches.filter((match) => {
    if (match.start < end) return false;
    end = match.end;
    return true;
  });
}
