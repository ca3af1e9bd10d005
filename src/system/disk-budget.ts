/**
 * Keeps what the daemon has on disk below `storage.maxBytes`: looks now and then, removes what nobody needs any more,
 * and tells when that is not enough.
 *
 * Order: files set aside as damaged go first, then rotated logs, then indexes kept for the next start, which can
 *   be made again, then what jobs have printed; the oldest before the younger. State in use is never touched.
 */
import { type Dirent, readdirSync, rmSync, statSync } from "node:fs";
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

export function watchDiskBudget(
  services: { clock: Clock; log: Log },
  places: BudgetPlaces,
  maxBytes: () => number,
): DiskBudget {
  let problems: readonly string[] = [];

  function look(): void {
    const found = [...listFiles(places.dataDir), ...listLogs(places.logFile)];
    // The log may stand in the data directory.
    const files = [...new Map(found.map((file) => [file.path, file])).values()];
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const file of spareFiles(files, places.logFile)) {
      if (total <= maxBytes()) break;
      if (!remove(file.path)) continue;
      total -= file.bytes;
      services.log.warn("removed a file to stay below storage.maxBytes", { path: file.path, bytes: file.bytes });
    }
    problems =
      total <= maxBytes()
        ? []
        : [`${places.dataDir} holds ${total} bytes, more than storage.maxBytes (${maxBytes()}) allows`];
  }

  const timer: Timer = services.clock.every(LOOK_MS, look);
  return { problems: () => problems, look, stop: () => timer.cancel() };
}

/** What may be removed, in the order in which it should be. */
function spareFiles(files: readonly Found[], logFile: string | undefined): Found[] {
  const oldestFirst = [...files].sort((a, b) => a.modifiedMs - b.modifiedMs);
  const damaged = oldestFirst.filter(({ path }) => /\.corrupt-[^/]*$/.test(path));
  const logs = oldestFirst.filter(({ path }) => logFile !== undefined && isRotatedLog(path, logFile));
  const indexes = oldestFirst.filter(({ path }) => path.includes("/rag/index/"));
  const output = oldestFirst.filter(({ path }) => path.includes("/jobs/files/output/"));
  return [...damaged, ...logs, ...indexes, ...output];
}

function remove(path: string): boolean {
  const isGone = attempt(() => {
    rmSync(path, { force: true });
    return true;
  });
  return isGone ?? false;
}

function listFiles(directory: string): Found[] {
  return listFolder(directory).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? listFiles(path) : entry.isFile() ? measure(path) : [];
  });
}

function listLogs(logFile: string | undefined): Found[] {
  if (logFile === undefined) return [];
  const paths = listFolder(dirname(logFile)).map(({ name }) => join(dirname(logFile), name));
  return paths.filter((path) => path === logFile || isRotatedLog(path, logFile)).flatMap(measure);
}

function isRotatedLog(path: string, logFile: string): boolean {
  return path.startsWith(`${logFile}.`) && /^\d+$/.test(path.slice(logFile.length + 1));
}

function listFolder(path: string): Dirent[] {
  return attempt(() => readdirSync(path, { withFileTypes: true })) ?? [];
}

function measure(path: string): Found[] {
  const stats = attempt(() => statSync(path));
  return stats === undefined ? [] : [{ path, bytes: stats.size, modifiedMs: stats.mtimeMs }];
}

/**
 * `undefined` for what cannot be done: files come and go while one looks, and what we may not read (`lost+found`) is
 * not ours.
 */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
