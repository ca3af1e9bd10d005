/**
 * A working directory -> the name of its project in the daemon's knowledge.
 *
 * SHA-256, in hex, of the real path of the git repository around it, and without one of the folder itself: sessions of
 * one project find what the others know, and no path leaves the process. The command line and the daemon do the same
 * (`system/project-id.ts`).
 */
import { createHash } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

export function projectIdOf(cwd: string): string {
  const folder = realPathOf(cwd);
  return createHash("sha256")
    .update(findRepository(folder) ?? folder)
    .digest("hex");
}

function findRepository(folder: string): string | undefined {
  if (existsSync(join(folder, ".git"))) return folder;
  const above = dirname(folder);
  return above === folder ? undefined : findRepository(above);
}

/** As it is given where it is no more. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
