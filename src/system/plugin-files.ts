/**
 * A plugin's own files that are too large or too passing for its store, below a folder of its own.
 *
 * Units: bytes.
 * Errors: those of `node:fs`; a file that is not there is no error.
 * Not: names that lead out of the folder; they throw RangeError.
 */
import { mkdirSync } from "node:fs";
import { open, readdir, rm, stat } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";

export interface FileFacts {
  /** Below the folder, parted by `/`. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly changedMs: number;
}

export interface PluginFiles {
  /** The absolute path of a file, whose folder is made if need be. */
  pathOf(name: string): string;
  /** Up to `maxBytes` from an offset; empty at the end, `undefined` when there is no such file. */
  read(name: string, from: number, maxBytes: number): Promise<Buffer | undefined>;
  remove(names: readonly string[]): Promise<void>;
  /** All files of the folder and those below it, in no order. */
  list(): Promise<readonly FileFacts[]>;
}

/** The files below `root`, which is made when the first of them is. */
export function createPluginFiles(root: string): PluginFiles {
  const locate = (name: string): string => {
    const path = resolve(root, name);
    if (!path.startsWith(root + sep)) throw new RangeError(`${JSON.stringify(name)} leads out of ${root}`);
    return path;
  };
  return {
    pathOf(name) {
      const path = locate(name);
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      return path;
    },
    read: (name, from, maxBytes) => readPart(locate(name), from, maxBytes),
    async remove(names) {
      for (const name of names) await rm(locate(name), { force: true });
    },
    async list() {
      const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(ignoreMissing);
      const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      const facts = await Promise.all(files.map((path) => describe(root, path)));
      return facts.filter((fact) => fact !== undefined);
    },
  };
}

async function readPart(path: string, from: number, maxBytes: number): Promise<Buffer | undefined> {
  const file = await open(path, "r").catch(ignoreMissing);
  if (Array.isArray(file)) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function describe(root: string, path: string): Promise<FileFacts | undefined> {
  const facts = await stat(path).catch(ignoreMissing);
  if (Array.isArray(facts)) return undefined;
  return { name: path.slice(root.length + 1).replaceAll(sep, "/"), sizeBytes: facts.size, changedMs: facts.mtimeMs };
}

function ignoreMissing(error: NodeJS.ErrnoException): [] {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
  throw error;
}
