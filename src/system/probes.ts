/** Looks at the machine for `doctor`: ports, disks, modes of files. Nothing here changes anything. */
import { accessSync, constants, readdirSync, readFileSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

export interface FileFacts {
  readonly isDirectory: boolean;
  /** The nine permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly isWritable: boolean;
}

/** What can be told of a path; `undefined` when nothing is there. Throws other errors of `node:fs`. */
export function inspectFile(path: string): FileFacts | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  return { isDirectory: stat.isDirectory(), mode: stat.mode & 0o777, uid: stat.uid, isWritable: isWritable(path) };
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path itself where something is there, else the nearest directory above it that exists. */
export function nearestExisting(path: string): string {
  let place = path;
  while (statSync(place, { throwIfNoEntry: false }) === undefined) place = join(place, "..");
  return place;
}

/** Bytes that we may still write on the disk of the path. */
export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(nearestExisting(path));
  return bavail * bsize;
}

/** Why the address cannot be listened on (`EADDRINUSE`); `undefined` when it can. */
export function whyNotListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** Paths of the files below a directory whose name matches, relative to it; none when it cannot be read. */
export function findFiles(directory: string, name: RegExp): string[] {
  try {
    return (readdirSync(directory, { recursive: true }) as string[]).filter((path) => name.test(path)).sort();
  } catch {
    return [];
  }
}

/** The value in a JSON file; `undefined` when there is none that can be read. */
export function readJsonFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * How many folders there are below one, itself included, without those of `.git` and `node_modules`; `most` at most.
 */
export function countFolders(root: string, most: number): number {
  let count = 0;
  const waiting = [root];
  for (let folder = waiting.pop(); folder !== undefined && count < most; folder = waiting.pop()) {
    count++;
    for (const name of foldersIn(folder)) if (!SELDOM_WATCHED.has(name)) waiting.push(join(folder, name));
  }
  return count;
}

const SELDOM_WATCHED = new Set([".git", "node_modules"]);

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
