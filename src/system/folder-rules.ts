/**
 * What of a folder counts: globs, hidden names, .gitignore files on the way -> verdicts on its files and folders.
 *
 * Order: `.git` and hidden names, then `exclude`, then .gitignore files (deeper ones first), then `include`.
 * Not: a person's own settings of git (`core.excludesFile`); ignore files above the root that take out the root itself.
 */
import { lstat } from "node:fs/promises";
import { dirname, relative, sep } from "node:path";
import {
  type IgnoreRule,
  type IgnoreScope,
  isIgnored,
  judge,
  parseIgnoreFile,
  parseIgnoreRules,
} from "../core/ignore-rules.ts";
import { readBelow } from "./folder-read.ts";

export interface FolderRules {
  /** As lines of a .gitignore file, but for what counts; empty: everything. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly gitignore: boolean;
  /** Names that begin with a dot: also with them, never `.git`. */
  readonly withHidden: boolean;
  readonly maxFileBytes: number;
}

/** A folder that counts, and what has been decided on the way to it. */
export interface RuledFolder {
  /** Below the root, with a slash at its end; `""` is the root. */
  readonly base: string;
  readonly scope: IgnoreScope | undefined;
  /** `include` has named it or a folder around it. */
  readonly isIncluded: boolean;
}

const LARGEST_IGNORE_FILE_BYTES = 256 * 1024;
const NO_BASE = { base: "", scope: undefined } as const;

export class FolderJudge {
  readonly #root: string;
  readonly #rules: FolderRules;
  readonly #include: readonly IgnoreRule[];
  readonly #exclude: readonly IgnoreRule[];
  /** Where the root lies in the repository around it, with a slash at its end. */
  #prefix = "";

  /** `root`: a real path. */
  constructor(root: string, rules: FolderRules) {
    this.#root = root;
    this.#rules = rules;
    this.#include = parseIgnoreRules(rules.include);
    this.#exclude = parseIgnoreRules(rules.exclude);
  }

  /** The root, with the ignore files of the repository around it. */
  async enterRoot(): Promise<RuledFolder> {
    const isIncluded = this.#include.length === 0;
    const top = this.#rules.gitignore ? await findRepository(this.#root) : undefined;
    if (top === undefined || top === this.#root) return this.#withIgnoreFiles({ ...NO_BASE, isIncluded });
    const prefix = `${relative(top, this.#root).split(sep).join("/")}/`;
    const outer = await readOuterScopes(top, prefix);
    if (outer.isRootIgnored) return this.#withIgnoreFiles({ ...NO_BASE, isIncluded });
    this.#prefix = prefix;
    return this.#withIgnoreFiles({ base: "", scope: outer.scope, isIncluded });
  }

  /** `undefined` where the folder does not count, nor anything in it. */
  async enter(parent: RuledFolder, name: string): Promise<RuledFolder | undefined> {
    if (!this.admitsFolder(parent, name)) return undefined;
    const path = parent.base + name;
    const isIncluded = parent.isIncluded || judge(this.#include, path, "folder") === true;
    return this.#withIgnoreFiles({ base: `${path}/`, scope: parent.scope, isIncluded });
  }

  admitsFolder(parent: RuledFolder, name: string): boolean {
    return this.#isOpen(parent, name, "folder");
  }

  admitsFile(parent: RuledFolder, name: string): boolean {
    if (!this.#isOpen(parent, name, "file")) return false;
    return parent.isIncluded || judge(this.#include, parent.base + name, "file") === true;
  }

  #isOpen({ base, scope }: RuledFolder, name: string, kind: "file" | "folder"): boolean {
    if (name === ".git" || (name.startsWith(".") && !this.#rules.withHidden)) return false;
    const path = base + name;
    return judge(this.#exclude, path, kind) !== true && !isIgnored(scope, this.#prefix + path, kind);
  }

  async #withIgnoreFiles(folder: RuledFolder): Promise<RuledFolder> {
    if (!this.#rules.gitignore) return folder;
    const scope = await readScopes(this.#root, folder.base, { prefix: this.#prefix, outer: folder.scope });
    return { ...folder, scope };
  }
}

/** The nearest folder around a path, or itself, that has a `.git`. */
async function findRepository(root: string): Promise<string | undefined> {
  for (let folder = root; ; folder = dirname(folder)) {
    const found = await lstat(`${folder}/.git`).catch(() => undefined);
    if (found !== undefined) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

async function readOuterScopes(
  top: string,
  prefix: string,
): Promise<{ scope: IgnoreScope | undefined; isRootIgnored: boolean }> {
  let scope: IgnoreScope | undefined;
  let base = "";
  for (const name of prefix.slice(0, -1).split("/")) {
    scope = await readScopes(top, base, { prefix: "", outer: scope });
    if (isIgnored(scope, base + name, "folder")) return { scope, isRootIgnored: true };
    base += `${name}/`;
  }
  return { scope, isRootIgnored: false };
}

/** The scope of one folder: its `.gitignore`, before the `.git/info/exclude` of a repository that begins there. */
async function readScopes(
  root: string,
  base: string,
  { prefix, outer }: { prefix: string; outer: IgnoreScope | undefined },
): Promise<IgnoreScope | undefined> {
  let scope = outer;
  for (const file of [".git/info/exclude", ".gitignore"]) {
    const read = await readBelow(root, base + file, LARGEST_IGNORE_FILE_BYTES);
    if (!read.ok) continue;
    const rules = parseIgnoreFile(read.bytes.toString());
    if (rules.length > 0) scope = { base: prefix + base, rules, outer: scope };
  }
  return scope;
}
