/** Documents -> their chunks, kept for those that were asked for last. */
import { readChunkTable } from "./chunk-table.ts";
import type { KeptDocument } from "./corpus-state.ts";
import type { ChunkFacts, PlacedChunk } from "./document.ts";

/** In all tables that are kept; a table that is larger alone is kept alone. */
const MOST_CHUNKS = 20_000;

export class ChunkTables {
  /** By the first chunk id, which tells the version; what was asked for last stands last. */
  readonly #tables = new Map<number, readonly ChunkFacts[]>();
  #chunkCount = 0;

  factsOf(document: KeptDocument): readonly ChunkFacts[] {
    const key = document.firstChunkId;
    const known = this.#tables.get(key);
    const facts = known ?? readChunkTable(document.table);
    this.#tables.delete(key);
    this.#tables.set(key, facts);
    if (known === undefined) this.#chunkCount += facts.length;
    for (const [oldest, table] of this.#tables) {
      if (this.#chunkCount <= MOST_CHUNKS || oldest === key) break;
      this.#tables.delete(oldest);
      this.#chunkCount -= table.length;
    }
    return facts;
  }

  chunksOf(document: KeptDocument): PlacedChunk[] {
    return this.factsOf(document).map((facts, index) => ({
      ...facts,
      chunkId: document.firstChunkId + index,
      document,
    }));
  }

  chunk(document: KeptDocument, chunkId: number): PlacedChunk | undefined {
    const facts = this.factsOf(document)[chunkId - document.firstChunkId];
    return facts && { ...facts, chunkId, document };
  }

  clear(): void {
    this.#tables.clear();
    this.#chunkCount = 0;
  }
}
