/**
 * A text and what is known of it -> a document that can be stored: without secrets, and cut into chunks that know their
 * places in bytes.
 *
 * Order: secrets are taken out before anything is kept.
 * Cost: linear in the text; gives way between the steps, and between the parts of a long text, each of which is cut by
 *   itself.
 */
import { chunkInSteps } from "../../core/chunk.ts";
import { writeChunkTable } from "./chunk-table.ts";
import type { NewDocument } from "./corpus-state.ts";
import type { ChunkFacts } from "./document.ts";
import { partsOf, wholeLinesOf } from "./long-text.ts";

export type Draft = Omit<NewDocument, "table" | "text" | "sizeBytes" | "lineCount" | "chunkCount">;

export interface PrepareServices {
  /** Takes out what looks like a secret. */
  redact(text: string): string;
  giveWay(): Promise<void>;
}

/** What is known of the parts so far. */
interface Prepared {
  readonly pieces: Buffer[];
  readonly chunks: ChunkFacts[];
  bytes: number;
  lineEnds: number;
}

/** In UTF-16 units: a few milliseconds of looking for secrets. */
const LONGEST_REDACTED = 131_072;

/** `path` tells by its ending how the text is cut. */
export async function prepareDocument(
  { redact, giveWay }: PrepareServices,
  draft: Draft,
  { text, path }: { readonly text: string; readonly path: string },
): Promise<NewDocument> {
  const prepared: Prepared = { pieces: [], chunks: [], bytes: 0, lineEnds: 0 };
  for (const part of partsOf(text)) {
    const redacted: string[] = [];
    for (const piece of wholeLinesOf(part, LONGEST_REDACTED)) {
      await giveWay();
      redacted.push(redact(piece));
    }
    await addPart(prepared, redacted.join(""), { path, giveWay });
  }
  const { pieces, chunks, bytes: sizeBytes, lineEnds } = prepared;
  const whole = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  return {
    ...draft,
    table: writeChunkTable(chunks),
    text: whole,
    sizeBytes,
    // A last line without an end counts; nothing is no line.
    lineCount: sizeBytes > 0 && whole.at(-1) !== LINE_FEED ? lineEnds + 1 : lineEnds,
    chunkCount: chunks.length,
  };
}

async function addPart(
  prepared: Prepared,
  text: string,
  { path, giveWay }: { readonly path: string; readonly giveWay: () => Promise<void> },
): Promise<void> {
  let [at, byte] = [0, prepared.bytes];
  const { lineEnds } = prepared;
  const steps = chunkInSteps(text, path);
  let step = steps.next();
  for (; !step.done; step = steps.next()) await giveWay();
  for (const { start, end, startLine, endLine, headings, symbol, text: piece } of step.value) {
    const startByte = byte + Buffer.byteLength(text.slice(at, start));
    const endByte = startByte + Buffer.byteLength(piece);
    [at, byte] = [end, endByte];
    const lines = { startLine: lineEnds + startLine, endLine: lineEnds + endLine };
    prepared.chunks.push({ startByte, endByte, ...lines, headings, symbol });
  }
  const bytes = Buffer.from(text);
  prepared.pieces.push(bytes);
  prepared.bytes += bytes.length;
  prepared.lineEnds += countLineEnds(bytes);
}

const LINE_FEED = 10;

function countLineEnds(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}
