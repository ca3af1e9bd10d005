/**
 * A query and the best that was found for it -> how much of what was asked for is there: better nothing than noise.
 *
 * Vectors find something for every query, and BM25 something for every query with one known word. What tells an answer
 * from noise is how much of the query's weight the best chunk covers: its words by their rarity (a word that nothing
 * has weighs the most), one that is not there counting by the part of its runs of four characters that is, if that is
 * two fifths at least: so a mistyped word counts in part. A query is noise when no chunk of the ten best covers the
 * least part, nor as much as one and a half of the rarest words: of a long question, a small part is much.
 *
 * How it was chosen: over three collections, with their own queries, and with a slip in every word of these, against
 * queries of the other two, words drawn from the other two, everyday questions, sentences in nine languages, made-up
 * words and random letters. At 0.2, nDCG@10 of the judged queries falls by 0 on each; the first to lose is one of
 * them at 0.25 (0.001), then 0.3 (0.005): a part below what all three allow, not the best of any. Slips in every word
 * cost 0.008, 0.001 and 0.026 of the little that is found then. With nothing are answered 99 % of the letters, 98 %
 * of the made-up words, 80 to 100 % of the other languages, 25 to 58 % of the everyday questions and 7 to 46 % of the
 * other collections' queries, which share words by chance. Cosines, and their distance from the hundredth best, told
 * the kinds apart far worse. `npm run bench -- rag` prints these figures.
 * Not: no query is noise where a model at an endpoint has found something: it may have understood what shares no word.
 */
import { rarity } from "../../core/lexical-plan.ts";
import type { SearchQuery } from "../../core/query.ts";
import { eachWord, termsOf } from "../../core/terms.ts";
import type { PlacedChunk } from "./document.ts";
import { fieldsOf } from "./fields.ts";
import type { Knowledge } from "./knowledge.ts";
import { plainText } from "./legs.ts";

/** The least part of a query that an answer covers. */
export const DEFAULT_CUT_OFF = 0.2;
const ENOUGH_RARE_WORDS = 1.5;
const LEAST_SHARED_PIECES = 0.4;
const PIECE_LENGTH = 4;
const LOOKED_AT = 10;
/** That half of a few chunks have a word does not make it common: rarities are those of an index at least so large. */
const LEAST_SIZE = 1000;

/** How much of a query its best chunk covers. */
export interface Coverage {
  /** The part of the weight of the query's words, 0 to 1. */
  readonly part: number;
  /** The same weight, counted in words that nothing has. */
  readonly rareWords: number;
}

interface QueryWord {
  readonly word: string;
  readonly terms: readonly string[];
  readonly weight: number;
}

export const NO_COVERAGE: Coverage = { part: 0, rareWords: 0 };

/** `best`: the chunks found, best first. Texts are read only where the words alone say noise. */
export async function measureCoverage(
  knowledge: Knowledge,
  query: SearchQuery,
  { best, cutOff }: { readonly best: readonly PlacedChunk[]; readonly cutOff: number },
): Promise<Coverage> {
  const words = weighWords(knowledge, query);
  const looked = best.slice(0, LOOKED_AT);
  const scale = { total: sum(words.map(({ weight }) => weight)), rarest: rarity(0, sizeOf(knowledge)) };
  if (scale.total === 0 || looked.length === 0) return NO_COVERAGE;
  const isIn = looked.map(({ chunkId }) => termsIn(knowledge, query, chunkId));
  const exact = Math.max(...isIn.map((has) => sum(words.map((word) => (has(word) ? word.weight : 0)))));
  const coverage = toCoverage(exact, scale);
  if (!isNoise(coverage, cutOff)) return coverage;
  const texts = await Promise.all(looked.map((chunk) => readWhole(knowledge, chunk)));
  const near = texts.map((text, at) => coverNearly(words, { has: isIn[at]!, pieces: piecesOf(text) }));
  return toCoverage(Math.max(...near), scale);
}

export function isNoise({ part, rareWords }: Coverage, cutOff: number): boolean {
  return part < cutOff && rareWords < ENOUGH_RARE_WORDS;
}

/**
 * 0 to 1, comparable from query to query: the part that is covered, or for long questions what the covered words weigh.
 */
export function strengthOf({ part, rareWords }: Coverage): number {
  return Math.min(1, Math.max(part, 1 - 2 ** (-rareWords / ENOUGH_RARE_WORDS)));
}

function sizeOf({ lexical }: Knowledge): number {
  return Math.max(LEAST_SIZE, lexical.size);
}

function toCoverage(weight: number, scale: { readonly total: number; readonly rarest: number }): Coverage {
  return { part: weight / scale.total, rareWords: weight / scale.rarest };
}

/** The distinct words that count, each as rare as the rarest of its terms. */
function weighWords(knowledge: Knowledge, query: SearchQuery): QueryWord[] {
  const { lexical } = knowledge;
  return [...distinctWords(plainText(query))].flatMap((word) => {
    const terms = termsOf(word);
    const weights = terms.map((term) => rarity(lexical.documentCount(term), sizeOf(knowledge)));
    return terms.length === 0 ? [] : [{ word, terms, weight: Math.max(...weights) }];
  });
}

/** Whether a chunk has one of a word's terms, or what the unfinished last word may become. */
function termsIn({ lexical }: Knowledge, query: SearchQuery, chunkId: number): (word: QueryWord) => boolean {
  const found = lexical.explain(query, chunkId).map(({ term }) => term);
  const prefix = query.unfinished?.prefix;
  return ({ word, terms }) =>
    found.some((term) => terms.includes(term) || (word === prefix && term.startsWith(prefix)));
}

interface Text {
  readonly has: (word: QueryWord) => boolean;
  readonly pieces: ReadonlySet<string>;
}

function coverNearly(words: readonly QueryWord[], { has, pieces }: Text): number {
  const parts = words.map((word) => {
    if (has(word)) return word.weight;
    const own = [...piecesOf(word.word)];
    const shared = own.filter((piece) => pieces.has(piece)).length / own.length;
    return shared < LEAST_SHARED_PIECES ? 0 : shared * word.weight;
  });
  return sum(parts);
}

/** Everything that the chunk is found by. */
async function readWhole(knowledge: Knowledge, chunk: PlacedChunk): Promise<string> {
  const text = (await knowledge.readText(chunk.document, chunk.startByte, chunk.endByte)) ?? "";
  return fieldsOf(chunk.document, chunk, text)
    .map((field) => field.text)
    .join("\n");
}

/** Every four characters in a row of every word with a space before and after it. */
function piecesOf(text: string): Set<string> {
  const pieces = new Set<string>();
  for (const word of distinctWords(text)) {
    const padded = ` ${word} `;
    const last = Math.max(0, padded.length - PIECE_LENGTH);
    for (let at = 0; at <= last; at++) pieces.add(padded.slice(at, at + PIECE_LENGTH));
  }
  return pieces;
}

function distinctWords(text: string): Set<string> {
  const words = new Set<string>();
  eachWord(text, (start, end) => words.add(text.slice(start, end).toLowerCase()));
  return words;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
