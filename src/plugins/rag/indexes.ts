/**
 * The corpus -> the indexes that searches ask: words, spellings, subjects; kept in step with every change.
 *
 * Order: changes are taken in the order in which they were applied; a document that was replaced leaves before its
 *   successor comes. Whatever state the indexes are in, the changes that are still to be taken bring them to the
 *   corpus.
 * Cost: work is done in slices. Vectors depend on what their encoder had learned: they are made anew in the background
 *   when the corpus has changed by more than a third, and the old ones serve meanwhile.
 */
import { LexicalIndex } from "../../core/bm25.ts";
import { HashedEncoder } from "../../core/hashed-vectors.ts";
import type { Log } from "../../system/log.ts";
import type { Corpus } from "./corpus.ts";
import type { KeptDocument } from "./corpus-state.ts";
import { type IndexedChunk, indexedChunks } from "./indexed-chunks.ts";
import type { Pace } from "./pace.ts";
import { addToLeg, hashedLeg, type HashedVectors, type LatentVectors, type VectorLeg } from "./vector-leg.ts";

export interface IndexesServices {
  readonly log: Log;
  readonly corpus: Corpus;
  readonly pace: Pace;
  /** `undefined` for a text that has gone, or that is damaged. */
  readText(document: KeptDocument): Promise<Buffer | undefined>;
}

/** A version of a document, by its chunk ids. */
export interface ChunkRange {
  readonly firstChunkId: number;
  readonly chunkCount: number;
}

/** A leg takes so many chunks, whatever little it learned from. */
const MOST_UNLEARNED = 1000;

type Change = { readonly add: KeptDocument } | { readonly remove: ChunkRange };

/** What a vector leg was made of, and what has come and gone since. */
export interface LegAge {
  readonly learned: number;
  added: number;
  removed: number;
}

/** Indexes that were kept, and whose chunks are in them. */
export interface IndexContents {
  readonly lexical: LexicalIndex;
  readonly hashed: HashedVectors;
  readonly latent: LatentVectors | undefined;
  readonly ages: Readonly<Record<VectorLeg["kind"], LegAge>>;
  /** First chunk ids and counts, in turn. */
  readonly indexed: readonly number[];
  /** The same, of what is in them in part. */
  readonly partial: readonly number[];
}

export class Indexes {
  readonly #services: IndexesServices;
  #lexical = new LexicalIndex();
  #hashed = hashedLeg(new HashedEncoder());
  #latent: LatentVectors | undefined;
  /** Being filled, to take the place of one of these. */
  #upcoming: VectorLeg | undefined;
  ages: Record<VectorLeg["kind"], LegAge> = {
    hashed: { learned: 0, added: 0, removed: 0 },
    latent: { learned: 0, added: 0, removed: 0 },
  };
  /** Since the start. */
  changedChunks = 0;
  /** What is in the indexes: how many chunks follow a first chunk id. */
  readonly #indexed = new Map<number, number>();
  /** In them in part: what is being added or removed. */
  #changing: ChunkRange | undefined;
  #changes: Change[] = [];
  #working: Promise<void> | undefined;
  #isStopped = false;

  constructor(services: IndexesServices) {
    this.#services = services;
  }

  get lexical(): LexicalIndex {
    return this.#lexical;
  }

  get hashed(): HashedVectors {
    return this.#hashed;
  }

  get latent(): LatentVectors | undefined {
    return this.#latent;
  }

  /** Changes that searches do not see yet. */
  get waiting(): number {
    return this.#changes.length;
  }

  get chunkCount(): number {
    return this.#lexical.size;
  }

  /** Of memory: words and vectors. */
  get sizeBytes(): number {
    return this.#lexical.sizeBytes + this.#hashed.index.sizeBytes + (this.#latent?.index.sizeBytes ?? 0);
  }

  has({ firstChunkId }: { readonly firstChunkId: number }): boolean {
    return this.#indexed.has(firstChunkId);
  }

  /** What is in the indexes, as {@link IndexContents} has it. */
  held(): Pick<IndexContents, "indexed" | "partial"> {
    const changing = this.#changing;
    const whole = [...this.#indexed].filter(([firstChunkId]) => firstChunkId !== changing?.firstChunkId);
    const partial = changing === undefined ? [] : [changing.firstChunkId, changing.chunkCount];
    return { indexed: whole.flat(), partial };
  }

  /** Takes up what was kept, if anything was; before any change is told of. */
  takeUp(contents: IndexContents | undefined): void {
    if (contents === undefined) return;
    const { lexical, hashed, latent, ages, indexed, partial } = contents;
    this.#lexical = lexical;
    this.#hashed = hashed;
    this.#latent = latent;
    this.ages = structuredClone(ages);
    for (const list of [indexed, partial]) {
      for (let at = 0; at < list.length; at += 2) this.#indexed.set(list[at]!, list[at + 1]!);
    }
    for (let at = 0; at < partial.length; at += 2) {
      this.#changes.push({ remove: { firstChunkId: partial[at]!, chunkCount: partial[at + 1]! } });
    }
  }

  /** To be told of every change of the corpus, in order. */
  readonly note = (now: KeptDocument | undefined, before: KeptDocument | undefined): void => {
    if (before !== undefined) this.#changes.push({ remove: rangeOf(before) });
    if (now !== undefined) this.#changes.push({ add: now });
    this.#work();
  };

  /** Brings the indexes to the corpus, whatever is in them. */
  async catchUp(): Promise<void> {
    const { corpus } = this.#services;
    for (const [firstChunkId, chunkCount] of this.#indexed) {
      if (corpus.state.directory.find(firstChunkId)?.firstChunkId === firstChunkId) continue;
      this.#changes.push({ remove: { firstChunkId, chunkCount } });
    }
    const leaving = new Set(
      this.#changes.flatMap((change) => ("remove" in change ? [change.remove.firstChunkId] : [])),
    );
    for (const { documents } of corpus.state.collections.values()) {
      for (const document of documents.values()) {
        if (!this.has(document) || leaving.has(document.firstChunkId)) this.#changes.push({ add: document });
      }
    }
    this.#work();
    await this.settled();
  }

  /** Resolves when all changes up to now can be found. */
  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  /** Fills `leg` with all that there is, document by document in the order of `documents`, then takes it into use. */
  async install(leg: VectorLeg, documents: Iterable<KeptDocument>): Promise<void> {
    const learned = this.chunkCount;
    this.#upcoming = leg;
    for (const document of documents) {
      await this.#fill(leg, document);
      if (this.#isStopped) return;
    }
    this.#upcoming = undefined;
    this.ages[leg.kind] = { learned, added: 0, removed: 0 };
    if (leg.kind === "hashed") this.#hashed = leg;
    else this.#latent = leg;
    this.changedChunks += leg.index.size;
  }

  stop(): void {
    this.#isStopped = true;
    this.#changes = [];
  }

  async #fill(leg: VectorLeg, document: KeptDocument): Promise<void> {
    const { pace, readText } = this.#services;
    if (!this.has(document)) return;
    const text = await readText(document);
    if (text === undefined) return;
    for (const { chunkId, fields } of indexedChunks(document, text)) {
      await pace.giveWay();
      // It may have been removed meanwhile, as a whole or in part.
      if (this.#isStopped || !this.has(document)) return;
      addToLeg(leg, chunkId, fields);
    }
  }

  #work(): void {
    if (this.#working !== undefined || this.#changes.length === 0 || this.#isStopped) return;
    this.#working = this.#takeChanges().finally(() => (this.#working = undefined));
  }

  async #takeChanges(): Promise<void> {
    while (this.#changes.length > 0) {
      const changes = this.#changes;
      this.#changes = [];
      for (const change of changes) {
        if (this.#isStopped) return;
        await this.#services.pace.giveWay();
        try {
          await ("add" in change ? this.#add(change.add) : this.#remove(change.remove));
          // What is in part there is so still.
          if (this.#isStopped) return;
        } catch (error) {
          this.#services.log.error("a document could not be indexed", { error: (error as Error).message });
        }
        this.#changing = undefined;
      }
    }
  }

  async #add(document: KeptDocument): Promise<void> {
    const { corpus, readText } = this.#services;
    // By the time its turn comes it may have been replaced.
    if (corpus.current(document) === undefined || this.has(document)) return;
    const text = await readText(document);
    if (text === undefined) return;
    const { firstChunkId, chunkCount } = (this.#changing = rangeOf(document));
    // Before its chunks, so that a leg that begins to be filled meanwhile gets all of them.
    this.#indexed.set(firstChunkId, chunkCount);
    for (const chunk of indexedChunks(document, text)) {
      await this.#services.pace.giveWay();
      if (this.#isStopped) return;
      this.#addChunk(chunk);
    }
    this.changedChunks += chunkCount;
    for (const age of Object.values(this.ages)) age.added += chunkCount;
  }

  #addChunk({ chunkId, fields }: IndexedChunk): void {
    this.#lexical.add(chunkId, fields);
    for (const leg of this.#legs()) if (!this.isOutgrown(leg)) addToLeg(leg, chunkId, fields);
  }

  async #remove(range: ChunkRange): Promise<void> {
    const { firstChunkId, chunkCount } = range;
    if (!this.#indexed.delete(firstChunkId)) return;
    this.#changing = range;
    for (let chunkId = firstChunkId; chunkId < firstChunkId + chunkCount; chunkId++) {
      await this.#services.pace.giveWay();
      this.#lexical.remove(chunkId);
      for (const leg of this.#legs()) leg.index.remove(chunkId);
    }
    this.changedChunks += chunkCount;
    for (const age of Object.values(this.ages)) age.removed += chunkCount;
  }

  /** So much has come since it learned that it is to be made anew: what comes is not added one by one. */
  isOutgrown(leg: VectorLeg): boolean {
    const { learned, added } = this.ages[leg.kind];
    return leg !== this.#upcoming && added > Math.max(MOST_UNLEARNED, learned);
  }

  *#legs(): Generator<VectorLeg> {
    yield this.#hashed;
    if (this.#latent !== undefined) yield this.#latent;
    if (this.#upcoming !== undefined) yield this.#upcoming;
  }
}

function rangeOf({ firstChunkId, chunkCount }: KeptDocument): ChunkRange {
  return { firstChunkId, chunkCount };
}
