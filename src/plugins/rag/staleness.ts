/** A document -> whether the file that it was made of is another one by now. */
import type { FindFolder } from "../../system/find-folder.ts";
import type { OpenFolder } from "../../system/folder.ts";
import type { CollectionDefinition } from "./collection.ts";
import type { Corpus } from "./corpus.ts";
import type { StoredDocument } from "./document.ts";

export interface StalenessServices {
  readonly openFolder: OpenFolder;
  readonly corpus: Corpus;
  findRoot(definition: CollectionDefinition): ReturnType<FindFolder>;
}

/** Looks at size and time only. A file that is gone, or not to be reached, is another one. */
export function createStaleness({ openFolder, corpus, findRoot }: StalenessServices) {
  return async (document: StoredDocument): Promise<boolean> => {
    const { id, collection, file } = document;
    const definition = corpus.collection(collection)?.definition;
    if (file === undefined || definition === undefined) return false;
    const root = await findRoot(definition);
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
