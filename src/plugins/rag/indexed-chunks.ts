/** A document -> its chunks as the indexes take them. */
import type { Field } from "../../core/bm25.ts";
import { readChunkTable } from "./chunk-table.ts";
import type { KeptDocument } from "./corpus-state.ts";
import { fieldsOf } from "./fields.ts";

export interface IndexedChunk {
  readonly chunkId: number;
  readonly fields: Field[];
}

/** `text`: all of the document's. */
export function* indexedChunks(document: KeptDocument, text: Buffer): Generator<IndexedChunk> {
  let chunkId = document.firstChunkId;
  for (const chunk of readChunkTable(document.table)) {
    const piece = text.toString("utf8", chunk.startByte, chunk.endByte);
    yield { chunkId: chunkId++, fields: fieldsOf(document, chunk, piece) };
  }
}
