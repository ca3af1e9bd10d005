/** A working directory -> the base name of the git repository around it. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";

let last: { readonly cwd: string; readonly name: string | undefined } | undefined;

/** `undefined` outside of a repository. */
export function findProject(cwd: string): string | undefined {
  if (last?.cwd !== cwd) last = { cwd, name: search(cwd) };
  return last.name;
}

function search(cwd: string): string | undefined {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, ".git"))) return basename(folder) || undefined;
    if (folder === dirname(folder)) return undefined;
  }
}
