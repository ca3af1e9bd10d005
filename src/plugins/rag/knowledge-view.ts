/** The corpus and its indexes -> what a search sees of them. */
import type { Corpus } from "./corpus.ts";
import type { ChunkTables } from "./chunk-tables.ts";
import type { CollectionRecord } from "./corpus-state.ts";
import type { StoredDocument } from "./document.ts";
import type { Indexes } from "./indexes.ts";
import type { CollectionScope, EndpointLeg, Knowledge } from "./knowledge.ts";
import type { Texts } from "./texts.ts";

export interface KnowledgeParts {
  readonly corpus: Corpus;
  readonly indexes: Indexes;
  readonly texts: Texts;
  readonly tables: ChunkTables;
  endpoint(): EndpointLeg | undefined;
  isStale(document: StoredDocument): Promise<boolean>;
  notices(): readonly string[];
}

export function createKnowledge(parts: KnowledgeParts): Knowledge {
  const { corpus, indexes, texts, tables } = parts;
  return {
    get lexical() {
      return indexes.lexical;
    },
    get hashed() {
      return indexes.hashed;
    },
    latent: () => indexes.latent,
    endpoint: () => parts.endpoint(),
    collections: () => [...corpus.state.collections.values()].map(scopeOf),
    collection(name) {
      const record = corpus.collection(name);
      return record && scopeOf(record);
    },
    chunk(chunkId) {
      const document = corpus.state.directory.find(chunkId);
      return document && tables.chunk(document, chunkId);
    },
    chunksOf(document) {
      const current = corpus.current(document);
      return current === undefined ? [] : tables.chunksOf(current);
    },
    documentsOf: (collection) => corpus.collection(collection)?.documents.values() ?? [],
    revision: () => corpus.state.numbering * 2 ** 27 + corpus.state.nextChunkId,
    readText: (document, fromByte, toByte) => texts.readPart(document, fromByte, toByte),
    isStale: (document) => parts.isStale(document),
    notices: () => parts.notices(),
  };
}

function scopeOf({ definition: { name, kind, project, root } }: CollectionRecord): CollectionScope {
  return { name, kind, project: project ?? undefined, root: root ?? undefined };
}
