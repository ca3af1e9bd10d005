/**
 * Text -> the terms it is found by: words in lower case, stemmed; identifiers whole and split at case and underscores.
 *
 * Order: the parts of an identifier come first, in their order; the whole comes last.
 * Cost: one pass over the text. A run of word characters longer than `LONGEST_WORD` is cut there, so no line can hurt.
 * Not: stop words, single characters and single digits are no terms; words keep their order but not their punctuation.
 */
import { stem } from "./porter.ts";
import { STOP_WORDS } from "./stop-words.ts";

const LONGEST_WORD = 64;
const UNDERSCORE = 95;
const LETTER_OR_DIGIT = /[\p{L}\p{N}\p{M}]/u;
/** Scripts written without spaces between words; there, every two neighbouring characters make a term. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
/** A word that needs no splitting: only its first letter may be a capital. */
const PLAIN_WORD = /^[A-Za-z0-9][a-z0-9]*$/;
const COMBINING = /\p{M}/gu;

/** What one word of a text is found by. */
export interface WordTerms {
  /** One for each position that the word takes; "" is a position without a term (a stop word, a single character). */
  readonly parts: readonly string[];
  /** The identifier as a whole, where it has more than one part: `readFileSync` -> "readfilesync". */
  readonly whole: string | undefined;
}
const STOPPED: WordTerms = { parts: [""], whole: undefined };

/** 1 for the ASCII characters that make words: digits, letters, underscore. */
const ASCII_WORD = new Uint8Array(128);
for (const character of "0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  ASCII_WORD[character.charCodeAt(0)] = 1;
}

/** Calls `visit` with the bounds of each word, in order; `end` is one past the last UTF-16 unit. */
export function eachWord(text: string, visit: (start: number, end: number) => void): void {
  let at = 0;
  while (at < text.length) {
    const start = at;
    const limit = Math.min(text.length, start + LONGEST_WORD);
    while (at < limit) {
      const code = text.charCodeAt(at);
      const width = code < 128 ? ASCII_WORD[code]! : wideWordCharacter(text, at);
      if (width === 0) break;
      at += width;
    }
    if (at > start) visit(start, at);
    else at++;
  }
}

/** Whether the UTF-16 unit at `at` is a letter or a digit, or half of one; an underscore is not. */
export function isWordCode(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 128) return ASCII_WORD[code] === 1 && code !== UNDERSCORE;
  return isSurrogate(code) || LETTER_OR_DIGIT.test(text[at]!);
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}

/** How many UTF-16 units the word character at `at` takes; 0 when it is none. */
function wideWordCharacter(text: string, at: number): number {
  const character = String.fromCodePoint(text.codePointAt(at)!);
  return LETTER_OR_DIGIT.test(character) ? character.length : 0;
}

/** The terms of one word as it stands in the text. */
export function termsOfWord(word: string): WordTerms {
  if (PLAIN_WORD.test(word)) return { parts: [termOrGap(word.toLowerCase())], whole: undefined };
  const isAscii = isAsciiOnly(word);
  if (!isAscii && UNSPACED.test(word)) return { parts: pairsOfCharacters(word), whole: undefined };
  const plain = isAscii ? word : word.normalize("NFKD").replace(COMBINING, "");
  const parts = splitIdentifier(plain);
  if (parts.length === 0) return STOPPED;
  if (parts.length === 1) return { parts: [termOrGap(parts[0]!)], whole: undefined };
  return { parts: parts.map(termOrGap), whole: parts.join("") };
}

/** A term and the part of the word that it stands for; `end` is one past the last UTF-16 unit. */
export interface PlacedTerm {
  /** "" for a position without a term. */
  readonly term: string;
  readonly start: number;
  readonly end: number;
}

/** As `termsOfWord`: one for each position, in order, and the identifier as a whole last, where there is one. */
export function placeTerms(word: string): PlacedTerm[] {
  const { parts, whole } = termsOfWord(word);
  const places = placesOfParts(word, parts.length);
  const placed = parts.map((term, at) => ({ term, ...places[at]! }));
  if (whole !== undefined) placed.push({ term: whole, start: 0, end: word.length });
  return placed;
}

/** The whole word for each part where its letters change as it is made into terms. */
function placesOfParts(word: string, count: number): { start: number; end: number }[] {
  const everywhere = { start: 0, end: word.length };
  if (!isAsciiOnly(word)) return UNSPACED.test(word) ? placesOfPairs(word) : new Array(count).fill(everywhere);
  let from = 0;
  const places = separateParts(word).map((part) => {
    const start = word.indexOf(part, from);
    from = start + part.length;
    return { start, end: from };
  });
  return places.length === count ? places : new Array(count).fill(everywhere);
}

function placesOfPairs(word: string): { start: number; end: number }[] {
  const starts: number[] = [];
  for (let at = 0; at < word.length; at += String.fromCodePoint(word.codePointAt(at)!).length) starts.push(at);
  if (starts.length === 1) return [{ start: 0, end: word.length }];
  return starts.slice(1).map((_, at) => ({ start: starts[at]!, end: starts[at + 2] ?? word.length }));
}

/** The terms of a text, in its order, stop words left out. */
export function termsOf(text: string): string[] {
  const found: string[] = [];
  eachWord(text, (start, end) => {
    const { parts, whole } = termsOfWord(text.slice(start, end));
    for (const part of parts) if (part !== "") found.push(part);
    if (whole !== undefined) found.push(whole);
  });
  return found;
}

/** `parseHTTPHeader_v2` -> parse, http, header, v2. */
function splitIdentifier(word: string): string[] {
  return separateParts(word).map((part) => part.toLowerCase());
}

function separateParts(word: string): string[] {
  const spaced = word.replace(/(\p{Ll}|\p{N})(?=\p{Lu})|(\p{Lu})(?=\p{Lu}\p{Ll})/gu, "$& ");
  return spaced.split(/[\s_]+/).filter((part) => part !== "");
}

function termOrGap(part: string): string {
  return part.length > 1 && !STOP_WORDS.has(part) ? stem(part) : "";
}

function isAsciiOnly(word: string): boolean {
  for (let at = 0; at < word.length; at++) if (word.charCodeAt(at) > 127) return false;
  return true;
}

function pairsOfCharacters(word: string): string[] {
  const characters = [...word.toLowerCase()];
  if (characters.length === 1) return characters;
  return characters.slice(1).map((character, index) => characters[index]! + character);
}
