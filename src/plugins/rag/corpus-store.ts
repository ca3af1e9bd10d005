/**
 * The corpus as bytes: its events, and its snapshot.
 *
 * Layout: an event is `length of head, head as JSON, table, text`; a snapshot one piece for the collections, then one
 * of the same shape for each document, with its text as long as that is in no segment.
 * Cost: a snapshot takes hold of a list of all documents at once; they are values, so that nothing is copied.
 */
import type { StoreDefinition } from "../../system/store.ts";
import {
  applyToCorpus,
  type CollectionRecord,
  type CorpusEvent,
  type CorpusState,
  define,
  emptyCorpus,
  keep,
  type KeptDocument,
  type NewDocument,
} from "./corpus-state.ts";

export const corpusStore: StoreDefinition<CorpusState, CorpusEvent> = {
  version: 1,
  initial: emptyCorpus,
  apply: applyToCorpus,
  encode,
  decode,
  snapshot,
  restore,
};

const HEAD_LENGTH_BYTES = 4;

function encode(event: CorpusEvent): readonly Uint8Array[] {
  if (event.kind !== "put") return frame(event);
  const { table, text, ...head } = event.document;
  return frame({ kind: "put", document: head, tableBytes: table.length }, table, text);
}

function decode(bytes: Buffer): CorpusEvent {
  const { head, rest } = openFrame(bytes);
  if ((head as CorpusEvent).kind !== "put") return head as CorpusEvent;
  const { document, tableBytes } = head as { document: NewDocument; tableBytes: number };
  return { kind: "put", document: { ...document, ...splitParts(rest, tableBytes) } };
}

interface SnapshotHead {
  readonly nextChunkId: number;
  readonly numbering: number;
  readonly nextSegment: number;
  readonly collections: readonly Pick<CollectionRecord, "definition" | "source" | "scan">[];
}

function snapshot(state: CorpusState): Iterable<Uint8Array> {
  state.onSnapshot?.();
  const records = [...state.collections.values()];
  const head: SnapshotHead = {
    nextChunkId: state.nextChunkId,
    numbering: state.numbering,
    nextSegment: state.nextSegment,
    collections: records.map(({ definition, source, scan }) => ({ definition, source, scan })),
  };
  const first = Buffer.concat(frame(head));
  const documents = records.flatMap((record) => [...record.documents.values()]);
  // Chunk ids must come in order, and a replaced document stands in the old one's place among its collection's.
  documents.sort((one, other) => one.firstChunkId - other.firstChunkId);
  return snapshotPieces(first, documents);
}

function* snapshotPieces(first: Uint8Array, documents: readonly KeptDocument[]): Generator<Uint8Array> {
  yield first;
  for (const { table, text, ...head } of documents) {
    const parts = [table, ...(text === undefined ? [] : [text])];
    yield Buffer.concat(frame({ ...head, tableBytes: table.length, hasText: text !== undefined }, ...parts));
  }
}

type DocumentHead = Omit<KeptDocument, "table" | "text"> & { readonly tableBytes: number; readonly hasText: boolean };

function restore(pieces: Iterable<Buffer>): CorpusState {
  const state = emptyCorpus();
  let isFirst = true;
  for (const piece of pieces) {
    const { head, rest } = openFrame(piece);
    if (isFirst) restoreHead(state, head as SnapshotHead);
    else restoreDocument(state, head as DocumentHead, rest);
    isFirst = false;
  }
  return state;
}

function restoreHead(state: CorpusState, head: SnapshotHead): void {
  state.nextChunkId = head.nextChunkId;
  state.numbering = head.numbering;
  state.nextSegment = head.nextSegment;
  for (const { definition, source, scan } of head.collections) define(state, definition, source).scan = scan;
}

function restoreDocument(state: CorpusState, { tableBytes, hasText, ...head }: DocumentHead, rest: Buffer): void {
  const { table, text } = splitParts(rest, tableBytes);
  const record = state.collections.get(head.collection);
  if (record !== undefined)
    keep(state, record, { ...head, table, text: hasText ? text : undefined, place: head.place });
}

function frame(head: object, ...parts: readonly Uint8Array[]): Uint8Array[] {
  const json = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(HEAD_LENGTH_BYTES);
  length.writeUInt32LE(json.length);
  return [length, json, ...parts];
}

function openFrame(bytes: Buffer): { readonly head: unknown; readonly rest: Buffer } {
  const end = HEAD_LENGTH_BYTES + bytes.readUInt32LE(0);
  return { head: JSON.parse(bytes.toString("utf8", HEAD_LENGTH_BYTES, end)), rest: bytes.subarray(end) };
}

/** The table is copied, because the bytes around it are those of a whole file; a text is not: it leaves soon. */
function splitParts(rest: Buffer, tableBytes: number): { readonly table: Buffer; readonly text: Buffer } {
  return { table: Buffer.from(rest.subarray(0, tableBytes)), text: rest.subarray(tableBytes) };
}
