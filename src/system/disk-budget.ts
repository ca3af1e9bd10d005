/**
 * Keeps what the daemon has on disk below `storage.maxBytes`: looks now and then, removes what nobody needs any more, and tells when
 * that is not enough.
 *
 * Order: files set aside as damaged go first, then rotated logs; the oldest before the younger. State in use is never touched.
 */
import { readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock, Timer } from "./clock.ts";
import type { Log } from "./log.ts";

const LOOK_MS = 60_000;

export interface DiskBudget {
  /** What was wrong at the last look, in a sentence, or nothing. */
  problems(): readonly string[];
  /** Looks now. */
  look(): void;
  stop(): void;
}

export interface BudgetPlaces {
  readonly dataDir: string;
  /** The log in use, when it is a file; rotated ones stand beside it with a number after its name. */
  readonly logFile: string | undefined;
}

interface Found {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

export function watchDiskBudget(services: { clock: Clock; log: Log }, places: BudgetPlaces, maxBytes: () => number): DiskBudget {
  let problems: readonly string[] = [];

  function look(): void {
    const files = [...listFiles(places.dataDir), ...listLogs(places.logFile)];
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const file of spareFiles(files, places.logFile)) {
      if (total <= maxBytes()) break;
      rmSync(file.path, { force: true });
      total -= file.bytes;
      services.log.warn("removed a file to stay below storage.maxBytes", { path: file.path, bytes: file.bytes });
    }
    problems = total <= maxBytes() ? [] : [`${places.dataDir} holds ${total} bytes, more than storage.maxBytes (${maxBytes()}) allows`];
  }

  const timer: Timer = services.clock.every(LOOK_MS, look);
  return { problems: () => problems, look, stop: () => timer.cancel() };
}

/** What may be removed, in the order in which it should be. */
function spareFiles(files: readonly Found[], logFile: string | undefined): Found[] {
  const oldestFirst = [...files].sort((a, b) => a.modifiedMs - b.modifiedMs);
  const damaged = oldestFirst.filter(({ path }) => /\.corrupt-[^/]*$/.test(path));
  const logs = oldestFirst.filter(({ path }) => logFile !== undefined && path.startsWith(`${logFile}.`));
  return [...damaged, ...logs];
}

function listFiles(directory: string): Found[] {
  const entries = ignoreMissing(() => readdirSync(directory, { withFileTypes: true, recursive: true })) ?? [];
  return entries.filter((entry) => entry.isFile()).flatMap((entry) => measure(join(entry.parentPath, entry.name)));
}

function listLogs(logFile: string | undefined): Found[] {
  if (logFile === undefined) return [];
  const directory = dirname(logFile);
  const names = ignoreMissing(() => readdirSync(directory)) ?? [];
  return names.map((name) => join(directory, name)).filter((path) => path.startsWith(logFile)).flatMap(measure);
}

function measure(path: string): Found[] {
  const stats = ignoreMissing(() => statSync(path));
  return stats === undefined ? [] : [{ path, bytes: stats.size, modifiedMs: stats.mtimeMs }];
}

/** Files come and go while one looks. */
function ignoreMissing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
