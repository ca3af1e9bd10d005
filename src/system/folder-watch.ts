/**
 * A root and its rules -> word of what changed below it, some time after the last change of a burst.
 *
 * On Linux each folder is watched by itself: node's own recursive watch looks at every single file (measured on 50 000:
 * it holds the event loop for 2.5 s and takes 100 MB; this takes 10 MB, in slices). Elsewhere the system watches the
 * whole tree.
 * Units: milliseconds.
 * Order: a new folder is watched before word of it is given, so what comes into it later is told of, too.
 * Errors: none; where not all can be watched, `problem()` says so, and rescans do the rest.
 * Not: exact; word may come of what did not change or does not count. Whoever needs to know looks.
 */
import { type FSWatcher, watch } from "node:fs";
import { lstat } from "node:fs/promises";
import { join, sep } from "node:path";
import type { Clock, Timer } from "./clock.ts";
import type { FolderRules } from "./folder-rules.ts";
import { walkFolders } from "./folder-walk.ts";

/** Paths below the root, each a file or a folder with all in it; `everything` where they are too many or not known. */
export type FolderChange = readonly string[] | "everything";

export interface FolderWatch {
  /** What cannot be watched, and why, in a sentence. */
  problem(): string | undefined;
  /** No word comes after it. */
  close(): void;
}

/** The part of `fs.watch` that is used. */
export type WatchPath = (
  path: string,
  options: { recursive: boolean; persistent: boolean },
  onEvent: (event: string, name: string | null) => void,
) => FSWatcher;

export interface WatchContext {
  readonly clock: Clock;
  readonly watchPath?: WatchPath;
  readonly platform?: string;
  readonly mostFolders?: number;
}

const QUIET_MS = 200;
/** However long a burst goes on, word comes after this. */
const LONGEST_BURST_MS = 2_000;
/** How often to look whether the root is still the same folder. */
const ROOT_CHECK_MS = 5_000;
/** A kernel's usual limit for all watches of a person is 8 192 on old ones, and a daemon is not alone. */
const MOST_FOLDERS = 4_096;
const MOST_CHANGED_PATHS = 1_000;

/** Watches below `root` (a real path), which may come and go. */
export function watchFolder(
  context: WatchContext,
  place: { root: string; rules: FolderRules },
  onChange: (change: FolderChange) => void,
): FolderWatch {
  const watching = new Watching(context, place, onChange);
  watching.start();
  return watching;
}

class Watching implements FolderWatch {
  readonly #clock: Clock;
  readonly #watchPath: WatchPath;
  readonly #isWhole: boolean;
  readonly #mostFolders: number;
  readonly #root: string;
  readonly #rules: FolderRules;
  readonly #onChange: (change: FolderChange) => void;
  /** By path below the root; with one watch for all, only `""`. */
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #stop = new AbortController();
  #rootIdentity: string | undefined;
  #problem: string | undefined;
  #changed: Set<string> | "everything" = new Set();
  #quiet: Timer | undefined;
  #burst: Timer | undefined;
  #rootCheck: Timer | undefined;
  /** What is being done about changes, one after the other. */
  #work: Promise<void> = Promise.resolve();

  constructor(
    { clock, watchPath = watch, platform = process.platform, mostFolders = MOST_FOLDERS }: WatchContext,
    { root, rules }: { root: string; rules: FolderRules },
    onChange: (change: FolderChange) => void,
  ) {
    this.#clock = clock;
    this.#watchPath = watchPath;
    this.#isWhole = platform === "darwin" || platform === "win32";
    this.#mostFolders = mostFolders;
    this.#root = root;
    this.#rules = rules;
    this.#onChange = onChange;
  }

  start(): void {
    this.#do(() => this.#watchAnew());
    this.#rootCheck = this.#clock.every(ROOT_CHECK_MS, () => this.#do(() => this.#checkRoot()));
  }

  problem(): string | undefined {
    return this.#problem;
  }

  close(): void {
    this.#stop.abort();
    for (const timer of [this.#quiet, this.#burst, this.#rootCheck]) timer?.cancel();
    this.#unwatch("");
  }

  #do(task: () => Promise<void>): void {
    this.#work = this.#work
      .then(async () => {
        if (!this.#stop.signal.aborted) await task();
      })
      .catch(() => undefined);
  }

  async #watchAnew(): Promise<void> {
    this.#unwatch("");
    this.#problem = undefined;
    this.#rootIdentity = await identify(this.#root);
    if (this.#rootIdentity !== undefined) await this.#watchBelow("");
  }

  async #checkRoot(): Promise<void> {
    if ((await identify(this.#root)) === this.#rootIdentity) return;
    await this.#watchAnew();
    this.#note(undefined);
  }

  async #watchBelow(path: string): Promise<void> {
    if (this.#isWhole) {
      if (path === "") this.#watchOne("");
      return;
    }
    const folders = walkFolders(this.#root, this.#rules, { below: path, signal: this.#stop.signal });
    try {
      for await (const folder of folders) if (!this.#watchers.has(folder) && !this.#watchOne(folder)) return;
    } catch {
      // Gone again, or not to be read: the next look at the root, or a rescan, sees it.
    }
  }

  /** Whether more can be watched. */
  #watchOne(path: string): boolean {
    if (this.#stop.signal.aborted) return false;
    if (this.#watchers.size >= this.#mostFolders) {
      const folders = `${this.#root} has more than ${this.#mostFolders} folders`;
      this.#problem = `${folders}: in the others changes are only found by the rescan`;
      return false;
    }
    try {
      const options = { recursive: this.#isWhole, persistent: false };
      const watcher = this.#watchPath(join(this.#root, path), options, (_event, name) => this.#hear(path, name));
      watcher.on("error", () => this.#unwatch(path));
      this.#watchers.set(path, watcher);
      return true;
    } catch (error) {
      return this.#explain(error as NodeJS.ErrnoException);
    }
  }

  #explain({ code, message }: NodeJS.ErrnoException): boolean {
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES" || code === "EPERM") return true;
    const why =
      code === "ENOSPC" || code === "EMFILE"
        ? "the system allows no more watches (see fs.inotify.max_user_watches)"
        : message;
    const watched = `Only ${this.#watchers.size} folders of ${this.#root} are watched`;
    this.#problem = `${watched}: ${why}; elsewhere changes are only found by the rescan`;
    return false;
  }

  /** Stops watching a folder and what is in it. */
  #unwatch(path: string): void {
    for (const [watched, watcher] of this.#watchers) {
      if (path !== "" && watched !== path && !watched.startsWith(`${path}/`)) continue;
      this.#watchers.delete(watched);
      watcher.close();
    }
  }

  #hear(folder: string, name: string | null): void {
    if (name === null) return this.#note(undefined);
    const path = [folder, ...name.split(sep)].filter((part) => part !== "").join("/");
    // What an ignore file says is for all around it.
    const isRule = path === ".gitignore" || path.endsWith("/.gitignore");
    this.#note(isRule ? undefined : path);
  }

  /** `undefined`: anything may have changed. */
  #note(path: string | undefined): void {
    if (this.#stop.signal.aborted) return;
    if (path === undefined) this.#changed = "everything";
    else if (this.#changed !== "everything" && this.#changed.add(path).size > MOST_CHANGED_PATHS)
      this.#changed = "everything";
    this.#quiet?.cancel();
    this.#quiet = this.#clock.after(QUIET_MS, () => this.#tell());
    this.#burst ??= this.#clock.after(LONGEST_BURST_MS, () => this.#tell());
  }

  #tell(): void {
    this.#quiet?.cancel();
    this.#burst?.cancel();
    this.#quiet = this.#burst = undefined;
    const changed = this.#changed;
    this.#changed = new Set();
    this.#do(async () => {
      if (changed === "everything") await this.#watchAnew();
      else for (const path of changed) await this.#follow(path);
      if (!this.#stop.signal.aborted) this.#onChange(changed === "everything" ? changed : [...changed]);
    });
  }

  /** Watches what has become a folder, and no longer what was one. */
  async #follow(path: string): Promise<void> {
    if (this.#isWhole) return;
    const stats = await lstat(join(this.#root, path)).catch(() => undefined);
    const isFolder = stats?.isDirectory() === true;
    // Another folder may stand in the place of the one that was watched.
    if (!isFolder || this.#watchers.has(path)) this.#unwatch(path);
    if (isFolder) await this.#watchBelow(path);
  }
}

/** `undefined` when there is no folder. */
async function identify(root: string): Promise<string | undefined> {
  const stats = await lstat(root, { bigint: true }).catch(() => undefined);
  return stats?.isDirectory() ? `${stats.dev}:${stats.ino}` : undefined;
}
