/**
 * A text and what is known of it -> a document that can be stored: cut into chunks that know their places in bytes.
 *
 * Cost: linear in the text.
 */
import { chunkText } from "../../core/chunk.ts";
import { writeChunkTable } from "./chunk-table.ts";
import type { NewDocument } from "./corpus-state.ts";
import type { ChunkFacts } from "./document.ts";

export type Draft = Omit<NewDocument, "table" | "text" | "sizeBytes" | "lineCount" | "chunkCount">;

/** `path` tells by its ending how the text is cut. */
export function prepareDocument(draft: Draft, text: string, path: string): NewDocument {
  const bytes = Buffer.from(text);
  const chunks = placeChunks(text, path);
  return {
    ...draft,
    table: writeChunkTable(chunks),
    text: bytes,
    sizeBytes: bytes.length,
    lineCount: countLines(bytes),
    chunkCount: chunks.length,
  };
}

function placeChunks(text: string, path: string): ChunkFacts[] {
  let [at, byte] = [0, 0];
  return chunkText(text, path).map(({ start, end, startLine, endLine, headings, symbol, text: piece }) => {
    const startByte = byte + Buffer.byteLength(text.slice(at, start));
    const endByte = startByte + Buffer.byteLength(piece);
    [at, byte] = [end, endByte];
    return { startByte, endByte, startLine, endLine, headings, symbol };
  });
}

const LINE_FEED = 10;

/** A last line without an end counts; nothing is no line. */
function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) count++;
  return bytes.length > 0 && bytes.at(-1) !== LINE_FEED ? count + 1 : count;
}
