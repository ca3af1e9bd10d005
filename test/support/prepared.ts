/** Documents for the corpus, as the knowledge plugin prepares them. */
import { chunkText } from "../../src/core/chunk.ts";
import { readChunkTable } from "../../src/plugins/rag/chunk-table.ts";
import type { NewDocument } from "../../src/plugins/rag/corpus-state.ts";
import type { ChunkFacts } from "../../src/plugins/rag/document.ts";
import { type Draft, prepareDocument } from "../../src/plugins/rag/prepare.ts";

const SERVICES = { redact: (text: string) => text, giveWay: async () => undefined };

export function preparedDocument(text: string, given: Partial<Draft> = {}): Promise<NewDocument> {
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
  return prepareDocument(SERVICES, draft, { text, path: "note.md" });
}

/** The chunks of a text after their way through the table, each with its text as the chunker gave it. */
export async function readChunks(text: string, path: string): Promise<(ChunkFacts & { readonly text: string })[]> {
  const texts = chunkText(text, path).map((chunk) => chunk.text);
  const { table } = await prepareDocument(SERVICES, await preparedDocument(""), { text, path });
  return readChunkTable(table).map((chunk, index) => ({ ...chunk, text: texts[index]! }));
}
