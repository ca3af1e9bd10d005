/** The knowledge plugin without its faces: the store, the corpus, its texts, indexes and sources, put together. */
import { LARGEST_ID } from "../../core/id-set.ts";
import type { Services } from "../plugin.ts";
import { ChunkTables } from "./chunk-tables.ts";
import { Collections } from "./collections.ts";
import type { RagConfig } from "./config.ts";
import { Corpus, type CorpusStore } from "./corpus.ts";
import { corpusStore } from "./corpus-store.ts";
import type { CollectionRecord, KeptDocument } from "./corpus-state.ts";
import { embeddableOf } from "./embeddable.ts";
import { createEmbeddings, type EmbeddableDocument, type Embeddings } from "./embeddings.ts";
import { documentOfFile } from "./file-document.ts";
import { type IndexCache, keepIndexCache, readIndexCache } from "./index-cache.ts";
import { Indexer } from "./indexer.ts";
import { Indexes } from "./indexes.ts";
import type { Knowledge } from "./knowledge.ts";
import { createKnowledge } from "./knowledge-view.ts";
import { LegRefresh } from "./leg-refresh.ts";
import { createRagMetrics } from "./metrics.ts";
import type { NoteServices } from "./notes.ts";
import { Pace } from "./pace.ts";
import { createRedaction } from "./redaction.ts";
import { findRoot } from "./roots.ts";
import { Sealer } from "./sealer.ts";
import { createStaleness } from "./staleness.ts";
import { Texts } from "./texts.ts";
import { startUpkeep, type Upkeep } from "./upkeep.ts";
import { type CollectionView, viewCollection } from "./views.ts";

export interface Engine {
  readonly corpus: Corpus;
  readonly collections: Collections;
  readonly texts: Texts;
  readonly indexes: Indexes;
  readonly refresh: LegRefresh;
  readonly indexer: Indexer;
  /** What searches ask. */
  readonly knowledge: Knowledge;
  readonly sealer: Sealer;
  readonly cache: IndexCache;
  readonly embeddings: Embeddings;
  readonly notes: NoteServices;
  readonly config: () => RagConfig;
  follow(config: RagConfig): Promise<void>;
  /** Resolves when all that has been stored by now can be found. */
  settled(): Promise<void>;
  readonly expire: Upkeep["expire"];
  viewCollection(name: string): CollectionView | undefined;
  problems(): readonly string[];
  stop(): Promise<void>;
}

/** So many documents may wait for the indexes while a folder is read. */
const MOST_WAITING = 64;

export async function startEngine(services: Services, initialConfig: RagConfig): Promise<Engine> {
  const { log } = services;
  const store = await services.openStore("knowledge", corpusStore);
  // So that they last for as long again.
  if (store.state.nextChunkId > LARGEST_ID / 2) await store.commit({ kind: "renumber" });
  const engine = assemble(services, store, initialConfig);
  try {
    await engine.follow(initialConfig);
  } catch (error) {
    log.error("the collections of the config are not taken over", { error: (error as Error).message });
  }
  return engine;
}

function assemble(services: Services, store: CorpusStore, initialConfig: RagConfig): Engine {
  const { clock, log, host } = services;
  let config = initialConfig;
  const corpus = new Corpus(store, () => config);
  const segments = services.openSegments("texts");
  const texts = new Texts({
    log,
    corpus,
    segments,
    onDamage({ collection, id }) {
      metrics.failed("text", 1);
      indexer.restore(collection, id);
    },
  });
  const sealer = new Sealer({ clock, log, corpus, segments, readText: (document) => texts.readOnce(document) });
  const pace = new Pace(services);
  const readText = async (document: KeptDocument): Promise<Buffer | undefined> => texts.readOnce(document);
  const indexes = new Indexes({ log, corpus, pace, readText });
  const redaction = createRedaction(() => config);
  const preparing = { redact: redaction.redact, giveWay: () => pace.giveWay(), projectIdOf: services.projectIdOf };
  const roots = { findFolder: services.findFolder, allowedRoots: () => config.allowedRoots };
  const indexer = new Indexer({
    clock,
    log,
    corpus,
    pace,
    openFolder: services.openFolder,
    findRoot: (definition) => findRoot(roots, definition),
    makeDocument: (definition, file) => documentOfFile(preparing, definition, { ...file, addedMs: clock.wallMs() }),
    async drained() {
      if (indexes.waiting > MOST_WAITING) await indexes.settled();
      await sealer.drained();
    },
    defaults: () => config,
    fingerprint: () => redaction.fingerprint,
    onScanned: (_collection, { problems, skipped }) => {
      if (problems.length > 0) metrics.failed("scan", problems.length);
      if (skipped.unreadable > 0) metrics.failed("unreadable", skipped.unreadable);
    },
  });
  const refresh = new LegRefresh({ log, clock, corpus, indexes, pace, readText, isBusy: () => indexer.isBusy });
  const metrics = createRagMetrics(services.registry, {
    state: corpus.state,
    indexBytes: () => indexes.sizeBytes + embeddings.sizeBytes,
    embeddedRatio: (record) => embeddedRatioOf(record, embeddings),
  });
  const embeddings = createEmbeddings({
    ...services,
    *documents(): Generator<EmbeddableDocument> {
      for (const { documents } of corpus.state.collections.values()) {
        for (const document of documents.values()) yield embeddableOf(document, readText);
      }
    },
  });
  const collections = new Collections({
    log,
    corpus,
    home: host.home,
    findRootFault: async (definition) => {
      const found = await findRoot(roots, definition);
      return typeof found === "string" ? found : undefined;
    },
    onChange: () => indexer.follow(),
  });
  const isStale = createStaleness({ ...services, corpus, findRoot: (definition) => findRoot(roots, definition) });
  const cacheServices = { log, clock, pace, segments: services.openSegments("index"), ids: () => corpus.state };
  indexes.takeUp(readIndexCache(cacheServices));
  const cache = keepIndexCache({ ...cacheServices, isBusy: () => indexer.isBusy || refresh.isRunning }, indexes);
  corpus.state.onSnapshot = () => sealer.sealSoon();
  corpus.state.onChange = (now, before) => {
    sealer.note(now, before);
    indexes.note(now, before);
    if (before !== undefined) embeddings.removed(before);
    if (now !== undefined) embeddings.added(embeddableOf(now, readText));
  };
  const started = indexes.catchUp();
  const upkeep = startUpkeep({
    clock,
    log,
    corpus,
    look() {
      // What the disk refused before it may take now.
      if (collections.problems().length > 0) void collections.follow(config).catch(() => undefined);
      refresh.check();
      sealer.look();
      cache.look();
    },
  });
  return {
    corpus,
    collections,
    texts,
    indexes,
    refresh,
    indexer,
    sealer,
    cache,
    embeddings,
    expire: upkeep.expire,
    knowledge: createKnowledge({
      corpus,
      indexes,
      texts,
      tables: new ChunkTables(),
      endpoint: () => embeddings.leg(),
      isStale,
      notices: () => [...describeWork({ indexes, indexer, corpus }), ...embeddings.notices()],
    }),
    notes: { ...preparing, clock, corpus, collections },
    config: () => config,
    async follow(next) {
      config = next;
      // What it has on disk is read beside all else.
      void embeddings.reconfigure(next.embeddings);
      await collections.follow(next);
    },
    async settled() {
      await started;
      await indexes.settled();
    },
    viewCollection(name) {
      const record = corpus.collection(name);
      if (record === undefined) return undefined;
      const progress = { ...indexer.activityOf(name), embeddedRatio: embeddedRatioOf(record, embeddings) };
      return viewCollection(record, progress, config);
    },
    problems: () => [
      ...collections.problems(),
      ...describeSources({ indexer, corpus }),
      ...(sealer.problem === undefined ? [] : [sealer.problem]),
      ...describeDamage(texts),
    ],
    async stop() {
      upkeep.stop();
      await indexer.stop();
      await refresh.stop();
      await embeddings.stop();
      indexes.stop();
      await indexes.settled();
      await cache.save();
      await sealer.finish();
      await store.close();
      segments.close();
      cacheServices.segments.close();
    },
  };
}

/** For the reader of an answer: what may be missing in it. */
function describeWork({ indexes, indexer, corpus }: Pick<Engine, "indexes" | "indexer" | "corpus">): string[] {
  const busy = [...corpus.state.collections.keys()].filter((name) => indexer.activityOf(name).state !== "idle");
  const notices = busy.map((name) => {
    const { progress } = indexer.activityOf(name);
    const files = progress === null ? "" : ` (${progress.done} of ${progress.total} files)`;
    return `the collection "${name}" is being indexed${files}`;
  });
  const withoutVectors = indexes.chunkCount - indexes.hashed.index.size;
  if (withoutVectors > 0)
    notices.push(`${withoutVectors} pieces are found by their words only, until their vectors are made`);
  if (busy.length === 0 && indexes.waiting > 0) notices.push(`${indexes.waiting} changes are not searchable yet`);
  return notices;
}

function embeddedRatioOf({ documents, chunkCount }: CollectionRecord, embeddings: Embeddings): number | null {
  let embedded = 0;
  for (const document of documents.values()) {
    const count = embeddings.embeddedOf(document);
    if (count === undefined) return null;
    embedded += count;
  }
  if (embeddings.state().state === "off") return null;
  return chunkCount === 0 ? 1 : embedded / chunkCount;
}

function describeDamage(texts: Texts): string[] {
  const damaged = texts.damaged();
  if (damaged.length === 0) return [];
  const [{ collection, id }] = damaged as [KeptDocument];
  const which = damaged.length === 1 ? "a document" : `${damaged.length} documents, one of them`;
  return [
    `the stored text of ${which} is damaged: ${JSON.stringify(id)} of "${collection}"; put it anew, or delete it`,
  ];
}

function describeSources({ indexer, corpus }: Pick<Engine, "indexer" | "corpus">): string[] {
  return [...corpus.state.collections.keys()].flatMap((name) =>
    indexer.activityOf(name).problems.map((problem) => `collection "${name}": ${problem}`),
  );
}
