/** The knowledge base as a whole, as the API shows it. */
import type { EmbeddingsState } from "./embeddings.ts";
import type { Engine } from "./engine.ts";

export interface StatusView {
  readonly documents: number;
  readonly chunks: number;
  readonly textBytes: number;
  /** Of words and vectors, in memory. */
  readonly indexBytes: number;
  readonly collections: number;
  readonly indexing: boolean;
  readonly embeddings: EmbeddingsState;
  readonly latent: { readonly trainedOn: number; readonly stale: boolean };
  readonly problems: readonly string[];
}

export function viewStatus(engine: Engine): StatusView {
  const { corpus, indexes, indexer, refresh, embeddings } = engine;
  const { documentCount, chunkCount, textBytes, collections } = corpus.state;
  return {
    documents: documentCount,
    chunks: chunkCount,
    textBytes,
    indexBytes: indexes.sizeBytes + embeddings.sizeBytes,
    collections: collections.size,
    indexing: indexer.isBusy || indexes.waiting > 0,
    embeddings: embeddings.state(),
    latent: { trainedOn: indexes.latent?.model.documentCount ?? 0, stale: refresh.isLatentOld },
    problems: engine.problems(),
  };
}
