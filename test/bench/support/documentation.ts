/**
 * The documentation that a package ships -> questions with known answers: headings, taken out of the text that they
 * stand above.
 *
 * A question is a heading of at least two words that stands once; the heading goes, and so do lines of a table of
 * contents that link to it. Its answer is the beginning of the section: found when four fifths of its runs of three
 * words are in what was answered.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { termsOf } from "../../../src/core/terms.ts";
import { WordRuns } from "../../../src/plugins/rag/word-runs.ts";

export interface Documentation {
  readonly files: readonly { readonly id: string; readonly text: string }[];
  readonly questions: readonly { readonly text: string; readonly answer: string }[];
}

interface Section {
  readonly title: string;
  readonly line: number;
  readonly body: string;
}

/** Every third heading becomes a question, so that most of a page stays as it is. */
const ONE_IN = 3;
const SHORTEST_BODY = 200;

export function readDocumentation(directory: string): Documentation {
  const pages = globSync("**/*.md", { cwd: directory })
    .sort()
    .map((id) => ({ id, lines: readFileSync(join(directory, id), "utf8").split("\n") }));
  const sections = pages.map(({ lines }) => findSections(lines));
  const counts = Map.groupBy(sections.flat(), ({ title }) => title);
  const asked = sections.map((own) => own.filter((each) => isQuestion(each) && counts.get(each.title)!.length === 1));
  let number = 0;
  const chosen = asked.map((own) => own.filter(() => number++ % ONE_IN === 0));
  return {
    files: pages.map(({ id, lines }, at) => ({ id, text: without(lines, chosen[at]!) })),
    questions: chosen.flat().map(({ title, body }) => ({ text: title, answer: body.slice(0, SHORTEST_BODY) })),
  };
}

export function isAnswered(answer: string, context: string): boolean {
  const runs = new WordRuns();
  runs.add(context);
  return runs.covers(answer);
}

function isQuestion({ title, body }: Section): boolean {
  return termsOf(title).length >= 2 && body.length >= SHORTEST_BODY;
}

function findSections(lines: readonly string[]): Section[] {
  const heads: { title: string; line: number }[] = [];
  let isFenced = false;
  lines.forEach((text, line) => {
    if (/^\s*(```|~~~)/.test(text)) isFenced = !isFenced;
    const title = isFenced ? undefined : /^#{2,6}\s+(.*)$/.exec(text)?.[1];
    if (title !== undefined) heads.push({ line, title: plainTitle(title) });
  });
  return heads.map(({ title, line }, at) => {
    const body = lines.slice(line + 1, heads[at + 1]?.line ?? lines.length).join("\n");
    return { title, line, body: body.replace(/<a id=[^>]*><\/a>/g, "").trim() };
  });
}

/** Without marks and the targets of links; a heading that is nothing but a link is none. */
function plainTitle(title: string): string {
  if (/^\[[^\]]*\]\([^)]*\)$/.test(title.trim())) return "";
  return title.replace(/\(?\[[^\]]*\]\([^)]*\)\)?|<[^>]*>|[`*]/g, "").trim();
}

function without(lines: readonly string[], sections: readonly Section[]): string {
  const gone = new Set(sections.map(({ line }) => line));
  const titles = sections.map(({ title }) => title.toLowerCase());
  const plain = (line: string): string => line.toLowerCase().replace(/[`*]/g, "");
  const isContents = (line: string): boolean =>
    /^\s*[-*]\s+\[.*\]\(#/.test(line) && titles.some((title) => plain(line).includes(title));
  return lines.filter((line, at) => !gone.has(at) && !isContents(line)).join("\n");
}
