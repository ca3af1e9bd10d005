/**
 * A folder of a person's own, to be read and never written: its files, their bytes, and word of changes.
 *
 * Errors: RangeError for a root that is not an absolute path. A root that is missing, or that lies behind a symbolic
 * link, is an error of each walk, so that it may come back.
 */
import { isAbsolute, resolve } from "node:path";
import type { Clock } from "./clock.ts";
import { type FolderRead, readBelow } from "./folder-read.ts";
import type { FolderRules } from "./folder-rules.ts";
import { type FolderWalk, walkFolder, type WalkOptions } from "./folder-walk.ts";
import { type FolderChange, type FolderWatch, watchFolder } from "./folder-watch.ts";

export interface Folder {
  /** The files that count, with what was passed over. */
  walk(options?: WalkOptions): FolderWalk;
  /** A path below the root, whether it counts or not. */
  read(path: string, maxBytes: number): Promise<FolderRead>;
  watch(onChange: (change: FolderChange) => void): FolderWatch;
}

/** The root is a real path: what it names must not be a symbolic link, nor lie behind one. */
export type OpenFolder = (root: string, rules: FolderRules) => Folder;

export function createOpenFolder(services: { readonly clock: Clock }): OpenFolder {
  return (path, rules) => {
    if (!isAbsolute(path))
      throw new RangeError(`A folder is named by an absolute path, not by ${JSON.stringify(path)}`);
    const root = resolve(path);
    return {
      walk: (options) => walkFolder(root, rules, options),
      read: (file, maxBytes) => readBelow(root, file, maxBytes),
      watch: (onChange) => watchFolder(services, { root, rules }, onChange),
    };
  };
}
