/**
 * Collections, a project and filters -> the ids of the chunks that a search may find.
 *
 * Order: collections that are named bring all of their projects; a project brings what belongs to it and what belongs
 * to none; without either, only what belongs to none is searched. A document's own project counts before that of its
 * collection.
 * Cost: a test for each document, a few writes for its chunks however many there are; it yields now and then.
 */
import { IdSet } from "../../core/id-set.ts";
import { compileFilters } from "../../core/query.ts";
import type { MetadataFilter } from "../../core/query.ts";
import type { StoredDocument } from "./document.ts";
import type { CollectionScope, Knowledge } from "./knowledge.ts";

export interface SearchScope {
  /** `undefined`: all. */
  readonly collections: readonly string[] | undefined;
  readonly project: string | undefined;
  readonly filters: readonly MetadataFilter[];
}

/** As a project: whatever the project. */
export const ANY_PROJECT = "*";

type Sources = Pick<Knowledge, "collections" | "documentsOf">;

const DOCUMENTS_A_SLICE = 2048;

/** `undefined` where nothing is left out. */
export function* selectChunks(knowledge: Sources, scope: SearchScope): Generator<void, IdSet | undefined> {
  if (isEverything(scope)) return undefined;
  const matches = scope.filters.length === 0 ? undefined : compileFilters(scope.filters);
  const chosen = new IdSet();
  let seen = 0;
  let isWhole = true;
  for (const collection of knowledge.collections()) {
    const isNamed = scope.collections?.includes(collection.name) ?? true;
    for (const document of knowledge.documentsOf(collection.name)) {
      if (++seen % DOCUMENTS_A_SLICE === 0) yield;
      const isFound = isNamed && isInProject(document, collection, scope);
      if (isFound && (matches?.({ path: document.id, tags: document.tags, kind: document.kind }) ?? true)) {
        chosen.addRange(document.firstChunkId, document.chunkCount);
      } else {
        isWhole = false;
        if (!isNamed) break;
      }
    }
  }
  return isWhole ? undefined : chosen;
}

function isEverything({ collections, project, filters }: SearchScope): boolean {
  return project === ANY_PROJECT && collections === undefined && filters.length === 0;
}

function isInProject(document: StoredDocument, collection: CollectionScope, scope: SearchScope): boolean {
  const { project } = scope;
  if (project === ANY_PROJECT || (project === undefined && scope.collections !== undefined)) return true;
  const own = document.project ?? collection.project;
  return own === undefined || own === project;
}
