/** A chunk and its document -> the weighted texts that it is found by. */
import type { Field } from "../../core/bm25.ts";
import type { ChunkFacts, StoredDocument } from "./document.ts";

type Named = Pick<StoredDocument, "id" | "title" | "file">;

/**
 * What names the chunk counts twice: title, headings, symbol, and the path of a file. The ids of notes are often no
 * words, and do not count.
 */
export function fieldsOf(document: Named, chunk: Pick<ChunkFacts, "headings" | "symbol">, text: string): Field[] {
  const path = document.file === undefined ? "" : document.id;
  const names = [path, document.title ?? "", ...chunk.headings, chunk.symbol ?? ""].filter((name) => name !== "");
  return [
    { text: names.join(" "), weight: 2 },
    { text, weight: 1 },
  ];
}
