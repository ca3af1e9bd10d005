/**
 * Collections of files -> looks at their folders: at the start, when word of changes comes, now and then, on demand.
 *
 * Order: one collection after the other, each once with all that was asked of it meanwhile.
 * Errors: sentences for `problems`; whoever waits for a look is told by its report.
 */
import type { Clock, Timer } from "../../system/clock.ts";
import type { FoundFolder } from "../../system/find-folder.ts";
import type { OpenFolder } from "../../system/folder.ts";
import type { FolderWatch } from "../../system/folder-watch.ts";
import type { Log } from "../../system/log.ts";
import { type CollectionDefinition, maxFileBytesOf } from "./collection.ts";
import { type CollectionRecord, NOTHING_SKIPPED, type ScanRecord } from "./corpus-state.ts";
import { type Rejected, scanFolder, type ScanReport, type ScanServices } from "./folder-scan.ts";
import type { CollectionActivity, CollectionDefaults } from "./views.ts";

export interface IndexerServices extends ScanServices {
  readonly clock: Clock;
  readonly log: Log;
  readonly openFolder: OpenFolder;
  findRoot(definition: CollectionDefinition): Promise<FoundFolder | string>;
  defaults(): CollectionDefaults;
  /** Changes when texts are made of files in another way. */
  fingerprint(): string;
  onScanned(collection: string, report: ScanReport): void;
}

export type ReindexReport = Omit<ScanReport, "again"> & { readonly collection: string; readonly tookMs: number };

/** What is to be done about a collection. */
interface Wish {
  paths: Set<string> | "everything";
  isFull: boolean;
  readonly done: PromiseWithResolvers<ReindexReport>;
}

/** What is known of a collection of files beside what is stored. */
interface Source {
  /** As it was when this began; another one makes a new source. */
  readonly definition: CollectionDefinition;
  /** What the watch and the timer were made of. */
  readonly settings: string;
  readonly rejected: Rejected;
  readonly stop: AbortController;
  watch: FolderWatch | undefined;
  readonly timer: Timer;
  retry: Timer | undefined;
  problems: readonly string[];
  progress: { done: number; total: number } | null;
}

const EMPTY_REPORT = {
  added: 0,
  changed: 0,
  removed: 0,
  unchanged: 0,
  skipped: NOTHING_SKIPPED,
  problems: [],
} satisfies Omit<ScanReport, "again">;
const NOTHING_DONE: ScanReport = { ...EMPTY_REPORT, again: [] };
const MOST_PATHS = 1000;
/** A file that changed while it was read is read again after this. */
const AGAIN_MS = 2_000;
/** A folder that could not be looked at, or stored, is looked at again after this. */
const RETRY_MS = 60_000;

export class Indexer {
  readonly #services: IndexerServices;
  readonly #sources = new Map<string, Source>();
  readonly #wishes = new Map<string, Wish>();
  #current: string | undefined;
  #working: Promise<void> | undefined;
  #isStopped = false;

  constructor(services: IndexerServices) {
    this.#services = services;
  }

  get isBusy(): boolean {
    return this.#working !== undefined;
  }

  /** Takes over the collections as they are by now: begins, ends and changes what is done about them. */
  follow(): void {
    if (this.#isStopped) return;
    const { collections } = this.#services.corpus.state;
    for (const [name, { definition, settings }] of this.#sources) {
      const record = collections.get(name);
      if (record?.definition === definition && this.#settingsOf(definition) === settings) continue;
      this.#end(name);
    }
    for (const [name, { definition }] of collections) {
      if (definition.kind === "notes" || this.#sources.has(name)) continue;
      this.#begin(definition);
      this.#wish(name, "everything");
    }
  }

  /** Resolves with what was found and done; a collection of notes has nothing to look at. */
  async reindex(collection: string, { isFull }: { readonly isFull: boolean }): Promise<ReindexReport> {
    if (!this.#sources.has(collection)) return { ...EMPTY_REPORT, collection, tookMs: 0 };
    const wish = this.#wish(collection, "everything");
    wish.isFull ||= isFull;
    return wish.done.promise;
  }

  /** What is stored of a file is damaged: it is read anew. Nothing can be done about a note. */
  restore(collection: string, path: string): void {
    const { corpus, log } = this.#services;
    if (!this.#sources.has(collection)) return;
    const reread = corpus
      .commit({ kind: "drop", collection, ids: [path] })
      .then(() => void this.#wish(collection, [path]));
    reread.catch((error: Error) => log.error("a damaged document could not be dropped", { error: error.message }));
  }

  activityOf(collection: string): CollectionActivity {
    const source = this.#sources.get(collection);
    const isCurrent = this.#current === collection;
    const unwatched = source?.watch?.problem();
    return {
      state: isCurrent ? "indexing" : this.#wishes.has(collection) ? "waiting" : "idle",
      progress: isCurrent ? (source?.progress ?? null) : null,
      problems: [...(source?.problems ?? []), ...(unwatched === undefined ? [] : [unwatched])],
    };
  }

  /** Resolves when nothing more is to be done. */
  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const name of [...this.#sources.keys()]) this.#end(name);
    await this.settled();
  }

  #begin(definition: CollectionDefinition): void {
    const { clock, defaults } = this.#services;
    const { name } = definition;
    this.#sources.set(name, {
      definition,
      settings: this.#settingsOf(definition),
      rejected: new Map(),
      stop: new AbortController(),
      watch: undefined,
      retry: undefined,
      timer: clock.every(definition.everyMs ?? defaults().rescanMs, () => this.#wish(name, "everything")),
      problems: [],
      progress: null,
    });
  }

  #end(name: string): void {
    const source = this.#sources.get(name)!;
    this.#sources.delete(name);
    source.stop.abort();
    source.timer.cancel();
    source.retry?.cancel();
    source.watch?.close();
    const wish = this.#wishes.get(name);
    this.#wishes.delete(name);
    wish?.done.resolve({
      ...EMPTY_REPORT,
      collection: name,
      tookMs: 0,
      problems: ["it was removed or changed meanwhile"],
    });
  }

  #settingsOf(definition: CollectionDefinition): string {
    const { watch, rescanMs, maxFileBytes, exclude } = this.#services.defaults();
    return JSON.stringify([
      exclude,
      definition.watch ?? watch,
      definition.everyMs ?? rescanMs,
      maxFileBytesOf(definition, maxFileBytes),
    ]);
  }

  #wish(name: string, paths: readonly string[] | "everything"): Wish {
    let wish = this.#wishes.get(name);
    if (wish === undefined) {
      wish = { paths: new Set(), isFull: false, done: Promise.withResolvers() };
      this.#wishes.set(name, wish);
    }
    if (paths === "everything" || wish.paths === "everything") wish.paths = "everything";
    else for (const path of paths) wish.paths.add(path);
    if (wish.paths !== "everything" && wish.paths.size > MOST_PATHS) wish.paths = "everything";
    this.#work();
    return wish;
  }

  #work(): void {
    if (this.#working !== undefined || this.#isStopped) return;
    this.#working = this.#takeWishes().finally(() => {
      this.#working = undefined;
      if (this.#wishes.size > 0) this.#work();
    });
  }

  async #takeWishes(): Promise<void> {
    // What was asked for in the same turn is done at once.
    await Promise.resolve();
    for (const [name, wish] of this.#wishes) {
      this.#wishes.delete(name);
      this.#current = name;
      const report = await this.#scan(name, wish).catch((error: Error): ScanReport => {
        this.#services.log.error("a collection could not be indexed", { collection: name, error: error.message });
        return { ...EMPTY_REPORT, problems: [error.message], again: [] };
      });
      this.#current = undefined;
      const { again: _again, ...told } = report;
      wish.done.resolve({ tookMs: 0, ...told, collection: name });
    }
  }

  async #scan(name: string, { paths, isFull }: Wish): Promise<ScanReport & { tookMs?: number }> {
    const { corpus, clock, openFolder, defaults } = this.#services;
    const source = this.#sources.get(name);
    const record = corpus.collection(name);
    if (source === undefined || record === undefined) return NOTHING_DONE;
    const sinceMs = clock.monotonicMs();
    const fingerprint = this.#services.fingerprint();
    const isOther = record.scan !== undefined && record.scan.fingerprint !== fingerprint;
    source.progress = null;
    const found = await this.#services.findRoot(record.definition);
    if (source.stop.signal.aborted) return NOTHING_DONE;
    if (typeof found === "string") return this.#fail(source, record, found);
    const maxFileBytes = maxFileBytesOf(record.definition, defaults().maxFileBytes);
    const folder = openFolder(found.path, rulesOf(record.definition, { maxFileBytes, exclude: defaults().exclude }));
    this.#watch(source, folder);
    const report = await scanFolder(this.#services, {
      record,
      folder,
      identity: found.identity,
      maxFileBytes,
      paths: paths === "everything" || isOther ? "everything" : [...paths],
      isFull: isFull || isOther,
      rejected: source.rejected,
      signal: source.stop.signal,
      onProgress: (done, total) => (source.progress = { done, total }),
    });
    if (source.stop.signal.aborted) return report;
    await this.#note(source, report, { identity: found.identity, fingerprint });
    return { ...report, tookMs: Math.round(clock.monotonicMs() - sinceMs) };
  }

  /** Watches from the first look on, so that what changes after it is told of. */
  #watch(source: Source, folder: ReturnType<OpenFolder>): void {
    const { name, watch } = source.definition;
    if (source.watch !== undefined || !(watch ?? this.#services.defaults().watch)) return;
    source.watch = folder.watch((change) => this.#wish(name, change));
  }

  #fail(source: Source, { documents }: CollectionRecord, problem: string): ScanReport {
    const kept = documents.size === 0 ? "" : `; the ${documents.size} documents of it are kept`;
    const report = { ...NOTHING_DONE, problems: [problem + kept] };
    this.#tell(source, report);
    return report;
  }

  async #note(source: Source, report: ScanReport, of: Pick<ScanRecord, "identity" | "fingerprint">): Promise<void> {
    const { corpus, clock } = this.#services;
    const { name } = source.definition;
    this.#tell(source, report);
    if (report.again.length > 0) clock.after(AGAIN_MS, () => this.#sources.has(name) && this.#wish(name, report.again));
    if (report.problems.length > 0) return;
    const scan = { ...of, atMs: clock.wallMs(), skipped: report.skipped };
    await corpus.commit({ kind: "scan", collection: name, scan });
  }

  #tell(source: Source, report: ScanReport): void {
    const { name } = source.definition;
    for (const problem of report.problems) {
      if (!source.problems.includes(problem))
        this.#services.log.warn("a collection is not indexed whole", { collection: name, problem });
    }
    source.problems = report.problems;
    source.retry?.cancel();
    if (report.problems.length > 0) {
      source.retry = this.#services.clock.after(RETRY_MS, () => void this.#wish(name, "everything"));
    }
    this.#services.onScanned(name, report);
  }
}

function rulesOf(
  { kind, include, exclude, gitignore }: CollectionDefinition,
  defaults: Pick<CollectionDefaults, "maxFileBytes" | "exclude">,
): Parameters<OpenFolder>[1] {
  const isSessions = kind === "sessions";
  return {
    include: isSessions && include.length === 0 ? ["*.jsonl"] : include,
    exclude: isSessions ? exclude : [...defaults.exclude, ...exclude],
    gitignore: gitignore && !isSessions,
    withHidden: false,
    maxFileBytes: defaults.maxFileBytes,
  };
}
