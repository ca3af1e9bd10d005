/** The engine of the knowledge plugin on a store in memory, with what a test wants to know of its indexes. */
import type { TestContext } from "node:test";
import { validate } from "../../src/core/validate.ts";
import type { Services } from "../../src/plugins/plugin.ts";
import { ragSchema } from "../../src/plugins/rag/config.ts";
import type { CorpusEvent, CorpusState } from "../../src/plugins/rag/corpus-state.ts";
import { corpusStore } from "../../src/plugins/rag/corpus-store.ts";
import { type Engine, startEngine } from "../../src/plugins/rag/engine.ts";
import { putNote } from "../../src/plugins/rag/notes.ts";
import { type MemoryStore, memoryStore } from "./memory-store.ts";
import { testServices } from "./services.ts";

export interface TestRag {
  readonly engine: Engine;
  readonly services: Services;
  readonly store: MemoryStore<CorpusState, CorpusEvent>;
  put(id: string, text: string, more?: Readonly<Record<string, unknown>>): Promise<void>;
  drop(...ids: string[]): Promise<void>;
  /** Ids of the documents that a search for words finds, best first. */
  find(text: string): string[];
}

export async function startTestRag(
  t: TestContext,
  options: { readonly config?: object; readonly services?: Partial<Services> } = {},
): Promise<TestRag> {
  const checked = validate(ragSchema, options.config ?? {});
  if (!checked.ok) throw new TypeError(JSON.stringify(checked.issues));
  const store = memoryStore(corpusStore);
  const services = testServices({ openStore: async () => store as never, ...options.services });
  const engine = await startEngine(services, checked.value);
  t.after(() => engine.stop());
  return {
    engine,
    services,
    store,
    async put(id, text, more = {}) {
      await putNote(engine.notes, { collection: "notes", id }, { text, ...more });
      await engine.settled();
    },
    async drop(...ids) {
      await engine.corpus.commit({ kind: "drop", collection: "notes", ids });
      await engine.settled();
    },
    find(text) {
      const hits = engine.indexes.lexical.search({ text }, { k: 10 });
      return hits.map(({ id }) => engine.knowledge.chunk(id)?.document.id ?? `gone: ${id}`);
    },
  };
}
