/**
 * A look at a folder -> what is stored of it is what the folder holds: files that changed are read, those that went are
 * dropped.
 *
 * Order: the whole folder is looked at before anything is stored; what went is dropped first, to make room.
 * Errors: answered in the report. Where the folder cannot be looked at, everything stays that is stored of it: a disk
 *   that is not mounted is no reason to forget. So it does where a folder is empty that was another one before.
 * Cost: a file is read when its size or time has changed; when its bytes have not, only that is noted.
 */
import { decodeText } from "../../core/decode-text.ts";
import type { Clock } from "../../system/clock.ts";
import type { Folder } from "../../system/folder.ts";
import type { FolderEntry } from "../../system/folder-walk.ts";
import type { CollectionDefinition } from "./collection.ts";
import { type Corpus, CorpusFullError, TextTooLargeError } from "./corpus.ts";
import type { CollectionRecord, KeptDocument, NewDocument, Skipped } from "./corpus-state.ts";
import type { FileVersion } from "./document.ts";
import type { ReadFile } from "./file-document.ts";
import { hashBytes } from "./content-hash.ts";
import type { Pace } from "./pace.ts";

export interface ScanServices {
  readonly clock: Clock;
  readonly corpus: Corpus;
  readonly pace: Pace;
  makeDocument(definition: CollectionDefinition, file: ReadFile): Promise<NewDocument>;
  /** Resolves when there is room for more in front of the indexes. */
  drained(): Promise<void>;
}

/** Files that were looked at and are no documents, until they change. */
export type Rejected = Map<
  string,
  { readonly version: Pick<FolderEntry, "sizeBytes" | "modifiedMs">; readonly reason: "binary" | "large" }
>;

export interface ScanTask {
  readonly record: CollectionRecord;
  readonly folder: Folder;
  /** Of the root; see `FoundFolder`. */
  readonly identity: string;
  readonly maxFileBytes: number;
  readonly paths: readonly string[] | "everything";
  /** Also what has not changed. */
  readonly isFull: boolean;
  readonly rejected: Rejected;
  readonly signal: AbortSignal;
  onProgress(done: number, total: number): void;
}

export interface ScanReport {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly unchanged: number;
  readonly skipped: Skipped;
  /** Why it is not all that it should be. */
  readonly problems: readonly string[];
  /** Paths to be looked at again soon: they changed while they were read. */
  readonly again: readonly string[];
}

/** Files being read or on their way to the store at a time, and their bytes. */
const MOST_IN_FLIGHT = 8;
const MOST_BYTES_IN_FLIGHT = 4 << 20;
const DROPPED_AT_ONCE = 200;

export async function scanFolder(services: ScanServices, task: ScanTask): Promise<ScanReport> {
  return new FolderScan(services, task).run();
}

class FolderScan {
  readonly #services: ScanServices;
  readonly #task: ScanTask;
  readonly #counts = { added: 0, changed: 0, removed: 0, unchanged: 0 };
  readonly #problems: string[] = [];
  readonly #again: string[] = [];
  readonly #skipped = { special: 0, large: 0, outside: 0, unreadable: 0 };

  constructor(services: ScanServices, task: ScanTask) {
    this.#services = services;
    this.#task = task;
  }

  async run(): Promise<ScanReport> {
    const { paths, signal } = this.#task;
    try {
      if (paths === "everything") await this.#take(await this.#look(undefined), "");
      else for (const path of paths) await this.#take(await this.#look(path), path);
    } catch (error) {
      if (!signal.aborted) this.#problems.push((error as Error).message);
    }
    return { ...this.#counts, skipped: this.#countSkipped(), problems: this.#problems, again: this.#again };
  }

  async #look(below: string | undefined): Promise<readonly FolderEntry[]> {
    const { folder, signal } = this.#task;
    const entries: FolderEntry[] = [];
    const walk = folder.walk({ signal, below });
    for await (const entry of walk) entries.push(entry);
    for (const reason of ["special", "large", "outside", "unreadable"] as const) {
      this.#skipped[reason] += walk.skipped[reason];
    }
    return entries;
  }

  /** `entries`: all that is there of a file or folder (`""`: of the root); documents of it without one have gone. */
  async #take(entries: readonly FolderEntry[], path: string): Promise<void> {
    const { record, rejected, paths, isFull, onProgress } = this.#task;
    if (paths === "everything") this.#refuseEmptied(entries);
    const there = new Set(entries.map((entry) => entry.path));
    const isGone = (id: string): boolean => !there.has(id);
    const gone = idsAt(record.documents, path).filter(isGone);
    for (const one of idsAt(rejected, path).filter(isGone)) rejected.delete(one);
    for (let at = 0; at < gone.length; at += DROPPED_AT_ONCE) await this.#drop(gone.slice(at, at + DROPPED_AT_ONCE));
    const changed = entries.filter((entry) => isFull || !this.#isKnown(entry));
    this.#counts.unchanged += entries.length - changed.length;
    let done = 0;
    await this.#each(changed, async (entry) => {
      await this.#index(entry);
      onProgress(++done, changed.length);
    });
  }

  #refuseEmptied(entries: readonly FolderEntry[]): void {
    const { record, identity, isFull } = this.#task;
    const { size } = record.documents;
    if (entries.length > 0 || size === 0 || isFull || record.scan?.identity === identity) return;
    throw new Error(
      `${record.definition.root} is empty, and not the folder that it was: the ${size} documents of it are kept ` +
        `(a disk may not be mounted; a full reindex forgets them)`,
    );
  }

  #isKnown({ path, sizeBytes, modifiedMs }: FolderEntry): boolean {
    const version = this.#task.record.documents.get(path)?.file ?? this.#task.rejected.get(path)?.version;
    return version?.sizeBytes === sizeBytes && version.modifiedMs === modifiedMs;
  }

  /** A few at a time; ends with the first error, once those under way are over. */
  async #each(entries: readonly FolderEntry[], run: (entry: FolderEntry) => Promise<void>): Promise<void> {
    const { signal } = this.#task;
    const { pace, drained } = this.#services;
    const inFlight = new Set<Promise<void>>();
    let bytes = 0;
    let failure: unknown;
    for (const entry of entries) {
      while (inFlight.size >= MOST_IN_FLIGHT || (inFlight.size > 0 && bytes + entry.sizeBytes > MOST_BYTES_IN_FLIGHT)) {
        await Promise.race(inFlight);
      }
      if (failure !== undefined || signal.aborted) break;
      await drained();
      await pace.giveWay();
      bytes += entry.sizeBytes;
      const one: Promise<void> = run(entry)
        .catch((error: unknown) => void (failure ??= error))
        .finally(() => {
          bytes -= entry.sizeBytes;
          inFlight.delete(one);
        });
      inFlight.add(one);
    }
    await Promise.all(inFlight);
    if (failure !== undefined) throw failure;
    signal.throwIfAborted();
  }

  async #index({ path, sizeBytes, modifiedMs }: FolderEntry): Promise<void> {
    const { folder, maxFileBytes, record, rejected, isFull, signal } = this.#task;
    const { definition } = record;
    const read = await folder.read(path, maxFileBytes);
    if (!read.ok) return this.#passOver(path, read.reason, { sizeBytes, modifiedMs });
    const version = { sizeBytes: read.sizeBytes, modifiedMs: read.modifiedMs };
    const text = decodeText(read.bytes);
    if (text === undefined) return this.#reject(path, "binary", version);
    const file: FileVersion = { ...version, hash: await hashBytes(read.bytes) };
    const known = record.documents.get(path);
    rejected.delete(path);
    if (!isFull && known?.hash === file.hash) {
      this.#counts.unchanged++;
      return this.#services.corpus.commit({ kind: "touch", collection: definition.name, id: path, file });
    }
    await this.#services.pace.giveWay();
    signal.throwIfAborted();
    await this.#put({ path, text, file }, known);
  }

  async #put(file: ReadFile, known: KeptDocument | undefined): Promise<void> {
    const { corpus, makeDocument } = this.#services;
    try {
      const document = await makeDocument(this.#task.record.definition, file);
      this.#task.signal.throwIfAborted();
      await corpus.put(document);
      this.#counts[known === undefined ? "added" : "changed"]++;
    } catch (error) {
      if (error instanceof CorpusFullError) throw new Error(`not all is indexed: ${error.message}`, { cause: error });
      if (!(error instanceof TextTooLargeError)) throw error;
      await this.#reject(file.path, "large", file.file);
    }
  }

  async #passOver(
    path: string,
    reason: "gone" | "outside" | "special" | "unreadable" | "large" | "changing",
    version: Pick<FolderEntry, "sizeBytes" | "modifiedMs">,
  ): Promise<void> {
    if (reason === "changing") this.#again.push(path);
    else if (reason === "large") await this.#reject(path, "large", version);
    else {
      if (reason !== "gone") this.#skipped[reason]++;
      // What cannot be read for now may be again; what is no file of this folder any more is none of its documents.
      if (reason !== "unreadable") await this.#drop([path]);
    }
  }

  async #reject(
    path: string,
    reason: "binary" | "large",
    version: Pick<FolderEntry, "sizeBytes" | "modifiedMs">,
  ): Promise<void> {
    this.#task.rejected.set(path, { version, reason });
    await this.#drop([path]);
  }

  async #drop(ids: readonly string[]): Promise<void> {
    const { documents, definition } = this.#task.record;
    const there = ids.filter((id) => documents.has(id));
    if (there.length === 0) return;
    await this.#services.corpus.commit({ kind: "drop", collection: definition.name, ids: there });
    this.#counts.removed += there.length;
  }

  /** Of the whole folder, as far as it is known: a look at a part does not see what was passed over elsewhere. */
  #countSkipped(): Skipped {
    const { rejected, record, paths } = this.#task;
    const count = (reason: string): number => [...rejected.values()].filter((one) => one.reason === reason).length;
    const before = paths === "everything" ? undefined : record.scan?.skipped;
    const { special, large, outside, unreadable } = before ?? {
      ...this.#skipped,
      large: this.#skipped.large + count("large"),
    };
    return { binary: count("binary"), large, unreadable, special, outside };
  }
}

/** The keys of a file, or of all that lies in a folder. */
function idsAt(known: ReadonlyMap<string, unknown>, path: string): string[] {
  if (known.has(path)) return [path];
  const start = path === "" ? "" : `${path}/`;
  return [...known.keys()].filter((id) => id.startsWith(start));
}
