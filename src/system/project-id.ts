/**
 * A folder -> the git repository around it, and the name of its project in the knowledge base.
 *
 * The name is the SHA-256, in hex, of the real path of the repository, and without one of the folder itself. The pi
 * extension, which loads nothing of the daemon, has a copy (`extension/knowledge-project.ts`); a test compares them.
 */
import { createHash } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/** The project of what is done in the folder. */
export function projectIdOf(folder: string): string {
  return hashPath(findRepository(folder) ?? realPathOf(folder));
}

/** `undefined` outside of a repository. */
export function repositoryIdOf(folder: string): string | undefined {
  const repository = findRepository(folder);
  return repository === undefined ? undefined : hashPath(repository);
}

/** The real path of the nearest folder, itself or above, that holds `.git`: a folder, or the file of a worktree. */
export function findRepository(folder: string): string | undefined {
  for (let at = realPathOf(folder); ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return at;
    if (at === dirname(at)) return undefined;
  }
}

function hashPath(path: string): string {
  return createHash("sha256").update(path).digest("hex");
}

/** As it is given where it is no more. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
