/**
 * The knowledge plugin: folders, notes and pi's sessions, kept as chunks that a search finds.
 *
 * The parts: `collections.ts` says which collections there are, `corpus.ts` keeps their documents, `texts.ts` reads
 * them, `indexes.ts` finds their chunks, `leg-refresh.ts` keeps the vectors young; `knowledge-view.ts` is what a search
 * sees of it all; `engine.ts` puts them together.
 */
import type { Plugin, PluginFactory, Services } from "../plugin.ts";
import { type RagConfig, ragSchema } from "./config.ts";
import { startEngine } from "./engine.ts";
import { corpusRoutes } from "./routes-corpus.ts";

export const ragPlugin: PluginFactory<RagConfig> = { name: "rag", schema: ragSchema, create };

async function create(services: Services, initialConfig: RagConfig): Promise<Plugin> {
  const engine = await startEngine(services, initialConfig);
  const { state } = engine.corpus;
  return {
    routes: corpusRoutes(services, engine),
    reconfigure: (next) => engine.follow(next as RagConfig),
    problems: () => engine.problems(),
    stats: () => ({ collections: state.collections.size, documents: state.documentCount, chunks: state.chunkCount }),
    stop: () => engine.stop(),
  };
}
