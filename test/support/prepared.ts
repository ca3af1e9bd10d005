/** Documents for the corpus, as the knowledge plugin prepares them. */
import { chunkText } from "../../src/core/chunk.ts";
import { readChunkTable } from "../../src/plugins/rag/chunk-table.ts";
import type { NewDocument } from "../../src/plugins/rag/corpus-state.ts";
import type { ChunkFacts } from "../../src/plugins/rag/document.ts";
import { type Draft, prepareDocument } from "../../src/plugins/rag/prepare.ts";

export function preparedDocument(text: string, given: Partial<Draft> = {}): NewDocument {
  const draft: Draft = {
    collection: "notes",
    id: "a",
    kind: "markdown",
    title: undefined,
    tags: [],
    metadata: {},
    project: undefined,
    addedMs: 1000,
    expiresMs: undefined,
    file: undefined,
    hash: "00",
    ...given,
  };
  return prepareDocument(draft, text, "note.md");
}

/** The chunks of a text after their way through the table, each with its text as the chunker gave it. */
export function readChunks(text: string, path: string): (ChunkFacts & { readonly text: string })[] {
  const texts = chunkText(text, path).map((chunk) => chunk.text);
  const { table } = prepareDocument(preparedDocument(""), text, path);
  return readChunkTable(table).map((chunk, index) => ({ ...chunk, text: texts[index]! }));
}
