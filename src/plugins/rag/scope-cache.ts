/**
 * What a search may find, remembered from search to search until documents come or collections change.
 *
 * Cost: going through 100 000 documents takes longer than all else in a search by words; a set of half a million ids
 * takes 62 KB. What has been removed stays in a set, and is in no index.
 */
import type { IdSet } from "../../core/id-set.ts";
import type { Knowledge } from "./knowledge.ts";
import { selectChunks } from "./scope.ts";
import type { SearchScope } from "./scope.ts";
import { runInSlices } from "./slices.ts";
import type { Pace } from "./slices.ts";

const MOST_KEPT = 16;

/** A set that is not there stands for everything. */
interface Selection {
  readonly revision: number;
  readonly ids: IdSet | undefined;
}

export class ScopeCache {
  readonly #knowledge: Knowledge;
  /** The one asked for last is the last. */
  readonly #selections = new Map<string, Selection>();

  constructor(knowledge: Knowledge) {
    this.#knowledge = knowledge;
  }

  /** As `selectChunks`, in slices. */
  async select(scope: SearchScope, pace: Pace, signal: AbortSignal): Promise<IdSet | undefined> {
    const key = this.#keyOf(scope);
    const revision = this.#knowledge.revision();
    const known = this.#selections.get(key);
    this.#selections.delete(key);
    const ids =
      known?.revision === revision ? known.ids : await runInSlices(selectChunks(this.#knowledge, scope), pace, signal);
    this.#selections.set(key, { revision, ids });
    if (this.#selections.size > MOST_KEPT) this.#selections.delete(this.#selections.keys().next().value!);
    return ids;
  }

  /** With the projects of all collections, which may change without any document. */
  #keyOf({ collections, project, filters }: SearchScope): string {
    const known = Array.from(this.#knowledge.collections(), ({ name, project: own }) => [name, own]);
    return JSON.stringify([collections, project, filters, known]);
  }
}
