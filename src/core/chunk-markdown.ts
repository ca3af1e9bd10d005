/**
 * Markdown -> sections by headings, small neighbours joined, large ones cut, none of them torn inside a code fence if
 * it can be helped.
 *
 * Source: CommonMark 0.31: ATX and setext headings, fenced code blocks; a YAML block between `---` lines at the very
 * start.
 * Order: a joined section carries the headings that all its parts share, or those of its first part where they share
 * none.
 */
import { cutRange, LARGEST_CHUNK, LINES_A_STEP, SMALLEST_CHUNK } from "./chunk-ranges.ts";
import type { Range, Section } from "./chunk-ranges.ts";
import type { LineIndex } from "./line-index.ts";

interface HeadedSection extends Range {
  readonly headings: readonly string[];
}

const PIECES_A_STEP = 100;
/** A front matter block longer than this is none. */
const LONGEST_FRONT_MATTER = 100;

/** Yields every {@link LINES_A_STEP} lines. */
export function* chunkMarkdown(lines: LineIndex): Generator<void, Section[]> {
  const { sections, fences } = yield* findSections(lines);
  const pieces: Section[] = [];
  let steps = 0;
  for (const section of joinSmall(sections)) {
    for (const piece of cutRange(lines.text, section, fences)) pieces.push(piece);
    if (pieces.length < steps * PIECES_A_STEP) continue;
    steps++;
    yield;
  }
  return pieces;
}

function* findSections(lines: LineIndex): Generator<void, { sections: HeadedSection[]; fences: Range[] }> {
  const sections: HeadedSection[] = [];
  const fences: Range[] = [];
  const open: { level: number; title: string }[] = [];
  let start = 0;
  for (let line = endOfFrontMatter(lines); line < lines.count; line++) {
    if (line % LINES_A_STEP === 0) yield;
    const fenceEnd = endOfFence(lines, line);
    if (fenceEnd > line) {
      fences.push({ start: lines.start(line), end: lines.start(fenceEnd) });
      line = fenceEnd - 1;
      continue;
    }
    const heading = headingAt(lines, line);
    if (!heading) continue;
    sections.push({ start, end: lines.start(line), headings: open.map(({ title }) => title) });
    start = lines.start(line);
    while (open.length > 0 && open.at(-1)!.level >= heading.level) open.pop();
    open.push(heading);
  }
  sections.push({ start, end: lines.text.length, headings: open.map(({ title }) => title) });
  return { sections: sections.filter((section) => section.end > section.start), fences };
}

function endOfFrontMatter(lines: LineIndex): number {
  if (lines.head(0).trimEnd() !== "---") return 0;
  const last = Math.min(lines.count, LONGEST_FRONT_MATTER);
  for (let line = 1; line < last; line++) if (/^(---|\.\.\.)\s*$/.test(lines.head(line))) return line + 1;
  return 0;
}

/** One past the last line of the fenced block that begins at `line`; `line` itself where none does. */
function endOfFence(lines: LineIndex, line: number): number {
  const fence = /^ {0,3}(`{3,}|~{3,})([^`]*)/.exec(lines.head(line))?.[1];
  if (fence === undefined) return line;
  for (let next = line + 1; next < lines.count; next++) {
    const closing = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(lines.head(next))?.[1];
    if (closing !== undefined && closing[0] === fence[0] && closing.length >= fence.length) return next + 1;
  }
  return lines.count;
}

function headingAt(lines: LineIndex, line: number): { level: number; title: string } | undefined {
  const head = lines.head(line);
  const atx = /^ {0,3}(#{1,6})(?=[ \t]|$)/.exec(head);
  if (atx) return { level: atx[1]!.length, title: plainTitle(head.slice(atx[0].length).replace(/[ \t]#+[ \t]*$/, "")) };
  const continues = line > 0 && isSetextText(lines.head(line - 1));
  if (continues || line + 1 >= lines.count || !isSetextText(head)) return undefined;
  const underline = /^ {0,3}(=+|-{2,})[ \t]*$/.exec(lines.head(line + 1))?.[1];
  return underline === undefined ? undefined : { level: underline[0] === "=" ? 1 : 2, title: plainTitle(head) };
}

/**
 * Whether an underline below would make it a heading: a line of text that is no list item, quote, table row, heading or
 * rule.
 */
function isSetextText(head: string): boolean {
  return /^ {0,3}[^\s#>|+*`~=<-]/.test(head);
}

/** Without emphasis, code marks and link targets. */
function plainTitle(title: string): string {
  return title
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/[*`]|<[^>]*>/g, "")
    .trim();
}

/**
 * Joins a section to the one before while that is small, both fit, and it does not leave the heading that the other
 * stands under.
 */
function joinSmall(sections: readonly HeadedSection[]): HeadedSection[] {
  const joined: HeadedSection[] = [];
  for (const section of sections) {
    const before = joined.at(-1);
    if (before && canJoin(before, section)) joined[joined.length - 1] = join(before, section);
    else joined.push(section);
  }
  return joined;
}

function canJoin(before: HeadedSection, section: HeadedSection): boolean {
  if (before.end - before.start >= SMALLEST_CHUNK / 2 || section.end - before.start > LARGEST_CHUNK) return false;
  const depth = Math.max(before.headings.length - 1, 0);
  return section.headings.length >= depth && sharedHeadings(before, section).length >= depth;
}

function join(before: HeadedSection, section: HeadedSection): HeadedSection {
  const shared = sharedHeadings(before, section);
  const headings = shared.length > 0 ? shared : headingsOfFirst(before, section);
  return { start: before.start, end: section.end, headings };
}

function headingsOfFirst(before: HeadedSection, section: HeadedSection): readonly string[] {
  return before.headings.length > 0 ? before.headings : section.headings;
}

function sharedHeadings(one: HeadedSection, other: HeadedSection): string[] {
  const differs = one.headings.findIndex((heading, depth) => heading !== other.headings[depth]);
  return one.headings.slice(0, differs === -1 ? one.headings.length : differs);
}
