/** Ways to search a collection: this project's own, and others as their documentation sets them up for English text. */
import { createRequire } from "node:module";
import { LexicalIndex } from "../../../src/core/bm25.ts";
import type { Field } from "../../../src/core/bm25.ts";
import { fuseLegs, LEG_DEPTH, LEG_WEIGHTS } from "../../../src/core/fuse.ts";
import { HASHED_DIMENSIONS, HashedEncoder } from "../../../src/core/hashed-vectors.ts";
import { encodeLatent, LATENT_DIMENSIONS, trainLatent } from "../../../src/core/latent.ts";
import type { LatentModel } from "../../../src/core/latent.ts";
import { stem } from "../../../src/core/porter.ts";
import { STOP_WORDS } from "../../../src/core/stop-words.ts";
import { VectorIndex } from "../../../src/core/vectors.ts";
import type { Packages } from "./aside.ts";
import type { CollectionDocument } from "./collections.ts";

/** The positions of the ten best documents. */
export type Search = (query: string) => number[];

export interface Engine {
  readonly name: string;
  readonly index: (documents: readonly CollectionDocument[]) => Search;
}

const fieldsOf = ({ title, text }: CollectionDocument): Field[] => [
  { text: title, weight: 2 },
  { text, weight: 1 },
];

export function indexLexically(documents: readonly CollectionDocument[]): LexicalIndex {
  const index = new LexicalIndex();
  documents.forEach((document, id) => index.add(id, fieldsOf(document)));
  index.seal();
  return index;
}

export const LEXICAL: Engine = {
  name: "bm25",
  index(documents) {
    const index = indexLexically(documents);
    return (text) => index.search({ text }, { k: 10 }).map(({ id }) => id);
  },
};

export const HYBRID: Engine = {
  name: "hybrid",
  index(documents) {
    const fields = documents.map(fieldsOf);
    const lexical = indexLexically(documents);
    const encoder = new HashedEncoder();
    for (const document of fields) encoder.learn(document);
    const hashed = new VectorIndex({ dimensions: HASHED_DIMENSIONS, format: "int8" });
    fields.forEach((document, id) => hashed.add(id, encoder.encode(document)));
    const model = trainAtOnce(fields);
    const latent = new VectorIndex({ dimensions: LATENT_DIMENSIONS, format: "int8" });
    fields.forEach((document, id) => latent.add(id, encodeLatent(document, model)));
    const options = { k: LEG_DEPTH };
    return (text) => {
      const query = [{ text, weight: 1 }];
      const legs = [
        { weight: LEG_WEIGHTS.lexical, depth: LEG_DEPTH, hits: lexical.search({ text }, options) },
        { weight: LEG_WEIGHTS.hashed, depth: LEG_DEPTH, hits: hashed.search(encoder.encode(query), options) },
        { weight: LEG_WEIGHTS.latent, depth: LEG_DEPTH, hits: latent.search(encodeLatent(query, model), options) },
      ];
      return fuseLegs(legs, 10).map(({ id }) => id);
    };
  },
};

export function trainAtOnce(documents: readonly (readonly Field[])[]): LatentModel {
  const steps = trainLatent({ documentCount: documents.length, documentAt: (at) => documents[at]! });
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** `node:sqlite` with its full-text extension: Porter stemming, any of the words, titles counted twice. */
export function fts5(): Engine | undefined {
  const { DatabaseSync } = createRequire(import.meta.url)("node:sqlite") as typeof import("node:sqlite");
  const probe = new DatabaseSync(":memory:");
  try {
    probe.exec("CREATE VIRTUAL TABLE probe USING fts5(text)");
  } catch {
    console.log("(without SQLite FTS5: this Node's SQLite has none)");
    return undefined;
  }
  return {
    name: "SQLite FTS5",
    index(documents) {
      const database = new DatabaseSync(":memory:");
      database.exec("CREATE VIRTUAL TABLE documents USING fts5(title, text, tokenize = 'porter unicode61'); BEGIN");
      const insert = database.prepare("INSERT INTO documents (rowid, title, text) VALUES (?, ?, ?)");
      documents.forEach(({ title, text }, id) => insert.run(id + 1, title, text));
      database.exec("COMMIT");
      const ranking = "ORDER BY bm25(documents, 2.0, 1.0) LIMIT 10";
      const select = database.prepare(`SELECT rowid FROM documents WHERE documents MATCH ? ${ranking}`);
      return (query) => {
        const words = query.match(/[\p{L}\p{N}]+/gu) ?? [];
        if (words.length === 0) return [];
        return select.all(words.map((word) => `"${word}"`).join(" OR ")).map(({ rowid }) => Number(rowid) - 1);
      };
    },
  };
}

interface MiniSearchLibrary {
  new (options: object): {
    addAll(documents: readonly object[]): void;
    search(query: string, options: object): { id: number }[];
  };
}

/** MiniSearch, given this project's stemmer and stop words. */
export function miniSearch(packages: Packages): Engine | undefined {
  const loaded = packages.load("minisearch") as MiniSearchLibrary | { default: MiniSearchLibrary } | undefined;
  if (!loaded) return undefined;
  const MiniSearch = "default" in loaded ? loaded.default : loaded;
  const processTerm = (term: string): string | null => {
    const word = term.toLowerCase();
    return STOP_WORDS.has(word) ? null : stem(word);
  };
  return {
    name: "MiniSearch",
    index(documents) {
      const index = new MiniSearch({ fields: ["title", "text"], processTerm });
      index.addAll(documents.map(({ title, text }, id) => ({ id, title, text })));
      return (query) =>
        index
          .search(query, { boost: { title: 2 } })
          .slice(0, 10)
          .map(({ id }) => id);
    },
  };
}

interface LunrBuilder {
  ref(name: string): void;
  field(name: string, options?: object): void;
  add(document: object): void;
}
interface LunrLibrary {
  (configure: (this: LunrBuilder) => void): {
    query(build: (query: { term(terms: unknown, options: object): void }) => void): { ref: string }[];
  };
  tokenizer(text: string): unknown;
}

export function lunrSearch(packages: Packages): Engine | undefined {
  const lunr = packages.load("lunr") as LunrLibrary | undefined;
  if (!lunr) return undefined;
  return {
    name: "lunr",
    index(documents) {
      const index = lunr(function () {
        this.ref("id");
        this.field("title", { boost: 2 });
        this.field("text");
        documents.forEach(({ title, text }, id) => this.add({ id, title, text }));
      });
      const search = (query: string) => index.query((built) => built.term(lunr.tokenizer(query), {}));
      return (query) =>
        search(query)
          .slice(0, 10)
          .map(({ ref }) => Number(ref));
    },
  };
}

interface OramaLibrary {
  create(options: object): object;
  insert(database: object, document: object): unknown;
  search(database: object, query: object): { hits: { document: { position: number } }[] };
}

export function orama(packages: Packages): Engine | undefined {
  const library = packages.load("@orama/orama") as OramaLibrary | undefined;
  if (!library) return undefined;
  return {
    name: "Orama",
    index(documents) {
      const schema = { position: "number", title: "string", text: "string" };
      const tokenizer = { stemming: true, language: "english" };
      const database = library.create({ schema, components: { tokenizer } });
      documents.forEach(({ title, text }, position) => library.insert(database, { position, title, text }));
      const options = { properties: ["title", "text"], boost: { title: 2 }, limit: 10, threshold: 1 };
      return (term) => library.search(database, { term, ...options }).hits.map(({ document }) => document.position);
    },
  };
}

interface WinkEngine {
  defineConfig(options: object): void;
  definePrepTasks(tasks: readonly unknown[]): void;
  addDoc(document: object, id: number): void;
  consolidate(): void;
  search(query: string, limit: number): [string, number][];
}
interface WinkUtilities {
  readonly string: Readonly<Record<"lowerCase" | "tokenize0", unknown>>;
  readonly tokens: Readonly<Record<"removeWords" | "stem", unknown>>;
}

export function winkBm25(packages: Packages): Engine | undefined {
  const create = packages.load("wink-bm25-text-search") as (() => WinkEngine) | undefined;
  const utilities = packages.load("wink-nlp-utils") as WinkUtilities | undefined;
  if (!create || !utilities) return undefined;
  return {
    name: "wink-bm25",
    index(documents) {
      const engine = create();
      engine.defineConfig({ fldWeights: { title: 2, text: 1 } });
      const { string, tokens } = utilities;
      engine.definePrepTasks([string.lowerCase, string.tokenize0, tokens.removeWords, tokens.stem]);
      documents.forEach(({ title, text }, id) => engine.addDoc({ title, text }, id));
      engine.consolidate();
      return (query) => engine.search(query, 10).map(([id]) => Number(id));
    },
  };
}
