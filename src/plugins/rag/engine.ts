/** The knowledge plugin without its faces: the store, the corpus and what keeps it, put together. */
import type { Services } from "../plugin.ts";
import { Collections } from "./collections.ts";
import type { RagConfig } from "./config.ts";
import { Corpus } from "./corpus.ts";
import { corpusStore } from "./corpus-store.ts";
import type { StoredDocument } from "./document.ts";
import type { NoteServices } from "./notes.ts";
import { Texts } from "./texts.ts";
import { type CollectionView, viewCollection } from "./views.ts";

export interface Engine {
  readonly corpus: Corpus;
  readonly collections: Collections;
  readonly texts: Texts;
  readonly notes: NoteServices;
  readonly config: () => RagConfig;
  follow(config: RagConfig): Promise<void>;
  /** Resolves when all that has been stored by now can be found. */
  settled(): Promise<void>;
  viewCollection(name: string): CollectionView | undefined;
  isStale(document: StoredDocument): Promise<boolean>;
  problems(): readonly string[];
  stop(): Promise<void>;
}

export async function startEngine(services: Services, initialConfig: RagConfig): Promise<Engine> {
  const { clock, log, host } = services;
  let config = initialConfig;
  const store = await services.openStore("knowledge", corpusStore);
  const corpus = new Corpus(store, () => config);
  const collections = new Collections({
    log,
    corpus,
    home: host.home,
    findRootFault: async () => undefined,
    onChange: () => undefined,
  });
  const engine: Engine = {
    corpus,
    collections,
    texts: new Texts(corpus),
    notes: { clock, corpus, collections, redact: (text) => text },
    config: () => config,
    async follow(next) {
      config = next;
      await collections.follow(next);
    },
    settled: async () => undefined,
    viewCollection(name) {
      const record = corpus.collection(name);
      return record && viewCollection(record, { state: "idle", progress: null, problems: [] }, config);
    },
    isStale: async () => false,
    problems: () => collections.problems(),
    stop: () => store.close(),
  };
  try {
    await collections.follow(config);
  } catch (error) {
    log.error("the collections of the config are not taken over", { error: (error as Error).message });
  }
  return engine;
}
