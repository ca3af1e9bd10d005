/** What a search sees of the knowledge base: its indexes, and the documents behind the ids that they answer. */
import type { LexicalIndex } from "../../core/bm25.ts";
import type { HashedEncoder } from "../../core/hashed-vectors.ts";
import type { LatentModel } from "../../core/latent.ts";
import type { VectorIndex } from "../../core/vectors.ts";
import type { CollectionKind, PlacedChunk, StoredDocument } from "./document.ts";

/** Vectors of all chunks by the encoder that made them. */
export interface HashedLeg {
  readonly encoder: HashedEncoder;
  readonly index: VectorIndex;
}

export interface LatentLeg {
  readonly model: LatentModel;
  readonly index: VectorIndex;
}

/** Vectors of a model elsewhere; chunks that it has not seen yet are missing in the index. */
export interface EndpointLeg {
  readonly index: VectorIndex;
  /** Never rejects: a sentence in place of the vector says why there is none. */
  embedQuery(text: string, signal: AbortSignal): Promise<Float32Array | string>;
}

export interface CollectionScope {
  readonly name: string;
  readonly kind: CollectionKind;
  readonly project: string | undefined;
  /** Where the ids of its documents are paths below; `undefined` for notes. */
  readonly root: string | undefined;
}

export interface Knowledge {
  readonly lexical: LexicalIndex;
  readonly hashed: HashedLeg;
  /** `undefined` until something has been learned. */
  latent(): LatentLeg | undefined;
  /** `undefined` where none is set up. */
  endpoint(): EndpointLeg | undefined;
  collections(): Iterable<CollectionScope>;
  collection(name: string): CollectionScope | undefined;
  /** `undefined` for an id whose document has gone since. */
  chunk(chunkId: number): PlacedChunk | undefined;
  /** The chunks of a document, in its order. */
  chunksOf(document: StoredDocument): readonly PlacedChunk[];
  documentsOf(collection: string): Iterable<StoredDocument>;
  /** Another number whenever a document has come or ids have been given anew. */
  revision(): number;
  /** Stored text from one byte to another (UTF-8 boundaries, as chunks have); `undefined` when the document has gone since. */
  readText(document: StoredDocument, fromByte: number, toByte: number): Promise<string | undefined>;
  /** Whether the file that it was made of is another one by now, or gone. False for notes. */
  isStale(document: StoredDocument): Promise<boolean>;
  /** What a reader of results should know: indexing under way, vectors being caught up. */
  notices(): readonly string[];
}
