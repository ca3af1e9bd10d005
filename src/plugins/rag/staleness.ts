/** A document -> whether the file that it was made of is another one by now. */
import type { FindFolder } from "../../system/find-folder.ts";
import type { OpenFolder } from "../../system/folder.ts";
import type { CollectionDefinition } from "./collection.ts";
import type { Corpus } from "./corpus.ts";
import type { StoredDocument } from "./document.ts";

export interface StalenessServices {
  readonly clock: { monotonicMs(): number };
  readonly openFolder: OpenFolder;
  readonly corpus: Corpus;
  findRoot(definition: CollectionDefinition): ReturnType<FindFolder>;
}

/** For the hits of one answer, and of those around it, the root is looked for once. */
const ROOT_KEPT_MS = 1_000;

/** Looks at size and time only. A file that is gone, or not to be reached, is another one. */
export function createStaleness({ clock, openFolder, corpus, findRoot }: StalenessServices) {
  const roots = new Map<CollectionDefinition, { readonly found: ReturnType<FindFolder>; readonly untilMs: number }>();

  function rootOf(definition: CollectionDefinition): ReturnType<FindFolder> {
    const nowMs = clock.monotonicMs();
    const known = roots.get(definition);
    if (known !== undefined && nowMs < known.untilMs) return known.found;
    for (const [old, { untilMs }] of roots) if (untilMs <= nowMs) roots.delete(old);
    const found = findRoot(definition);
    roots.set(definition, { found, untilMs: nowMs + ROOT_KEPT_MS });
    return found;
  }

  return async (document: StoredDocument): Promise<boolean> => {
    const { id, collection, file } = document;
    const definition = corpus.collection(collection)?.definition;
    if (file === undefined || definition === undefined) return false;
    const root = await rootOf(definition);
    if (typeof root === "string") return true;
    const folder = openFolder(root.path, {
      include: [],
      exclude: [],
      gitignore: false,
      withHidden: true,
      maxFileBytes: Infinity,
    });
    try {
      for await (const { path, sizeBytes, modifiedMs } of folder.walk({ below: id })) {
        if (path === id) return sizeBytes !== file.sizeBytes || modifiedMs !== file.modifiedMs;
      }
    } catch {
      // The folder cannot be looked at.
    }
    return true;
  };
}
