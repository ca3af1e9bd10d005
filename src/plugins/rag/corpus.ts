/**
 * The corpus behind its store: looks documents up, and writes changes that keep it within its limits.
 *
 * Errors: {@link CorpusFullError} and {@link TextTooLargeError} for what does not fit, those of the store for a disk
 *   that refuses.
 */
import { LARGEST_ID } from "../../core/id-set.ts";
import type { Store } from "../../system/store.ts";
import type { CollectionRecord, CorpusEvent, CorpusState, KeptDocument, NewDocument } from "./corpus-state.ts";

export interface CorpusLimits {
  readonly maxDocuments: number;
  readonly maxChunks: number;
}

/** There is no room for another document; says which limit. */
export class CorpusFullError extends Error {}

/** The document is larger than the store takes in one piece. */
export class TextTooLargeError extends Error {}

export type CorpusStore = Store<CorpusState, CorpusEvent>;

export class Corpus {
  readonly #store: CorpusStore;
  readonly #limits: () => CorpusLimits;
  /** On their way to the store. */
  #pendingDocuments = 0;
  #pendingChunks = 0;

  constructor(store: CorpusStore, limits: () => CorpusLimits) {
    this.#store = store;
    this.#limits = limits;
  }

  get state(): CorpusState {
    return this.#store.state;
  }

  collection(name: string): CollectionRecord | undefined {
    return this.state.collections.get(name);
  }

  find(collection: string, id: string): KeptDocument | undefined {
    return this.collection(collection)?.documents.get(id);
  }

  /** The document as it is by now, where it is the same version still. */
  current(document: { collection: string; id: string; firstChunkId: number }): KeptDocument | undefined {
    const found = this.find(document.collection, document.id);
    return found?.firstChunkId === document.firstChunkId ? found : undefined;
  }

  /** Puts a document in the place of the one of its id; resolves when that is durable. */
  async put(document: NewDocument): Promise<void> {
    this.#requireRoom(document);
    this.#pendingDocuments++;
    this.#pendingChunks += document.chunkCount;
    try {
      await this.#store.commit({ kind: "put", document });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const message = `the document is too large to be stored (${error.message}; see storage.maxJournalBytes)`;
      throw new TextTooLargeError(message, { cause: error });
    } finally {
      this.#pendingDocuments--;
      this.#pendingChunks -= document.chunkCount;
    }
  }

  commit(event: Exclude<CorpusEvent, { kind: "put" }>): Promise<void> {
    return this.#store.commit(event);
  }

  /** Writes a snapshot; resolves when it is on the medium. */
  compact(): Promise<void> {
    return this.#store.compact();
  }

  #requireRoom({ collection, id, chunkCount }: NewDocument): void {
    const { maxDocuments, maxChunks } = this.#limits();
    const before = this.find(collection, id);
    const documents = this.state.documentCount + this.#pendingDocuments + (before === undefined ? 1 : 0);
    const chunks = this.state.chunkCount + this.#pendingChunks + chunkCount - (before?.chunkCount ?? 0);
    if (before === undefined && documents > maxDocuments) {
      throw new CorpusFullError(`there are ${maxDocuments} documents already, as many as rag.maxDocuments allows`);
    }
    if (chunks > maxChunks) {
      throw new CorpusFullError(`there would be ${chunks} chunks, more than rag.maxChunks (${maxChunks}) allows`);
    }
    if (this.state.nextChunkId + this.#pendingChunks + chunkCount >= LARGEST_ID) {
      throw new CorpusFullError("the numbers of chunks are used up; a restart of the daemon gives them anew");
    }
  }
}
