/**
 * What the knowledge plugin keeps for good: collections and their documents, folded from events.
 *
 * Order: a document is replaced as a whole, by one event; its chunks then have other ids than before. Ids of chunks are
 * given when the event is applied, so that two that are written at once never share one.
 */
import { ChunkDirectory } from "./chunk-directory.ts";
import type { CollectionDefinition } from "./collection.ts";
import type { FileVersion, StoredDocument } from "./document.ts";

/** Where a text lies that is no longer in memory. */
export interface TextPlace {
  readonly segment: number;
  /** Of its record in the segment's file, and of that as a whole. */
  readonly offset: number;
  readonly sizeBytes: number;
}

export interface KeptDocument extends StoredDocument {
  /** SHA-256 of the file as it was read, or of a note's text. In hex. */
  readonly hash: string;
  /** See `chunk-table.ts`. */
  readonly table: Uint8Array;
  /**
   * The stored text until it is sealed, then its place. These two change in place: a snapshot that is being written
   * may have either, since a segment is on the medium before an event names it.
   */
  text: Buffer | undefined;
  place: TextPlace | undefined;
}

export type NewDocument = Omit<KeptDocument, "firstChunkId" | "place" | "text"> & { readonly text: Buffer };

/** What the last look at a folder found. */
export interface ScanRecord {
  readonly atMs: number;
  readonly skipped: Skipped;
  /** Which folder it was; see `FoundFolder`. */
  readonly identity: string;
  /** How texts were made of files; see `Redaction`. */
  readonly fingerprint: string;
}

/** Files that are not indexed, by why. */
export interface Skipped {
  readonly binary: number;
  readonly large: number;
  readonly unreadable: number;
  readonly special: number;
  readonly outside: number;
}

export const NOTHING_SKIPPED: Skipped = { binary: 0, large: 0, unreadable: 0, special: 0, outside: 0 };

export interface CollectionRecord {
  definition: CollectionDefinition;
  source: "config" | "api";
  readonly documents: Map<string, KeptDocument>;
  chunkCount: number;
  textBytes: number;
  scan: ScanRecord | undefined;
  /** The ids in order, once somebody asked for them and until they change. */
  sortedIds: readonly string[] | undefined;
}

export interface CorpusState {
  readonly collections: Map<string, CollectionRecord>;
  readonly directory: ChunkDirectory;
  nextChunkId: number;
  /** How often all chunk ids were given anew. */
  numbering: number;
  nextSegment: number;
  documentCount: number;
  chunkCount: number;
  textBytes: number;
  /** Told of every change of a document after it is applied: what there is now, and what was there. */
  onChange: ((now: KeptDocument | undefined, before: KeptDocument | undefined) => void) | undefined;
  /** Told when a snapshot begins: what it holds of texts, the next one should not. */
  onSnapshot: (() => void) | undefined;
}

export type CorpusEvent =
  | { readonly kind: "define"; readonly definition: CollectionDefinition; readonly source: "config" | "api" }
  | { readonly kind: "remove"; readonly collection: string }
  | { readonly kind: "put"; readonly document: NewDocument }
  | { readonly kind: "drop"; readonly collection: string; readonly ids: readonly string[] }
  /** The file changed, and what is kept of it did not. */
  | { readonly kind: "touch"; readonly collection: string; readonly id: string; readonly file: FileVersion }
  | { readonly kind: "scan"; readonly collection: string; readonly scan: ScanRecord }
  /** Texts stand in a segment now. */
  | { readonly kind: "sealed"; readonly segment: number; readonly texts: readonly SealedText[] }
  /** Chunk ids are given anew, from 0. */
  | { readonly kind: "renumber" };

export interface SealedText {
  readonly collection: string;
  readonly id: string;
  /** Tells the version of the document. */
  readonly firstChunkId: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

export function emptyCorpus(): CorpusState {
  return {
    collections: new Map(),
    directory: new ChunkDirectory(),
    nextChunkId: 0,
    numbering: 0,
    nextSegment: 1,
    documentCount: 0,
    chunkCount: 0,
    textBytes: 0,
    onChange: undefined,
    onSnapshot: undefined,
  };
}

export function applyToCorpus(state: CorpusState, event: CorpusEvent): void {
  if (event.kind === "define") define(state, event.definition, event.source);
  else if (event.kind === "put") put(state, event.document);
  else if (event.kind === "sealed") seal(state, event.segment, event.texts);
  else if (event.kind === "renumber") renumber(state);
  else {
    const record = state.collections.get(event.collection);
    if (record === undefined) return;
    if (event.kind === "scan") record.scan = event.scan;
    else if (event.kind === "touch") touch(state, record, event);
    else if (event.kind === "drop") for (const id of event.ids) drop(state, record, id);
    else {
      for (const id of [...record.documents.keys()]) drop(state, record, id);
      state.collections.delete(event.collection);
    }
  }
}

/** Puts a document where it belongs, with the chunk ids that it has. */
export function keep(state: CorpusState, record: CollectionRecord, document: KeptDocument): void {
  const before = record.documents.get(document.id);
  if (before === undefined) record.sortedIds = undefined;
  else uncount(state, record, before);
  record.documents.set(document.id, document);
  record.chunkCount += document.chunkCount;
  record.textBytes += document.sizeBytes;
  state.documentCount++;
  state.chunkCount += document.chunkCount;
  state.textBytes += document.sizeBytes;
  state.directory.add(document);
  state.onChange?.(document, before);
}

export function define(
  state: CorpusState,
  definition: CollectionDefinition,
  source: "config" | "api",
): CollectionRecord {
  let record = state.collections.get(definition.name);
  if (record === undefined) {
    const documents = new Map<string, KeptDocument>();
    record = { definition, source, documents, chunkCount: 0, textBytes: 0, scan: undefined, sortedIds: undefined };
    state.collections.set(definition.name, record);
  }
  record.definition = definition;
  record.source = source;
  return record;
}

function put(state: CorpusState, document: NewDocument): void {
  const record = state.collections.get(document.collection);
  // Removed while this was on its way.
  if (record === undefined) return;
  const firstChunkId = state.nextChunkId;
  state.nextChunkId += idsOf(document);
  keep(state, record, { ...document, firstChunkId, place: undefined });
}

function drop(state: CorpusState, record: CollectionRecord, id: string): void {
  const document = record.documents.get(id);
  if (document === undefined) return;
  record.documents.delete(id);
  record.sortedIds = undefined;
  uncount(state, record, document);
  state.onChange?.(undefined, document);
}

function uncount(state: CorpusState, record: CollectionRecord, document: KeptDocument): void {
  record.chunkCount -= document.chunkCount;
  record.textBytes -= document.sizeBytes;
  state.documentCount--;
  state.chunkCount -= document.chunkCount;
  state.textBytes -= document.sizeBytes;
  state.directory.remove(document);
}

function touch(state: CorpusState, record: CollectionRecord, { id, file }: { id: string; file: FileVersion }): void {
  const document = record.documents.get(id);
  if (document === undefined) return;
  const touched = { ...document, file, hash: file.hash };
  record.documents.set(id, touched);
  state.directory.replace(document, touched);
}

function seal(state: CorpusState, segment: number, texts: readonly SealedText[]): void {
  state.nextSegment = Math.max(state.nextSegment, segment + 1);
  for (const { collection, id, firstChunkId, offset, sizeBytes } of texts) {
    const document = state.collections.get(collection)?.documents.get(id);
    if (document?.firstChunkId !== firstChunkId) continue;
    document.place = { segment, offset, sizeBytes };
    document.text = undefined;
  }
}

function renumber(state: CorpusState): void {
  state.directory.clear();
  state.numbering++;
  state.nextChunkId = 0;
  for (const record of state.collections.values()) {
    for (const [id, document] of record.documents) {
      const renumbered = { ...document, firstChunkId: state.nextChunkId };
      state.nextChunkId += idsOf(document);
      record.documents.set(id, renumbered);
      state.directory.add(renumbered);
    }
  }
}

/** One at least: its first id tells a version of a document from all others. */
function idsOf({ chunkCount }: { readonly chunkCount: number }): number {
  return Math.max(1, chunkCount);
}
