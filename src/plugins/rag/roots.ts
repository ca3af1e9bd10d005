/**
 * The folder of a collection -> where it really is, or why it may not be indexed.
 *
 * The real path must lie below one of `rag.allowedRoots` (whose real paths count), and no name on the way from there
 * may begin with a dot: keys and passwords of programs lie in such folders.
 * Errors: answered as sentences.
 */
import type { FindFolder, FoundFolder } from "../../system/find-folder.ts";
import type { CollectionDefinition } from "./collection.ts";

export interface RootServices {
  readonly findFolder: FindFolder;
  allowedRoots(): readonly string[];
}

/** A sentence where the folder is not there or may not be indexed. */
export async function findRoot(
  { findFolder, allowedRoots }: RootServices,
  { kind, root }: Pick<CollectionDefinition, "kind" | "root">,
): Promise<FoundFolder | string> {
  if (root === null) return "there is no folder to look at";
  const found = await findFolder(root);
  if (typeof found === "string") return found;
  const limits = await Promise.all(allowedRoots().map((allowed) => findFolder(allowed)));
  const rests = limits.flatMap((limit) => (typeof limit === "string" ? [] : [restBelow(found.path, limit.path)]));
  const around = rests.filter((rest) => rest !== undefined);
  if (around.length === 0) return `${named(root, found)} is not below any folder of rag.allowedRoots`;
  // Pi keeps its sessions in a folder whose name begins so.
  if (kind === "sessions" || around.some((names) => !names.some((name) => name.startsWith(".")))) return found;
  const hidden = around[0]!.find((name) => name.startsWith("."));
  const why = `lies in ${hidden}, whose name begins with a dot`;
  return `${named(root, found)} ${why}: add it to rag.allowedRoots if it is meant`;
}

/** The names from one folder to another in it; `undefined` when it is not in it. */
function restBelow(path: string, limit: string): readonly string[] | undefined {
  if (path === limit) return [];
  const separator = limit.includes("\\") ? "\\" : "/";
  const start = limit.endsWith(separator) ? limit : limit + separator;
  return path.startsWith(start) ? path.slice(start.length).split(separator) : undefined;
}

function named(root: string, { path }: FoundFolder): string {
  return root === path ? root : `${root} (really ${path})`;
}
