/**
 * Which collections there are: those of the config, and those made through the API.
 *
 * Order: the config wins over the API, but for notes, which nothing else has: those that are there keep their name, and
 *   those that leave the config stay, as if the API had made them. A folder that leaves the config leaves the index.
 * Errors: HttpError for what the API sends.
 */
import { validate } from "../../core/validate.ts";
import type { Log } from "../../system/log.ts";
import { HttpError, refuseIssues } from "../plugin.ts";
import { type CollectionDefinition, collectionSchema, notesCollection } from "./collection.ts";
import type { RagConfig } from "./config.ts";
import type { Corpus } from "./corpus.ts";
import type { CollectionRecord } from "./corpus-state.ts";
import { isAbsolute, joinBelow } from "./paths.ts";

/** Below the home directory. */
const SESSIONS = ".pi/agent/sessions";

export interface CollectionsServices {
  readonly log: Log;
  readonly home: string;
  readonly corpus: Corpus;
  /** Why a folder may not be indexed, in a sentence; `undefined` when it may. */
  findRootFault(definition: CollectionDefinition): Promise<string | undefined>;
  /** Something changed: a collection came, went, or is another one by now. */
  onChange(): void;
}

export class Collections {
  readonly #services: CollectionsServices;
  #problems: readonly string[] = [];

  constructor(services: CollectionsServices) {
    this.#services = services;
  }

  /** Takes over the collections of the config; what cannot be written down is told by `problems` and rejects. */
  async follow({ collections }: Pick<RagConfig, "collections">): Promise<void> {
    const { corpus, log } = this.#services;
    try {
      const inTheWay = collections.flatMap((definition) => this.#findNotesInTheWay(definition));
      const taken = collections.filter(({ name }) => !inTheWay.some(({ definition }) => definition.name === name));
      const wanted = new Set(taken.map(({ name }) => name));
      for (const [name, { source, definition }] of [...corpus.state.collections]) {
        if (source === "api" || wanted.has(name)) continue;
        log.info("a collection has left the config", { collection: name, kind: definition.kind });
        if (definition.kind === "notes") await corpus.commit({ kind: "define", definition, source: "api" });
        else await corpus.commit({ kind: "remove", collection: name });
      }
      for (const definition of taken) await this.#define(complete(definition, this.#services.home), "config");
      this.#problems = inTheWay.map(
        ({ definition: { name }, documents }) =>
          `the collection "${name}" of the config is left out: it holds notes (${documents.size}), kept nowhere else; ` +
          "give it another one, or remove them and reload",
      );
    } catch (error) {
      this.#problems = [`the collections of the config could not be taken over: ${(error as Error).message}`];
      throw error;
    } finally {
      this.#services.onChange();
    }
  }

  problems(): readonly string[] {
    return this.#problems;
  }

  /** Throws 404. */
  need(name: string): CollectionRecord {
    const record = this.#services.corpus.collection(name);
    if (record === undefined) throw new HttpError(404, "NOT_FOUND", `there is no collection ${JSON.stringify(name)}`);
    return record;
  }

  async create(sent: unknown): Promise<CollectionRecord> {
    const definition = await this.#read(sent);
    if (this.#services.corpus.collection(definition.name) !== undefined) {
      throw new HttpError(409, "CONFLICT", `there is a collection "${definition.name}" already; PUT changes it`);
    }
    return this.#write(definition);
  }

  async replace(name: string, sent: unknown): Promise<{ readonly isNew: boolean }> {
    const isNew = this.#services.corpus.collection(name) === undefined;
    if (!isNew) this.#refuseForeign(name);
    const definition = await this.#read(isObject(sent) && !Object.hasOwn(sent, "name") ? { name, ...sent } : sent);
    if (definition.name !== name)
      throw refuseIssues([{ path: "name", message: `is "${definition.name}", but the address says "${name}"` }]);
    await this.#write(definition);
    return { isNew };
  }

  async remove(name: string): Promise<void> {
    this.#refuseForeign(name);
    await this.#services.corpus.commit({ kind: "remove", collection: name });
    this.#services.onChange();
  }

  /** The notes of this name, which the first of them makes. Throws 409 where it is of another kind. */
  async needNotes(name: string): Promise<CollectionRecord> {
    const record = this.#services.corpus.collection(name);
    if (record === undefined) return this.#write(await this.#read(notesCollection(name)));
    if (record.definition.kind === "notes") return record;
    const message = `the documents of "${name}" come from ${record.definition.root}: change the files there`;
    throw new HttpError(409, "CONFLICT", message);
  }

  #findNotesInTheWay({ name, kind }: CollectionDefinition): CollectionRecord[] {
    const there = this.#services.corpus.collection(name);
    return kind !== "notes" && there?.definition.kind === "notes" && there.documents.size > 0 ? [there] : [];
  }

  #refuseForeign(name: string): void {
    if (this.need(name).source === "api") return;
    const message = `the collection "${name}" stands in the config: change it there, then reload`;
    throw new HttpError(409, "CONFLICT", message);
  }

  #refuseOtherKind({ name, kind }: CollectionDefinition): void {
    const before = this.#services.corpus.collection(name)?.definition;
    if (before === undefined || before.kind === kind) return;
    const message = `the collection "${name}" is of kind ${before.kind}: remove it before it becomes another`;
    throw new HttpError(409, "CONFLICT", message);
  }

  async #read(sent: unknown): Promise<CollectionDefinition> {
    const checked = validate(collectionSchema, sent);
    if (!checked.ok) throw refuseIssues(checked.issues);
    const definition = complete(checked.value, this.#services.home);
    const { root } = definition;
    if (root !== null && !isAbsolute(root))
      throw refuseIssues([{ path: "root", message: `expected an absolute path, got ${JSON.stringify(root)}` }]);
    this.#refuseOtherKind(definition);
    const fault = definition.kind === "notes" ? undefined : await this.#services.findRootFault(definition);
    if (fault !== undefined) throw refuseIssues([{ path: "root", message: fault }]);
    return definition;
  }

  async #write(definition: CollectionDefinition): Promise<CollectionRecord> {
    await this.#define(definition, "api");
    this.#services.onChange();
    return this.need(definition.name);
  }

  async #define(definition: CollectionDefinition, source: "config" | "api"): Promise<void> {
    const { corpus } = this.#services;
    const before = corpus.collection(definition.name);
    if (before !== undefined) {
      if (before.source === source && JSON.stringify(before.definition) === JSON.stringify(definition)) return;
      if (isOtherSource(before.definition, definition))
        await corpus.commit({ kind: "remove", collection: definition.name });
    }
    await corpus.commit({ kind: "define", definition, source });
  }
}

/** Documents of the one are none of the other. */
function isOtherSource(before: CollectionDefinition, after: CollectionDefinition): boolean {
  return before.kind !== after.kind || before.root !== after.root || before.toolOutput !== after.toolOutput;
}

/** With an absolute root, where one is needed: without one, sessions are where pi keeps them. */
function complete(definition: CollectionDefinition, home: string): CollectionDefinition {
  const { kind, root } = definition;
  if (root === null) return kind === "sessions" ? { ...definition, root: joinBelow(home, SESSIONS) } : definition;
  return { ...definition, root: root === "~" ? home : root.replace(/^~(?=\/)/, home) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
