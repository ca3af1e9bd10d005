/**
 * A root and its rules -> the files below it that count, one after the other.
 *
 * Units: bytes, milliseconds since the epoch.
 * Order: none that can be relied on; a folder is read as a stream, so that a million entries take little memory.
 * Errors: {@link FolderError} where the root is gone, leads elsewhere or cannot be read, and where nothing can be read
 * right now: then what was not answered is not known to be gone.
 * Cost: never holds the event loop for longer than about {@link SLICE_MS}; measured 15 to 20 us a file.
 * Not: symbolic links are not followed, wherever they lead; pipes, devices and sockets are not opened.
 */
import type { Dirent } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { type FolderFault, isBelowRoot, openBelow, type OpenedPath } from "./folder-path.ts";
import { FolderJudge, type FolderRules, type RuledFolder } from "./folder-rules.ts";

export interface FolderEntry {
  /** Below the root, parted by `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** `outside`: symbolic links, wherever they lead. `unreadable`: also names not of UTF-8, or with control characters. */
export type SkipReason = "ignored" | "special" | "large" | "outside" | "unreadable";
/** How much was passed over; a folder counts once, with all that is in it. */
export type Skipped = Record<SkipReason, number>;

export interface WalkOptions {
  readonly signal?: AbortSignal | undefined;
  /** Only this file, or what lies in this folder; nothing where it does not count. */
  readonly below?: string | undefined;
}

export interface FolderWalk extends AsyncIterable<FolderEntry> {
  /** So far; whole when the walk has ended. */
  readonly skipped: Readonly<Skipped>;
}

/** Why a walk cannot be, or cannot go on. */
export class FolderError extends Error {
  readonly fault: FolderFault;

  constructor(fault: FolderFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** What a walk comes upon: files that count, and the folders that they may be in. */
export type Found =
  { readonly kind: "file"; readonly entry: FolderEntry } | { readonly kind: "folder"; readonly path: string };

const SLICE_MS = 4;
const ENTRIES_AT_ONCE = 64;
const CONTROL_CHARACTER = /[\0-\x1f\x7f]/;

export function walkFolder(root: string, rules: FolderRules, options: WalkOptions = {}): FolderWalk {
  const skipped: Skipped = { ignored: 0, special: 0, large: 0, outside: 0, unreadable: 0 };
  const find = findBelow({ root, rules, skipped }, options);
  async function* files(): AsyncGenerator<FolderEntry> {
    for await (const found of find) if (found.kind === "file") yield found.entry;
  }
  return { skipped, [Symbol.asyncIterator]: files };
}

/** The folders that files which count may be in, the root (`""`) first. */
export async function* walkFolders(
  root: string,
  rules: FolderRules,
  options: WalkOptions = {},
): AsyncGenerator<string> {
  const skipped: Skipped = { ignored: 0, special: 0, large: 0, outside: 0, unreadable: 0 };
  // No file is admitted, so none is asked for its size.
  const find = findBelow({ root, rules, skipped, foldersOnly: true }, options);
  for await (const found of find) if (found.kind === "folder") yield found.path;
}

interface WalkContext {
  readonly root: string;
  readonly rules: FolderRules;
  readonly skipped: Skipped;
  readonly foldersOnly?: boolean;
}

async function* findBelow(context: WalkContext, { signal, below }: WalkOptions): AsyncGenerator<Found> {
  const judge = new FolderJudge(context.root, context.rules);
  const walk = new Walk(context, judge, signal);
  try {
    await walk.checkRoot();
    const start = await judge.enterRoot();
    if (below === undefined || below === "") yield* walk.findIn(start);
    else yield* walk.findAt(start, below);
  } catch (error) {
    if (error instanceof FolderError || signal?.aborted) throw error;
    throw new FolderError("unreadable", `${context.root} cannot be read now: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

class Walk {
  readonly #context: WalkContext;
  readonly #judge: FolderJudge;
  readonly #signal: AbortSignal | undefined;
  #sliceStartMs = performance.now();

  constructor(context: WalkContext, judge: FolderJudge, signal: AbortSignal | undefined) {
    this.#context = context;
    this.#judge = judge;
    this.#signal = signal;
  }

  async checkRoot(): Promise<void> {
    const { root } = this.#context;
    const opened = await openBelow(root, "", "folder");
    if (typeof opened !== "string") return opened.handle.close();
    throw new FolderError(opened, `${root} ${ROOT_FAULTS[opened]}`);
  }

  /** What lies at one path, if all the folders on the way count. */
  async *findAt(start: RuledFolder, path: string): AsyncGenerator<Found> {
    if (!isBelowRoot(path)) return;
    const names = path.split("/");
    const last = names.pop()!;
    let folder: RuledFolder | undefined = start;
    for (const name of names) {
      folder = await this.#judge.enter(folder, name);
      if (folder === undefined) return;
    }
    const parent = await openBelow(this.#context.root, folder.base.slice(0, -1), "folder");
    if (typeof parent === "string") return;
    let inner: RuledFolder | undefined;
    try {
      const stats = await lstat(`${parent.byHandle}/${last}`).catch(() => undefined);
      if (stats?.isDirectory()) inner = await this.#judge.enter(folder, last);
      else if (stats !== undefined && this.#judge.admitsFile(folder, last))
        yield* this.#filesOf(parent, folder, [last]);
    } finally {
      await parent.handle.close();
    }
    if (inner !== undefined) yield* this.findIn(inner);
  }

  /** A folder and all that is in it. */
  async *findIn(start: RuledFolder): AsyncGenerator<Found> {
    const waiting: { parent: RuledFolder; name: string }[] = [];
    for (let folder: RuledFolder | undefined = start; ;) {
      if (folder !== undefined) yield* this.#findInOne(folder, waiting);
      const next = waiting.pop();
      if (next === undefined) return;
      folder = await this.#judge.enter(next.parent, next.name);
    }
  }

  /** The files of one folder; the folders in it are added to those that wait. */
  async *#findInOne(folder: RuledFolder, waiting: { parent: RuledFolder; name: string }[]): AsyncGenerator<Found> {
    const { root, skipped, foldersOnly } = this.#context;
    const opened = await openBelow(root, folder.base.slice(0, -1), "folder");
    if (typeof opened === "string") {
      if (folder.base === "") throw new FolderError(opened, `${root} ${ROOT_FAULTS[opened]}`);
      if (opened !== "gone") skipped[opened]++;
      return;
    }
    try {
      yield { kind: "folder", path: folder.base.slice(0, -1) };
      const directory = await opendir(opened.byHandle, {
        bufferSize: ENTRIES_AT_ONCE * 4,
        encoding: "buffer" as BufferEncoding,
      });
      let names: string[] = [];
      for await (const entry of directory) {
        const name = this.#nameOf(entry);
        if (name === undefined) continue;
        if (entry.isDirectory()) this.#queue(folder, name, waiting);
        else if (foldersOnly !== true && this.#admits(folder, name, entry)) names.push(name);
        if (names.length === ENTRIES_AT_ONCE) {
          yield* this.#filesOf(opened, folder, names);
          names = [];
        }
        await this.#giveWay();
      }
      yield* this.#filesOf(opened, folder, names);
    } finally {
      await opened.handle.close();
    }
  }

  /** `undefined` for one that no text can hold. */
  #nameOf(entry: Dirent): string | undefined {
    const bytes = entry.name as unknown as Buffer;
    const name = bytes.toString();
    if (!CONTROL_CHARACTER.test(name) && (!name.includes("\uFFFD") || Buffer.from(name).equals(bytes))) return name;
    this.#context.skipped.unreadable++;
    return undefined;
  }

  #queue(folder: RuledFolder, name: string, waiting: { parent: RuledFolder; name: string }[]): void {
    if (this.#judge.admitsFolder(folder, name)) waiting.push({ parent: folder, name });
    else this.#context.skipped.ignored++;
  }

  #admits(folder: RuledFolder, name: string, entry: Dirent): boolean {
    const { skipped } = this.#context;
    if (!this.#judge.admitsFile(folder, name)) skipped.ignored++;
    else if (entry.isSymbolicLink()) skipped.outside++;
    else if (entry.isFIFO() || entry.isSocket() || entry.isBlockDevice() || entry.isCharacterDevice())
      skipped.special++;
    else return true;
    return false;
  }

  async *#filesOf(folder: OpenedPath, { base }: RuledFolder, names: readonly string[]): AsyncGenerator<Found> {
    const { skipped, rules } = this.#context;
    this.#signal?.throwIfAborted();
    const all = await Promise.all(names.map((name) => lstat(`${folder.byHandle}/${name}`).catch(() => undefined)));
    for (const [index, stats] of all.entries()) {
      if (stats === undefined) continue;
      const { size: sizeBytes, mtimeMs: modifiedMs } = stats;
      if (stats.isSymbolicLink()) skipped.outside++;
      else if (!stats.isFile()) skipped.special++;
      else if (sizeBytes > rules.maxFileBytes) skipped.large++;
      else yield { kind: "file", entry: { path: base + names[index]!, sizeBytes, modifiedMs } };
    }
  }

  async #giveWay(): Promise<void> {
    if (performance.now() - this.#sliceStartMs < SLICE_MS) return;
    this.#signal?.throwIfAborted();
    await setImmediate();
    this.#sliceStartMs = performance.now();
  }
}

const ROOT_FAULTS: Readonly<Record<FolderFault, string>> = {
  gone: "does not exist",
  outside: "is or lies behind a symbolic link; name the folder that it leads to",
  special: "is not a folder",
  unreadable: "cannot be read: permission denied",
};
