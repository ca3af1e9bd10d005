/** A document -> the texts by which a model knows its chunks: what names the chunk, then the chunk. */
import type { KeptDocument } from "./corpus-state.ts";
import type { EmbeddableDocument } from "./embedding-fill.ts";
import { indexedChunks } from "./indexed-chunks.ts";

/** `readText`: `undefined` for a text that has gone, or that is damaged. */
export function embeddableOf(
  document: KeptDocument,
  readText: (document: KeptDocument) => Promise<Buffer | undefined>,
): EmbeddableDocument {
  const { firstChunkId, chunkCount } = document;
  return {
    firstChunkId,
    chunkCount,
    async texts() {
      const text = await readText(document);
      return text === undefined ? [] : textsOf(document, text);
    },
  };
}

function* textsOf(document: KeptDocument, text: Buffer): Generator<string> {
  for (const { fields } of indexedChunks(document, text)) {
    yield fields
      .map((field) => field.text)
      .filter((part) => part !== "")
      .join("\n");
  }
}
