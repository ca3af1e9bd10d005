/**
 * A query and a vocabulary -> the plan of a search: which terms are worth how much, what must and what must not be
 * there.
 *
 * Not: a query without a term that counts (only stop words, only exclusions) has no plan, and neither has one whose
 * phrase holds an unknown term: nothing can match it.
 */
import type { SearchPlan } from "./lexical-search.ts";
import { eachWord, termsOf, termsOfWord } from "./terms.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface LexicalQuery {
  readonly text: string;
  readonly phrases?: readonly string[];
  readonly excluded?: readonly string[];
  readonly unfinished?: { readonly prefix: string; readonly isMarked: boolean } | undefined;
}

export type Constraints = Pick<LexicalQuery, "phrases" | "excluded">;

/** What the plan must know of the index. */
export interface IndexStatistics {
  readonly vocabulary: Vocabulary;
  readonly documentCount: number;
}

const COMPLETIONS = 32;
/**
 * A stem can be shorter than the beginning that was typed ("configurat" and "configur"), but not by more letters than
 * this.
 */
const LONGEST_STEMMED_ENDING = 5;
const SHORTEST_STEM = 4;
const UNKNOWN = -1;

export function planQuery(query: LexicalQuery, index: IndexStatistics): SearchPlan | undefined {
  const weights = new Map<number, number>();
  const add = (term: number, weight: number): unknown => weights.set(term, (weights.get(term) ?? 0) + weight);
  for (const term of knownTerms(query.text, index)) add(term, inverseFrequency(term, index));
  for (const [term, weight] of completions(query, index)) if (!weights.has(term)) add(term, weight);
  const phrases = (query.phrases ?? []).map((phrase) => analysePhrase(phrase, index));
  const needed = phrases.flatMap((phrase) => phrase.terms);
  if (needed.includes(UNKNOWN)) return undefined;
  for (const term of needed) add(term, inverseFrequency(term, index));
  if (weights.size === 0) return undefined;
  const terms = [...weights.keys()];
  return {
    terms,
    weights: [...weights.values()],
    required: [...new Set(needed)].map((term) => terms.indexOf(term)),
    phrases: phrases.map((phrase) => phrase.pattern).filter((pattern) => pattern.length > 1),
    ...planExclusions(query.excluded ?? [], index),
  };
}

function knownTerms(text: string, index: IndexStatistics): number[] {
  return termsOf(text)
    .map((term) => numberOf(term, index))
    .filter((term) => term !== UNKNOWN);
}

/** UNKNOWN, too, for a term whose last document is gone: it must count as if it had never been. */
function numberOf(term: string, { vocabulary }: IndexStatistics): number {
  const number = vocabulary.find(term);
  return number === undefined || vocabulary.documentCount(number) === 0 ? UNKNOWN : number;
}

function inverseFrequency(term: number, { vocabulary, documentCount }: IndexStatistics): number {
  return rarity(vocabulary.documentCount(term), documentCount);
}

/** The idf of something that `count` of `total` documents have. */
export function rarity(count: number, total: number): number {
  return Math.log(1 + (total - count + 0.5) / (count + 0.5));
}

/**
 * Terms that the unfinished last word may become: always for `word*`, otherwise only where the word itself is unknown.
 * They share one idf, that of all of them together, lest a rare completion outweigh the words that were typed in full.
 */
function completions({ unfinished }: LexicalQuery, index: IndexStatistics): [term: number, weight: number][] {
  if (!unfinished) return [];
  const { prefix, isMarked } = unfinished;
  if (!isMarked && knownTerms(prefix, index).length > 0) return [];
  const { vocabulary, documentCount } = index;
  let found = vocabulary.startingWith(prefix, COMPLETIONS);
  if (found.length === 0) found = stemBehind(prefix, index);
  const together = found.reduce((sum, term) => sum + vocabulary.documentCount(term), 0);
  const weight = rarity(Math.min(together, documentCount), documentCount);
  return found.map((term) => [term, weight]);
}

function stemBehind(prefix: string, index: IndexStatistics): number[] {
  const shortest = Math.max(SHORTEST_STEM, prefix.length - LONGEST_STEMMED_ENDING);
  for (let length = prefix.length - 1; length >= shortest; length--) {
    const term = numberOf(prefix.slice(0, length), index);
    if (term !== UNKNOWN) return [term];
  }
  return [];
}

/** What a document must and must not hold; `undefined` where none can: a phrase has an unknown term. */
export function planConstraints(query: Constraints, index: IndexStatistics): SearchPlan | undefined {
  const phrases = (query.phrases ?? []).map((phrase) => analysePhrase(phrase, index));
  const terms = [...new Set(phrases.flatMap((phrase) => phrase.terms))];
  if (terms.includes(UNKNOWN)) return undefined;
  return {
    terms,
    weights: terms.map(() => 0),
    required: terms.map((_, at) => at),
    phrases: phrases.map((phrase) => phrase.pattern).filter((pattern) => pattern.length > 1),
    ...planExclusions(query.excluded ?? [], index),
  };
}

interface AnalysedPhrase {
  /** Term numbers in a row, -1 for any one position; without such at the ends. */
  readonly pattern: number[];
  /** All terms that a document with the phrase has; UNKNOWN where the index has never seen one. */
  readonly terms: number[];
}

function analysePhrase(phrase: string, index: IndexStatistics): AnalysedPhrase {
  const pattern: number[] = [];
  const terms: number[] = [];
  eachWord(phrase, (start, end) => {
    const { parts, whole } = termsOfWord(phrase.slice(start, end));
    for (const part of parts) {
      const number = part === "" ? -1 : numberOf(part, index);
      pattern.push(number);
      if (part !== "") terms.push(number);
    }
    if (whole !== undefined) terms.push(numberOf(whole, index));
  });
  while (pattern.length > 0 && pattern[0] === -1) pattern.shift();
  while (pattern.length > 0 && pattern.at(-1) === -1) pattern.pop();
  return { pattern, terms };
}

type Exclusions = Pick<SearchPlan, "excluded" | "excludedPhrases">;

function planExclusions(excluded: readonly string[], index: IndexStatistics): Exclusions {
  const terms: number[] = [];
  const phrases: number[][] = [];
  for (const text of excluded) {
    const phrase = analysePhrase(text, index);
    if (phrase.terms.includes(UNKNOWN)) continue;
    if (phrase.pattern.length > 1 && !isOneWord(text)) phrases.push(phrase.pattern);
    else terms.push(...phrase.terms.slice(-1));
  }
  return { excluded: terms, excludedPhrases: phrases };
}

function isOneWord(text: string): boolean {
  let count = 0;
  eachWord(text, () => count++);
  return count === 1;
}
