/**
 * Lines of a .gitignore file, or a list of globs, -> which paths they take out.
 *
 * Source: gitignore(5), and what `git check-ignore` answers (case sensitive).
 * Order: of the rules of one file the last that matches holds; a file in a deeper folder comes before one further out.
 * Cost: a rule without wildcards, or `*.ext`, is one comparison; no pattern explodes.
 * Not: git's `core.excludesFile`. What lies in an ignored folder stays ignored, whatever a rule says, by not being
 * looked at.
 */
import { compileGlob } from "./glob.ts";

export interface IgnoreRule {
  readonly isNegated: boolean;
  readonly isForFolders: boolean;
  /** Paths count from the folder of the rules, without a slash at either end. */
  matches(path: string): boolean;
}

/** The rules of one file, and of those further out. */
export interface IgnoreScope {
  /** The folder of the file: `""` for the root, else with a slash at its end. */
  readonly base: string;
  readonly rules: readonly IgnoreRule[];
  readonly outer: IgnoreScope | undefined;
}

/** Whether the rules take out a path; those of its folders have been asked before. Paths count from the root. */
export function isIgnored(scope: IgnoreScope | undefined, path: string, kind: "file" | "folder"): boolean {
  for (let one = scope; one !== undefined; one = one.outer) {
    const verdict = judge(one.rules, path.slice(one.base.length), kind);
    if (verdict !== undefined) return verdict;
  }
  return false;
}

/** `true`: taken out. `false`: let in again. `undefined`: no rule says anything. */
export function judge(rules: readonly IgnoreRule[], path: string, kind: "file" | "folder"): boolean | undefined {
  for (let index = rules.length - 1; index >= 0; index--) {
    const rule = rules[index]!;
    if (rule.isForFolders && kind !== "folder") continue;
    if (rule.matches(path)) return !rule.isNegated;
  }
  return undefined;
}

/** The rules of a whole file; lines that are empty or comments are none. */
export function parseIgnoreFile(text: string): IgnoreRule[] {
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  return parseIgnoreRules(lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line)));
}

/** One pattern an item, as a line of a .gitignore file. */
export function parseIgnoreRules(patterns: readonly string[]): IgnoreRule[] {
  return patterns.map(parseRule).filter((rule) => rule !== undefined);
}

function parseRule(line: string): IgnoreRule | undefined {
  if (line.startsWith("#")) return undefined;
  const text = trimSpaces(line);
  const isNegated = text.startsWith("!");
  const isForFolders = text.endsWith("/");
  const pattern = text.slice(isNegated ? 1 : 0, isForFolders ? -1 : undefined);
  if (pattern === "") return undefined;
  const matches = compileGlob(pattern.startsWith("/") ? pattern.slice(1) : pattern);
  // Without a slash a pattern is for names, wherever they stand.
  const isAnywhere = !pattern.includes("/");
  return {
    isNegated,
    isForFolders,
    matches: isAnywhere ? (path) => matches(path.slice(path.lastIndexOf("/") + 1)) : matches,
  };
}

/** Without the spaces at its end, unless a backslash keeps them. */
function trimSpaces(line: string): string {
  let end = line.length;
  while (line[end - 1] === " ") end--;
  let backslashes = 0;
  while (line[end - 1 - backslashes] === "\\") backslashes++;
  const isKept = backslashes % 2 === 1 && end < line.length;
  return line.slice(0, isKept ? end + 1 : end);
}
