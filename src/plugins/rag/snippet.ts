/**
 * A chunk's text -> the stretch of about 240 characters that says most about why it was found, with the places to
 * highlight.
 *
 * The best stretch is the one whose distinct matches weigh most; of equals, the first. It stays within the text under
 * one heading, and a heading is shown only where nothing else is there.
 * Units: UTF-16 units; highlights are [start, end) in the snippet.
 * Cost: linear in the text: a window of matches moves over it once.
 */
import type { Match, QueryMatcher } from "./query-matcher.ts";

export interface Snippet {
  readonly snippet: string;
  readonly highlights: readonly (readonly [start: number, end: number])[];
}

const LENGTH = 240;
/** A word that is longer may be cut. */
const LONGEST_WORD = 40;
/** A second match of the same term counts so much. */
const REPEATED = 0.1;

interface Range {
  readonly start: number;
  readonly end: number;
}

export function cutSnippet(text: string, kind: string, matcher: QueryMatcher): Snippet {
  const matches = matcher.findIn(text);
  const sections = kind === "markdown" ? sectionsOf(text) : [{ start: 0, end: text.length }];
  let best: { readonly section: Range; readonly window: Match[]; readonly weight: number } | undefined;
  let next = 0;
  for (const section of sections) {
    const own: Match[] = [];
    while (next < matches.length && matches[next]!.start < section.start) next++;
    for (; next < matches.length && matches[next]!.end <= section.end; next++) own.push(matches[next]!);
    const { window, weight } = heaviestWindow(own);
    if (!best || weight > best.weight) best = { section, window, weight };
  }
  const range = best ? placeAround(text, best.section, best.window) : { start: 0, end: 0 };
  return {
    snippet: text.slice(range.start, range.end),
    highlights: matches
      .filter(({ start, end }) => start >= range.start && end <= range.end)
      .map(({ start, end }) => [start - range.start, end - range.start] as const),
  };
}

/** The text between headings; of the headings alone where there is no such text. */
function sectionsOf(text: string): Range[] {
  const sections: Range[] = [];
  let start = 0;
  let fence = "";
  const close = (end: number): unknown => text.slice(start, end).trim() !== "" && sections.push({ start, end });
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf("\n", at);
    const end = newline === -1 ? text.length : newline + 1;
    const head = text.slice(at, Math.min(end, at + 12));
    const mark = /^ {0,3}(```|~~~)/.exec(head)?.[1];
    if (mark !== undefined && (fence === "" || fence === mark)) fence = fence === "" ? mark : "";
    if (fence === "" && /^ {0,3}#{1,6}(\s|$)/.test(head)) {
      close(at);
      start = end;
    }
    at = end;
  }
  close(text.length);
  return sections.length > 0 ? sections : [{ start: 0, end: text.length }];
}

/** The matches within one length whose distinct keys weigh most. */
function heaviestWindow(matches: readonly Match[]): { readonly window: Match[]; readonly weight: number } {
  const counts = new Map<string, number>();
  let best = { first: 0, end: 0, weight: 0 };
  let weight = 0;
  let first = 0;
  const change = (match: Match, by: 1 | -1): void => {
    const count = (counts.get(match.key) ?? 0) + (by === 1 ? 0 : -1);
    weight += by * match.weight * (count === 0 ? 1 : REPEATED);
    counts.set(match.key, count + (by === 1 ? 1 : 0));
  };
  matches.forEach((match, at) => {
    change(match, 1);
    while (first < at && match.end - matches[first]!.start > LENGTH) change(matches[first++]!, -1);
    if (weight > best.weight + 1e-9) best = { first, end: at + 1, weight };
  });
  return { window: matches.slice(best.first, best.end), weight: best.weight };
}

/** A stretch of the section around the window: from the start of its sentence where that is near, whole words. */
function placeAround(text: string, section: Range, window: readonly Match[]): Range {
  const first = window[0]?.start ?? section.start;
  const last = Math.min(window.at(-1)?.end ?? first, first + LENGTH);
  const spare = LENGTH - (last - first);
  const earliest = Math.max(section.start, Math.min(first - Math.floor(spare / 2), section.end - LENGTH));
  const start = startOfText(text, { start: earliest, end: first }, section);
  const end = endOfWord(text, { start: last, end: Math.min(section.end, start + LENGTH) }, section);
  return trim(text, { start, end });
}

/** After the first end of a line or a sentence in `range`, else before the first whole word, or the one that is cut. */
function startOfText(text: string, range: Range, section: Range): number {
  if (range.start === section.start) return range.start;
  const lead = text.slice(range.start, range.end);
  const cut = /\n|[.!?]\s/.exec(lead) ?? /\s/.exec(lead);
  if (cut) return range.start + cut.index + cut[0].length;
  const before = text.slice(Math.max(section.start, range.start - LONGEST_WORD), range.start);
  const space = /\s(?=\S*$)/.exec(before);
  if (space) return range.start - before.length + space.index + 1;
  // One long word: cut anywhere, but between whole characters.
  return isLowSurrogate(text, range.start) ? range.start + 1 : range.start;
}

/** Before the last word in `range` that does not end in it. */
function endOfWord(text: string, range: Range, section: Range): number {
  if (range.end >= section.end || /\s/.test(text[range.end]!)) return range.end;
  const tail = text.slice(range.start, range.end);
  const cut = /\s(?=\S*$)/.exec(tail.slice(-LENGTH));
  if (cut) return range.end - tail.slice(-LENGTH).length + cut.index;
  return isLowSurrogate(text, range.end) ? range.end - 1 : range.end;
}

function isLowSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}

function trim(text: string, { start, end }: Range): Range {
  const slice = text.slice(start, end);
  const lead = slice.length - slice.trimStart().length;
  return { start: start + lead, end: Math.max(start + lead, start + slice.trimEnd().length) };
}
