/**
 * A folder of definitions -> the JSON of its files, unless somebody else could have written it.
 *
 * Order: by file name. Files whose names begin with a dot, and all but `*.json`, are passed over.
 * Errors: a sentence in the place of a file's content; the folder's own fault stands in for all of its files.
 */
import { opendirSync, statSync } from "node:fs";
import { join } from "node:path";
import { findJsonFault } from "../core/json-fault.ts";
import { findOwnershipFault, readGuardedFile } from "./guarded-file.ts";

export type DefinitionFile =
  | { readonly ok: true; readonly path: string; readonly value: unknown; readonly isReadableByOthers: boolean }
  | { readonly ok: false; readonly path: string; readonly problem: string };

const LARGEST_FILE_BYTES = 1_048_576;
const DEEPEST_FILE = 64;
const MOST_FILES = 10_000;

/** The files of the folder at `path`; none when there is no such folder. `uid` is ours, where users have numbers. */
export function readDefinitionFolder(path: string, uid: number | undefined): readonly DefinitionFile[] {
  const names = listFolder(path, uid);
  if (typeof names === "string") return [{ ok: false, path, problem: names }];
  return names.map((name) => readDefinitionFile(join(path, name), uid));
}

function listFolder(path: string, uid: number | undefined): readonly string[] | string {
  try {
    const fault = findOwnershipFault(path, statSync(path), uid);
    if (fault !== undefined) return fault;
    const names: string[] = [];
    const folder = opendirSync(path);
    for (let entry = folder.readSync(); entry !== null && names.length < MOST_FILES; entry = folder.readSync()) {
      if (entry.name.endsWith(".json") && !entry.name.startsWith(".")) names.push(entry.name);
    }
    folder.closeSync();
    return names.sort();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? [] : `${path} cannot be read: ${message}`;
  }
}

function readDefinitionFile(path: string, uid: number | undefined): DefinitionFile {
  const read = readGuardedFile(path, { uid, maxBytes: LARGEST_FILE_BYTES });
  if (!read.ok) return { ok: false, path, problem: read.message };
  const fault = findJsonFault(read.text, DEEPEST_FILE);
  if (fault)
    return {
      ok: false,
      path,
      problem: `${path} is not JSON: line ${fault.line}, column ${fault.column}: ${fault.message}`,
    };
  return { ok: true, path, value: JSON.parse(read.text), isReadableByOthers: read.isReadableByOthers };
}
