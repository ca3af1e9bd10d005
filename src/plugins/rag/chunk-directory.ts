/**
 * Chunk ids -> the documents that they are pieces of.
 *
 * Order: documents come with ever larger ids, since these are never given twice.
 * Cost: two words a document; looking up is a binary search. Places of those that went are closed up when they are
 *   half of all.
 */
import type { KeptDocument } from "./corpus-state.ts";

const FEWEST_GONE = 1000;

export class ChunkDirectory {
  #documents: (KeptDocument | undefined)[] = [];
  /** The first chunk id of each, also of those that went. */
  #firsts: number[] = [];
  #gone = 0;

  /** Later than all others. */
  add(document: KeptDocument): void {
    if (document.chunkCount === 0) return;
    this.#documents.push(document);
    this.#firsts.push(document.firstChunkId);
  }

  remove(document: KeptDocument): void {
    if (document.chunkCount === 0) return;
    const index = this.#indexOf(document.firstChunkId);
    if (this.#documents[index] !== document) return;
    this.#documents[index] = undefined;
    if (++this.#gone > Math.max(FEWEST_GONE, this.#documents.length / 2)) this.#closeUp();
  }

  /** Puts another value in the place of a document with the same chunks. */
  replace(document: KeptDocument, by: KeptDocument): void {
    const index = this.#indexOf(document.firstChunkId);
    if (this.#documents[index] === document) this.#documents[index] = by;
  }

  find(chunkId: number): KeptDocument | undefined {
    const document = this.#documents[this.#indexOf(chunkId)];
    if (document === undefined || chunkId >= document.firstChunkId + document.chunkCount) return undefined;
    return document;
  }

  clear(): void {
    this.#documents = [];
    this.#firsts = [];
    this.#gone = 0;
  }

  /** Of the last one that begins at or before the id; -1 when none does. */
  #indexOf(chunkId: number): number {
    let low = 0;
    let high = this.#firsts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#firsts[middle]! <= chunkId) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #closeUp(): void {
    this.#documents = this.#documents.filter((document) => document !== undefined);
    this.#firsts = this.#documents.map((document) => document!.firstChunkId);
    this.#gone = 0;
  }
}
