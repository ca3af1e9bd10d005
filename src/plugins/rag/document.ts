/** What the knowledge base keeps of a document: the words that its parts share. */

export type CollectionKind = "folder" | "notes" | "sessions";

/** What `kind:` in a query asks for. */
export type DocumentKind = "markdown" | "code" | "text" | "session";

/** By what a change of a file is seen: size and time first, then content. */
export interface FileVersion {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** SHA-256 of the file's bytes as they were read, in hex. */
  readonly hash: string;
}

/** A piece of a document. Lines count from 1, both ends included. */
export interface ChunkFacts {
  /** Where its text lies in the stored text, in bytes of UTF-8; `endByte` is one past the last. */
  readonly startByte: number;
  readonly endByte: number;
  readonly startLine: number;
  readonly endLine: number;
  /** The headings that it stands under, outermost first. */
  readonly headings: readonly string[];
  readonly symbol: string | undefined;
}

export interface StoredDocument {
  readonly collection: string;
  /** Unique in its collection: a path below the root, parted by `/`, or what a client chose. */
  readonly id: string;
  readonly kind: DocumentKind;
  readonly title: string | undefined;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
  /** `undefined`: that of its collection. */
  readonly project: string | undefined;
  readonly addedMs: number;
  readonly expiresMs: number | undefined;
  /** Of what came from a file. */
  readonly file: FileVersion | undefined;
  /** Of the stored text. */
  readonly sizeBytes: number;
  readonly lineCount: number;
  /** Chunk i has the id `firstChunkId + i`; ids are never given twice. */
  readonly firstChunkId: number;
  readonly chunkCount: number;
}

/** A chunk, and the document that it is a piece of. */
export interface PlacedChunk extends ChunkFacts {
  readonly chunkId: number;
  readonly document: StoredDocument;
}
