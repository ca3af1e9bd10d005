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
  const isInScope = compileScope(scope);
  const chosen = new IdSet();
  let seen = 0;
  let isWhole = true;
  for (const collection of knowledge.collections()) {
    const isNamed = scope.collections?.includes(collection.name) ?? true;
    for (const document of knowledge.documentsOf(collection.name)) {
      if (++seen % DOCUMENTS_A_SLICE === 0) yield;
      if (isInScope(document, collection)) {
        chosen.addRange(document.firstChunkId, document.chunkCount);
      } else {
        isWhole = false;
        if (!isNamed) break;
      }
    }
  }
  return isWhole ? undefined : chosen;
}

/** A test for a document of a collection: for what came while a search went on, too. */
export function compileScope({
  collections,
  project,
  filters,
}: SearchScope): (document: StoredDocument, collection: CollectionScope) => boolean {
  const isAnyProject = project === ANY_PROJECT || (project === undefined && collections !== undefined);
  const matches = filters.length === 0 ? undefined : compileFilters(filters);
  return (document, collection) => {
    if (collections !== undefined && !collections.includes(collection.name)) return false;
    const own = document.project ?? collection.project;
    if (!isAnyProject && own !== undefined && own !== project) return false;
    return matches?.({ path: document.id, tags: document.tags, kind: document.kind }) ?? true;
  };
}

function isEverything({ collections, project, filters }: SearchScope): boolean {
  return project === ANY_PROJECT && collections === undefined && filters.length === 0;
}
