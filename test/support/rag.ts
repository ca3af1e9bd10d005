/** The engine of the knowledge plugin on a store in memory, with what a test wants to know of its indexes. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { validate } from "../../src/core/validate.ts";
import type { Services } from "../../src/plugins/plugin.ts";
import { ragSchema } from "../../src/plugins/rag/config.ts";
import type { CorpusEvent, CorpusState } from "../../src/plugins/rag/corpus-state.ts";
import { corpusStore } from "../../src/plugins/rag/corpus-store.ts";
import { type Engine, startEngine } from "../../src/plugins/rag/engine.ts";
import { putNote } from "../../src/plugins/rag/notes.ts";
import { type MemoryStore, memoryStore } from "./memory-store.ts";
import { createOpenFolder } from "../../src/system/folder.ts";
import { findFolder } from "../../src/system/find-folder.ts";
import { fakeClock } from "./fake-clock.ts";
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
  const clock = fakeClock();
  const openFolder = createOpenFolder({ clock });
  const services = testServices({
    clock,
    openFolder,
    findFolder,
    openStore: async () => store as never,
    ...options.services,
  });
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

/** Writes files below a folder; a text by its path. */
export function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}
