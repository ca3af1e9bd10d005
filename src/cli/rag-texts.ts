/** Collections, documents and hits as the API tells them -> lines for a person. */
import { isAbsolute, relative } from "node:path";
import { escapeUnprintable, shorten } from "../core/printable.ts";
import { projectIdOf } from "../system/project-id.ts";
import type { CollectionShown, HitExplained, HitShown } from "./rag-views.ts";
import { type Painter, plural, readableBytes, readableDuration } from "./style.ts";

const SNIPPET_LINES = 5;

/** "everyone", "here", or the name; of one that is a hash, its start. */
export function describeProject(project: string | null): string {
  if (project === null) return "everyone";
  if (project === projectIdOf(process.cwd())) return "here";
  return /^[0-9a-f]{64}$/.test(project) ? project.slice(0, 8) : shorten(project, 24);
}

export function describeState({ state, progress, problems }: CollectionShown): string {
  if (state === "waiting") return "waiting";
  if (state === "indexing") return progress === null ? "indexing" : `indexing ${progress.done}/${progress.total}`;
  return problems.length === 0 ? "ok" : plural(problems.length, "problem");
}

export function describeAge(ms: number | null, nowMs: number): string {
  return ms === null ? "-" : `${readableDuration(nowMs - ms)} ago`;
}

/** "12 documents, 80 chunks, 1.2 MiB". */
export function describeContent({
  documents,
  chunks,
  textBytes,
}: Pick<CollectionShown, "documents" | "chunks" | "textBytes">): string {
  return `${plural(documents, "document")}, ${plural(chunks, "chunk")}, ${readableBytes(textBytes)}`;
}

/** "3 binary, 1 large"; nothing when all was taken. */
export function describeSkipped({ skipped }: CollectionShown): string {
  return Object.entries(skipped)
    .filter(([, count]) => count > 0)
    .map(([why, count]) => `${count} ${why}`)
    .join(", ");
}

/** Where a hit is, for a person and for whatever opens `path:line`. */
export function describePlace({ path, collection, id, startLine, endLine }: HitShown): string {
  return `${path === null ? `${collection}/${id}` : shortenPath(path)}:${startLine}-${endLine}`;
}

/** Below the current directory as seen from there. */
function shortenPath(path: string): string {
  const below = relative(process.cwd(), path);
  return below === "" || below.startsWith("..") || isAbsolute(below) ? path : below;
}

/** The place and the heading, then the snippet. */
export function describeHit(hit: HitShown, paint: Painter): string[] {
  const { headings, symbol, title, path } = hit;
  const under = symbol ?? (headings.length > 0 ? headings.join(" > ") : path === null ? title : null);
  const head = [
    paint("bold", escapeUnprintable(describePlace(hit))),
    ...(under === null ? [] : [escapeUnprintable(under)]),
    paint("dim", hit.score.toFixed(2)),
    ...(hit.stale ? [paint("yellow", "changed since")] : []),
  ];
  return [head.join("  "), ...describeSnippet(hit, paint).map((line) => `    ${line}`)];
}

const LEG_NAMES: Readonly<Record<string, string>> = {
  lexical: "words",
  hashed: "letters",
  latent: "subjects",
  endpoint: "model",
};
const TERMS_SHOWN = 6;

/** "words 0.60 (fs 6.8, exist 6.7), letters 0.20; the best hit covers 100 % of the query". */
export function describeScore({ legs, coverage, terms }: HitExplained): string {
  const ways = Object.entries(legs).map(([name, { scaled, weight }]) => {
    const shown = terms.slice(0, TERMS_SHOWN).map(({ term, score }) => `${term} ${score.toFixed(1)}`);
    const share = `${LEG_NAMES[name] ?? name} ${(scaled * weight).toFixed(2)}`;
    return name === "lexical" && shown.length > 0 ? `${share} (${shown.join(", ")})` : share;
  });
  return `${ways.join(", ")}; the best hit covers ${Math.round(coverage.part * 100)} % of the query`;
}

/** Lines, without empty ones. What is highlighted goes over no end of a line. */
function describeSnippet({ snippet, highlights }: HitShown, paint: Painter): string[] {
  const lines: string[] = [];
  const indent = commonIndent(snippet);
  let startAt = 0;
  for (const line of snippet.split("\n")) {
    const from = startAt === 0 ? 0 : indent;
    if (line.trim() !== "") lines.push(highlightLine({ line, startAt, from, highlights }, paint).trimEnd());
    startAt += line.length + 1;
  }
  return lines.slice(0, SNIPPET_LINES);
}

/** The white space that all lines begin with, but for the first: that may begin in its middle. */
function commonIndent(snippet: string): number {
  const lines = snippet
    .split("\n")
    .slice(1)
    .filter((line) => line.trim() !== "");
  return lines.length === 0 ? 0 : Math.min(...lines.map((line) => line.search(/\S/)));
}

interface HighlightedLine {
  readonly line: string;
  /** Where to begin in the line. */
  readonly from: number;
  /** Of the line in the snippet. */
  readonly startAt: number;
  readonly highlights: HitShown["highlights"];
}

function highlightLine({ line, startAt, from, highlights }: HighlightedLine, paint: Painter): string {
  let text = "";
  let at = from;
  for (const [first, last] of highlights) {
    const [start, end] = [Math.max(first - startAt, at), Math.min(last - startAt, line.length)];
    if (start >= end) continue;
    text += printable(line.slice(at, start)) + paint("yellow", printable(line.slice(start, end)));
    at = end;
  }
  return text + printable(line.slice(at));
}

function printable(text: string): string {
  return escapeUnprintable(text.replaceAll("\t", "  "));
}
