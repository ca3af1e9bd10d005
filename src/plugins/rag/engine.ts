/** The knowledge plugin without its faces: the store, the corpus, its texts and its indexes, put together. */
import type { Timer } from "../../system/clock.ts";
import type { Services } from "../plugin.ts";
import { ChunkTables } from "./chunk-tables.ts";
import { Collections } from "./collections.ts";
import type { RagConfig } from "./config.ts";
import { Corpus, type CorpusStore } from "./corpus.ts";
import { corpusStore } from "./corpus-store.ts";
import type { StoredDocument } from "./document.ts";
import { Indexes } from "./indexes.ts";
import type { Knowledge } from "./knowledge.ts";
import { createKnowledge } from "./knowledge-view.ts";
import { LegRefresh } from "./leg-refresh.ts";
import type { NoteServices } from "./notes.ts";
import { Pace } from "./pace.ts";
import { Texts } from "./texts.ts";
import { type CollectionView, viewCollection } from "./views.ts";

export interface Engine {
  readonly corpus: Corpus;
  readonly collections: Collections;
  readonly texts: Texts;
  readonly indexes: Indexes;
  /** What searches ask. */
  readonly knowledge: Knowledge;
  readonly notes: NoteServices;
  readonly config: () => RagConfig;
  follow(config: RagConfig): Promise<void>;
  /** Resolves when all that has been stored by now can be found. */
  settled(): Promise<void>;
  /** Makes all vectors from what there is now: after that they depend on nothing else. */
  refreshVectors(): Promise<void>;
  /** Resolves when none are being made anew. */
  vectorsSettled(): Promise<void>;
  viewCollection(name: string): CollectionView | undefined;
  isStale(document: StoredDocument): Promise<boolean>;
  problems(): readonly string[];
  stop(): Promise<void>;
}

/** How often it is looked whether vectors have aged. */
const LOOK_MS = 2_000;

export async function startEngine(services: Services, initialConfig: RagConfig): Promise<Engine> {
  const { log } = services;
  const store = await services.openStore("knowledge", corpusStore);
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
  const texts = new Texts(corpus);
  const pace = new Pace(services);
  const readText = (document: StoredDocument): Promise<Buffer | undefined> => texts.read(document);
  const indexes = new Indexes({ log, corpus, pace, readText });
  const refresh = new LegRefresh({ log, clock, corpus, indexes, pace, readText, isBusy: () => false });
  const collections = new Collections({
    log,
    corpus,
    home: host.home,
    findRootFault: async () => undefined,
    onChange: () => undefined,
  });
  const isStale = async (): Promise<boolean> => false;
  corpus.state.onChange = indexes.note;
  const started = indexes.catchUp();
  const timer: Timer = clock.every(LOOK_MS, () => refresh.check());
  return {
    corpus,
    collections,
    texts,
    indexes,
    knowledge: createKnowledge({
      corpus,
      indexes,
      texts,
      tables: new ChunkTables(),
      endpoint: () => undefined,
      isStale,
      notices: () => (indexes.waiting > 0 ? [`${indexes.waiting} documents are being indexed`] : []),
    }),
    notes: { clock, corpus, collections, redact: (text) => text },
    config: () => config,
    async follow(next) {
      config = next;
      await collections.follow(next);
    },
    async settled() {
      await started;
      await indexes.settled();
    },
    refreshVectors: () => refresh.refreshAll(),
    vectorsSettled: () => refresh.settled(),
    viewCollection(name) {
      const record = corpus.collection(name);
      return record && viewCollection(record, { state: "idle", progress: null, problems: [] }, config);
    },
    isStale,
    problems: () => collections.problems(),
    async stop() {
      timer.cancel();
      await refresh.stop();
      indexes.stop();
      await indexes.settled();
      await store.close();
    },
  };
}
