/** A knowledge base in memory: the real chunks and indexes over texts that a test gives, without a store. */
import { LexicalIndex } from "../../src/core/bm25.ts";
import { chunkText } from "../../src/core/chunk.ts";
import { HASHED_DIMENSIONS, HashedEncoder } from "../../src/core/hashed-vectors.ts";
import { encodeLatent, LATENT_DIMENSIONS, trainLatent } from "../../src/core/latent.ts";
import { VectorIndex } from "../../src/core/vectors.ts";
import type { DocumentKind, PlacedChunk, StoredDocument } from "../../src/plugins/rag/document.ts";
import { fieldsOf } from "../../src/plugins/rag/fields.ts";
import type { CollectionScope, EndpointLeg, Knowledge, LatentLeg } from "../../src/plugins/rag/knowledge.ts";

export interface TestDocument {
  readonly collection?: string;
  readonly id: string;
  readonly text: string;
  readonly kind?: DocumentKind;
  readonly title?: string;
  readonly tags?: readonly string[];
  readonly project?: string;
  readonly expiresMs?: number;
}

export interface TestKnowledgeOptions {
  /** Others than these are of kind notes, without a project. */
  readonly collections?: readonly CollectionScope[];
  /** Whether anything is learned for the latent vectors. */
  readonly isTrained?: boolean;
  readonly endpoint?: EndpointLeg;
  readonly notices?: readonly string[];
}

export interface TestKnowledge extends Knowledge {
  /** Ids of documents that say that they are stale. */
  readonly stale: Set<string>;
  /** Ids of documents that are listed, and whose texts have gone. */
  readonly gone: Set<string>;
}

const ENDINGS: Readonly<Record<DocumentKind, string>> = { markdown: ".md", code: ".ts", text: ".txt", session: ".md" };

export function testKnowledge(given: readonly TestDocument[], options: TestKnowledgeOptions = {}): TestKnowledge {
  const collections = new Map((options.collections ?? []).map((scope) => [scope.name, scope]));
  const documents: StoredDocument[] = [];
  const texts = new Map<StoredDocument, Buffer>();
  const chunks: PlacedChunk[] = [];
  const lexical = new LexicalIndex();
  const encoder = new HashedEncoder();
  const hashed = new VectorIndex({ dimensions: HASHED_DIMENSIONS, format: "int8" });
  for (const one of given) {
    const isFile = collections.get(one.collection ?? "notes")?.root !== undefined;
    const document = addDocument(one, isFile, chunks);
    documents.push(document);
    texts.set(document, Buffer.from(one.text));
    const { collection: name } = document;
    if (!collections.has(name)) collections.set(name, { name, kind: "notes", project: undefined, root: undefined });
  }
  const textOf = ({ document, startByte, endByte }: PlacedChunk): string =>
    texts.get(document)!.toString("utf8", startByte, endByte);
  const fields = chunks.map((chunk) => fieldsOf(chunk.document, chunk, textOf(chunk)));
  fields.forEach((each, id) => lexical.add(id, each));
  for (const each of fields) encoder.learn(each);
  fields.forEach((each, id) => hashed.add(id, encoder.encode(each)));
  const latent = options.isTrained === false ? undefined : learnLatent(fields);
  const stale = new Set<string>();
  const gone = new Set<string>();
  return {
    stale,
    gone,
    lexical,
    hashed: { encoder, index: hashed },
    latent: () => latent,
    endpoint: () => options.endpoint,
    collections: () => collections.values(),
    collection: (name) => collections.get(name),
    chunk: (id) => chunks[id],
    chunksOf: ({ firstChunkId, chunkCount }) => chunks.slice(firstChunkId, firstChunkId + chunkCount),
    documentsOf: (name) => documents.filter(({ collection }) => collection === name),
    revision: () => chunks.length,
    readText: async (document, from, to) =>
      gone.has(document.id) ? undefined : texts.get(document)!.toString("utf8", from, to),
    isStale: async (document) => stale.has(document.id),
    notices: () => options.notices ?? [],
  };
}

function addDocument(given: TestDocument, isFile: boolean, chunks: PlacedChunk[]): StoredDocument {
  const { text, id, kind = "markdown" } = given;
  const pieces = chunkText(text, `name${ENDINGS[kind]}`);
  const document: StoredDocument = {
    collection: given.collection ?? "notes",
    id,
    kind,
    title: given.title,
    tags: given.tags ?? [],
    metadata: {},
    project: given.project,
    addedMs: 0,
    expiresMs: given.expiresMs,
    file: isFile ? { sizeBytes: Buffer.byteLength(text), modifiedMs: 0, hash: "" } : undefined,
    sizeBytes: Buffer.byteLength(text),
    lineCount: text.split("\n").length,
    firstChunkId: chunks.length,
    chunkCount: pieces.length,
  };
  for (const { start, end, startLine, endLine, headings, symbol } of pieces) {
    const startByte = Buffer.byteLength(text.slice(0, start));
    const endByte = startByte + Buffer.byteLength(text.slice(start, end));
    chunks.push({ chunkId: chunks.length, document, startByte, endByte, startLine, endLine, headings, symbol });
  }
  return document;
}

function learnLatent(fields: readonly ReturnType<typeof fieldsOf>[]): LatentLeg {
  const steps = trainLatent({ documentCount: fields.length, documentAt: (at) => fields[at]! });
  let step = steps.next();
  while (!step.done) step = steps.next();
  const model = step.value;
  const index = new VectorIndex({ dimensions: LATENT_DIMENSIONS, format: "int8" });
  fields.forEach((each, id) => index.add(id, encodeLatent(each, model)));
  return { model, index };
}
