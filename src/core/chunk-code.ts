/**
 * A program -> stretches of 25 to 40 lines that begin with a declaration where there is one.
 *
 * Order: a declaration takes along the comments right above it. Small neighbours are joined; one that is too long is
 * cut at the least indented of its lines after a blank one. A stretch of long lines is cut further, by characters.
 */
import { cutRange, LARGEST_CHUNK, LINES_A_STEP } from "./chunk-ranges.ts";
import type { Section } from "./chunk-ranges.ts";
import { declarationIn, indentationOf } from "./declarations.ts";
import type { Declaration, Language } from "./declarations.ts";
import type { LineIndex } from "./line-index.ts";

const FEWEST_LINES = 25;
const MOST_LINES = 40;
/** What stands before a large declaration is joined to it when it is shorter than this. */
const CRUMB_LINES = 8;
/** 40 lines of ordinary code stay whole. */
const LARGEST_CODE_CHUNK = 2 * LARGEST_CHUNK;

/** Lines from `first` to before `end`, and the declaration that they begin with or lie in. */
interface Stretch {
  readonly first: number;
  readonly end: number;
  readonly symbol: string | undefined;
}

/** Yields every {@link LINES_A_STEP} lines. */
export function* chunkCode(lines: LineIndex, language: Language): Generator<void, Section[]> {
  return joinSmall(yield* findStretches(lines, language))
    .flatMap((stretch) => cutLong(lines, stretch))
    .flatMap(({ first, end, symbol }) => {
      const section: Section = { start: lines.start(first), end: lines.start(end), symbol };
      return section.end - section.start > LARGEST_CODE_CHUNK ? cutRange(lines.text, section) : [section];
    });
}

/** One stretch for each declaration; the first may have none. */
function* findStretches(lines: LineIndex, language: Language): Generator<void, Stretch[]> {
  const stretches: Stretch[] = [];
  const around: Declaration[] = [];
  let first = 0;
  let symbol: string | undefined;
  for (let line = 0; line < lines.count; line++) {
    if (line % LINES_A_STEP === 0) yield;
    const declaration = declarationIn(lines.head(line), language);
    if (!declaration) continue;
    const begins = Math.max(first, firstAttached(lines, line, language));
    if (begins > first) stretches.push({ first, end: begins, symbol });
    first = begins;
    while (around.length > 0 && around.at(-1)!.indentation >= declaration.indentation) around.pop();
    around.push(declaration);
    symbol = around.map(({ name }) => name).join(".");
  }
  stretches.push({ first, end: lines.count, symbol });
  return stretches;
}

function firstAttached(lines: LineIndex, line: number, language: Language): number {
  let first = line;
  while (first > 0 && language.attached.test(lines.head(first - 1))) first--;
  return first;
}

function joinSmall(stretches: readonly Stretch[]): Stretch[] {
  const joined: Stretch[] = [];
  for (const stretch of stretches) {
    const before = joined.at(-1);
    if (before && canJoin(before, stretch)) {
      joined[joined.length - 1] = { first: before.first, end: stretch.end, symbol: before.symbol ?? stretch.symbol };
    } else {
      joined.push(stretch);
    }
  }
  return joined;
}

function canJoin(before: Stretch, stretch: Stretch): boolean {
  const length = before.end - before.first;
  return length < CRUMB_LINES || (length < FEWEST_LINES && stretch.end - before.first <= MOST_LINES);
}

function cutLong(lines: LineIndex, stretch: Stretch): Stretch[] {
  const pieces: Stretch[] = [];
  let { first } = stretch;
  while (stretch.end - first > MOST_LINES) {
    const end = chooseLine(lines, first, stretch.end);
    pieces.push({ ...stretch, first, end });
    first = end;
  }
  pieces.push({ ...stretch, first });
  return pieces;
}

/**
 * The first line of the next piece: after a blank line if there is one, else anywhere; the least indented, and of these
 * the last.
 */
function chooseLine(lines: LineIndex, first: number, end: number): number {
  const left = end - first;
  const last = first + Math.min(MOST_LINES, Math.max(left - FEWEST_LINES, Math.ceil(left / 2)));
  let best = last;
  let least = Infinity;
  for (let line = last; line > last - (MOST_LINES - FEWEST_LINES) && line > first; line--) {
    if (lines.isBlank(line)) continue;
    const cost = indentationOf(lines.head(line)) + (lines.isBlank(line - 1) ? 0 : 1000);
    if (cost < least) [best, least] = [line, cost];
  }
  return best;
}
