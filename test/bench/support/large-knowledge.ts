/**
 * A knowledge base of as many chunks as one likes, mixed from the sentences of all collections: harder than real text,
 * whose subjects keep to few segments. Texts are made anew when they are read, so only the indexes take memory.
 */
import { LexicalIndex } from "../../../src/core/bm25.ts";
import type { Field } from "../../../src/core/bm25.ts";
import { HASHED_DIMENSIONS, HashedEncoder } from "../../../src/core/hashed-vectors.ts";
import { encodeLatent, LATENT_DIMENSIONS } from "../../../src/core/latent.ts";
import { VectorIndex } from "../../../src/core/vectors.ts";
import type { PlacedChunk, StoredDocument } from "../../../src/plugins/rag/document.ts";
import type { Knowledge } from "../../../src/plugins/rag/knowledge.ts";
import { seededRandom } from "../../support/random.ts";
import type { Collection } from "./collections.ts";
import { trainAtOnce } from "./search-engines.ts";

export interface LargeKnowledge extends Knowledge {
  /** Adds chunks until there are so many. */
  growTo(count: number): void;
}

const CHUNKS_A_DOCUMENT = 5;
/** So many are encoded; vectors of the others are sums of two of them, since what they mean makes no difference here. */
const ENCODED = 20_000;
const NOWHERE = { startLine: 1, endLine: 1, headings: [], symbol: undefined };

export type Words = readonly (readonly string[])[];

export function wordsOf(collections: readonly Collection[]): Words {
  return collections.flatMap(({ documents }) => documents.map(({ title, text }) => `${title} ${text}`.split(/\s+/)));
}

/** About 130 words, the same for the same seed. */
export function mixChunk(words: Words, seed: number): string {
  const random = seededRandom(seed);
  const chunk: string[] = [];
  while (chunk.length < 130) {
    const source = random.pick(words);
    const start = random.int(0, source.length - 1);
    chunk.push(...source.slice(start, start + 15));
  }
  if (random.next() < 0.5) chunk.push(`id${random.int(0, 1e6)}`);
  return chunk.join(" ");
}

export function largeKnowledge(collections: readonly Collection[]): LargeKnowledge {
  const words = wordsOf(collections);
  const fieldsAt = (id: number): Field[] => [{ text: mixChunk(words, id), weight: 1 }];
  const sample = Array.from({ length: 4000 }, (_, id) => fieldsAt(id));
  const encoder = new HashedEncoder();
  for (const fields of sample) encoder.learn(fields);
  const model = trainAtOnce(sample);
  const lexical = new LexicalIndex();
  const hashed = createLeg(HASHED_DIMENSIONS, (fields) => encoder.encode(fields));
  const latent = createLeg(LATENT_DIMENSIONS, (fields) => encodeLatent(fields, model));
  const documents: StoredDocument[] = [];
  return {
    lexical,
    hashed: { encoder, index: hashed.index },
    latent: () => ({ model, index: latent.index }),
    endpoint: () => undefined,
    collections: () => [{ name: "large", kind: "folder", project: undefined, root: "/large" }],
    collection: (name) => ({ name, kind: "folder", project: undefined, root: "/large" }),
    chunk: (id) => placeChunk(documents, id),
    chunksOf: ({ firstChunkId, chunkCount }) =>
      Array.from({ length: chunkCount }, (_, at) => placeChunk(documents, firstChunkId + at)!),
    documentsOf: () => documents,
    revision: () => lexical.size,
    readText: async (document, from) => mixChunk(words, document.firstChunkId + from),
    isStale: async () => false,
    notices: () => [],
    growTo(count) {
      for (let id = lexical.size; id < count; id++) {
        const fields = fieldsAt(id);
        lexical.add(id, fields);
        hashed.add(id, fields);
        latent.add(id, fields);
        if (id % CHUNKS_A_DOCUMENT === 0) documents.push(createDocument(id));
      }
      lexical.seal();
    },
  };
}

function createLeg(dimensions: number, encode: (fields: readonly Field[]) => Float32Array) {
  const index = new VectorIndex({ dimensions, format: "int8" });
  const encoded: Float32Array[] = [];
  const random = seededRandom(dimensions);
  return {
    index,
    add(id: number, fields: readonly Field[]): void {
      if (encoded.length < ENCODED) encoded.push(encode(fields));
      const [one, other] = [encoded[id] ?? random.pick(encoded), random.pick(encoded)];
      index.add(id, id < ENCODED ? one : one.map((component, at) => component + other[at]! / 2));
    },
  };
}

/** Half of all belong to a project. */
function createDocument(firstChunkId: number): StoredDocument {
  const number = firstChunkId / CHUNKS_A_DOCUMENT;
  return {
    collection: "large",
    id: `folder${number % 100}/file${number}.md`,
    kind: "markdown",
    title: undefined,
    tags: number % 50 === 0 ? ["rare"] : [],
    metadata: {},
    project: number % 2 === 0 ? "even" : undefined,
    addedMs: 0,
    expiresMs: undefined,
    file: { sizeBytes: 1, modifiedMs: 0, hash: "" },
    sizeBytes: 1,
    lineCount: 1,
    firstChunkId,
    chunkCount: CHUNKS_A_DOCUMENT,
  };
}

/** The place of its bytes is its number in the document: enough to make its text. */
function placeChunk(documents: readonly StoredDocument[], chunkId: number): PlacedChunk | undefined {
  const document = documents[Math.floor(chunkId / CHUNKS_A_DOCUMENT)];
  if (document === undefined) return undefined;
  const startByte = chunkId - document.firstChunkId;
  return { chunkId, document, startByte, endByte: startByte + 1, ...NOWHERE };
}
