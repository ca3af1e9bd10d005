/**
 * What the knowledge plugin shows to Prometheus about what it keeps. The only label of a client's making is the name of
 * a collection; series of one that is gone go.
 *
 * Units: bytes, seconds.
 */
import type { LabelSet } from "../../core/label-set.ts";
import type { Registry } from "../../core/registry.ts";
import type { CollectionRecord, CorpusState } from "./corpus-state.ts";

export interface RagMetrics {
  /** A document could not be kept, or found, for this reason. */
  failed(reason: IndexError, count: number): void;
}

/** A folder that could not be looked at; a file that could not be read; a stored text that is damaged. */
const REASONS = ["scan", "unreadable", "text"] as const;
export type IndexError = (typeof REASONS)[number];

const BY_COLLECTION = {
  documents: ["pi_daemon_rag_documents", "gauge", "Documents of a collection."],
  chunks: ["pi_daemon_rag_chunks", "gauge", "Pieces that the documents of a collection are cut into."],
  embeddedRatio: ["pi_daemon_rag_embedded_ratio", "gauge", "How much of a collection the embeddings server has seen."],
  lastIndexed: ["pi_daemon_rag_last_indexed_timestamp_seconds", "gauge", "When a folder was last looked at."],
} as const;

export function createRagMetrics(
  registry: Registry,
  sources: {
    readonly state: CorpusState;
    indexBytes(): number;
    /** `null` where no endpoint is set up. */
    embeddedRatio(record: CollectionRecord): number | null;
  },
): RagMetrics {
  const documents = registry.ownValue(...BY_COLLECTION.documents);
  const chunks = registry.ownValue(...BY_COLLECTION.chunks);
  const embeddedRatio = registry.ownValue(...BY_COLLECTION.embeddedRatio);
  const lastIndexed = registry.ownValue(...BY_COLLECTION.lastIndexed);
  const errors = registry.ownValue(
    "pi_daemon_rag_index_errors_total",
    "counter",
    "Documents that could not be indexed, by reason.",
  );
  const indexBytes = registry.ownValue(
    "pi_daemon_rag_index_bytes",
    "gauge",
    "Memory of the indexes that searches go through.",
  );
  let shown = new Set<string>();
  registry.beforeExposition(() => {
    indexBytes([]).set(sources.indexBytes());
    const { collections } = sources.state;
    for (const name of shown) if (!collections.has(name)) dropAll(registry, name);
    shown = new Set(collections.keys());
    for (const [name, record] of collections) {
      const labels: LabelSet = ["collection", name];
      documents(labels).set(record.documents.size);
      chunks(labels).set(record.chunkCount);
      const ratio = sources.embeddedRatio(record);
      if (ratio === null) drop(registry, BY_COLLECTION.embeddedRatio[0], name);
      else embeddedRatio(labels).set(ratio);
      if (record.scan !== undefined) lastIndexed(labels).set(record.scan.atMs / 1000);
    }
  });
  for (const reason of REASONS) errors(["reason", reason]);
  return { failed: (reason, count) => errors(["reason", reason]).add(count) };
}

function dropAll(registry: Registry, collection: string): void {
  for (const [name] of Object.values(BY_COLLECTION)) drop(registry, name, collection);
}

function drop(registry: Registry, name: string, collection: string): void {
  const family = registry.family(name);
  const series = family?.find(["collection", collection]);
  if (series !== undefined) family!.remove(series);
}
