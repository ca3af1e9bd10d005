/**
 * The knowledge plugin: folders, notes and pi's sessions, kept as chunks that a search finds.
 *
 * The parts: `collections.ts` says which collections there are, `corpus.ts` keeps their documents, `texts.ts` reads
 * them, `sealer.ts` moves them out of memory; `indexer.ts` looks at folders; `indexes.ts` finds chunks,
 * `leg-refresh.ts` keeps the vectors young, `index-cache.ts` saves the next start from making it all again;
 * `knowledge-view.ts` is what a search sees of it all, `engine.ts` puts it together. `search.ts` answers queries,
 * `context.ts` makes blocks for prompts.
 */
import type { Plugin, PluginFactory, Services } from "../plugin.ts";
import { type RagConfig, ragSchema } from "./config.ts";
import { startEngine } from "./engine.ts";
import { reindexAction } from "./reindex.ts";
import { corpusRoutes } from "./routes-corpus.ts";
import { searchRoutes } from "./routes-search.ts";

export const ragPlugin: PluginFactory<RagConfig> = { name: "rag", schema: ragSchema, create };

/** For the indexes of a large corpus to be written down, from which the next start takes them up. */
const STOP_MS = 60_000;

async function create(services: Services, initialConfig: RagConfig): Promise<Plugin> {
  const engine = await startEngine(services, initialConfig);
  const { state } = engine.corpus;
  const offers = [
    services.actions.offer("rag.reindex", reindexAction(engine)),
    services.actions.offer("rag.prune", async () => `dropped ${await engine.expire()} documents past their time`),
  ];
  return {
    routes: [...corpusRoutes(services, engine), ...searchRoutes(services, engine.knowledge, engine.config)],
    reconfigure: (next) => engine.follow(next as RagConfig),
    problems: () => engine.problems(),
    stats: () => ({ collections: state.collections.size, documents: state.documentCount, chunks: state.chunkCount }),
    stopWithinMs: STOP_MS,
    async stop() {
      for (const takeBack of offers) takeBack();
      await engine.stop();
    },
  };
}
