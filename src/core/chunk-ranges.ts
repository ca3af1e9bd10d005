/**
 * A stretch of text that is too long -> stretches of 800 to 1200 characters, cut where it hurts least.
 *
 * Order of preference for a cut: a blank line, the end of a line, of a sentence, of a word; a cut inside a word never
 * parts a surrogate pair. A stretch that is a little too long is cut in halves, so no crumb is left over.
 */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A stretch on its way to becoming a chunk. */
export interface Section extends Range {
  readonly headings?: readonly string[];
  readonly symbol?: string | undefined;
}

export const SMALLEST_CHUNK = 800;
export const LARGEST_CHUNK = 1200;
/** Of those who find stretches and give way now and then: a millisecond or so. */
export const LINES_A_STEP = 500;

const CUTS: readonly RegExp[] = [/\n[ \t\r]*\n/g, /\n/g, /[.!?。！？]\s/g, /\s/g];

/** Copies of `section` that cover it; cuts avoid the ranges of `whole` (in order, apart) where they can. */
export function cutRange<S extends Section>(text: string, section: S, whole: readonly Range[] = []): S[] {
  const pieces: S[] = [];
  let start = section.start;
  while (section.end - start > LARGEST_CHUNK) {
    const cut = chooseCut(text, { start, end: section.end }, whole);
    pieces.push({ ...section, start, end: cut });
    start = cut;
  }
  pieces.push({ ...section, start });
  return pieces;
}

/** The same without blank space at its ends, except the indentation of its first line. */
export function trimRange<S extends Section>(text: string, section: S): S {
  let { start, end } = section;
  while (end > start && isSpace(text, end - 1)) end--;
  let lineStart = start;
  while (start < end && isSpace(text, start)) if (text[start++] === "\n") lineStart = start;
  if (lineStart === section.start) lineStart = indentationKept(text, section.start, start);
  return { ...section, start: lineStart, end };
}

/** At the very start of a line the indentation stays; after a cut inside of a line the spaces go. */
function indentationKept(text: string, sectionStart: number, firstCharacter: number): number {
  return sectionStart === 0 || text[sectionStart - 1] === "\n" ? sectionStart : firstCharacter;
}

function isSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 32 || (code >= 9 && code <= 13) || code === 0xa0 || code === 0xfeff;
}

function chooseCut(text: string, { start, end }: Range, whole: readonly Range[]): number {
  const left = end - start;
  const furthest = start + Math.min(LARGEST_CHUNK, Math.max(left - SMALLEST_CHUNK, Math.ceil(left / 2)));
  const nearest = furthest - (LARGEST_CHUNK - SMALLEST_CHUNK);
  const window = text.slice(Math.max(nearest, start + 1), furthest);
  const offset = furthest - window.length;
  const endOf = (match: RegExpExecArray): number => offset + match.index + match[0].length;
  const cuts = CUTS.map((pattern) => Array.from(window.matchAll(pattern), endOf));
  const allowed = cuts.slice(0, 2).map((places) => places.filter((place) => !rangeAround(place, whole)));
  for (const places of [...allowed, besideRange(start, rangeAround(furthest, whole)), ...cuts])
    if (places.length > 0) return places.at(-1)!;
  return isLowSurrogate(text, furthest) ? furthest - 1 : furthest;
}

/** Where the range begins or ends, if the piece up to there is neither too short nor too long. */
function besideRange(start: number, range: Range | undefined): number[] {
  if (!range) return [];
  if (range.end - start <= LARGEST_CHUNK) return [range.end];
  return range.start - start >= SMALLEST_CHUNK / 2 ? [range.start] : [];
}

/** The range that a cut at this place would tear. */
function rangeAround(place: number, ranges: readonly Range[]): Range | undefined {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle]!.end <= place) low = middle + 1;
    else high = middle;
  }
  const found = ranges[low];
  return found && found.start < place ? found : undefined;
}

function isLowSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}
