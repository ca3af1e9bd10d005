/**
 * A file's text -> chunks of a size that a search can answer with, each of which knows its lines and its heading or
 * symbol.
 *
 * Units: offsets are UTF-16 units, `end` is one past the last; lines count from 1, both ends included.
 * Order: chunks are in the order of the text, do not overlap, and leave out nothing but blank space between them.
 * Cost: linear in the text, whatever its lines are like: patterns see the first 200 characters of a line only.
 */
import { chunkCode } from "./chunk-code.ts";
import { chunkMarkdown } from "./chunk-markdown.ts";
import { cutRange, trimRange } from "./chunk-ranges.ts";
import type { Section } from "./chunk-ranges.ts";
import { languageOf } from "./declarations.ts";
import { LineIndex } from "./line-index.ts";

const SECTIONS_A_STEP = 200;

export interface Chunk {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly startLine: number;
  readonly endLine: number;
  /** The headings that the chunk stands under, outermost first. */
  readonly headings: readonly string[];
  /** The declaration that the chunk begins with or lies in, with those around it: `Parser.next`. */
  readonly symbol: string | undefined;
}

/** Chunks by the kind of text that the path's ending tells: Markdown, a known language, or plain. */
export function chunkText(text: string, path: string): Chunk[] {
  const steps = chunkInSteps(text, path);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same; it yields every few hundred lines or sections, so that long texts hold nobody up. */
export function* chunkInSteps(text: string, path: string): Generator<void, Chunk[]> {
  const lines = new LineIndex(text);
  const sections = yield* sectionsOf(lines, path);
  const chunks: Chunk[] = [];
  for (const [at, whole] of sections.entries()) {
    if (at % SECTIONS_A_STEP === 0) yield;
    const section = trimRange(text, whole);
    if (section.end > section.start) chunks.push(toChunk(lines, section));
  }
  return chunks;
}

function* sectionsOf(lines: LineIndex, path: string): Generator<void, Section[]> {
  const ending = /\.([^./\\]*)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  if (ending === "md" || ending === "markdown" || ending === "mdx") return yield* chunkMarkdown(lines);
  const language = languageOf(ending);
  if (language !== undefined) return yield* chunkCode(lines, language);
  return cutRange(lines.text, { start: 0, end: lines.text.length });
}

function toChunk(lines: LineIndex, { start, end, headings, symbol }: Section): Chunk {
  return {
    text: lines.text.slice(start, end),
    start,
    end,
    startLine: lines.lineAt(start) + 1,
    endLine: lines.lineAt(end - 1) + 1,
    headings: headings ?? [],
    symbol,
  };
}
