/** Looks at folders on demand: for the API, and for jobs. */
import type { Action } from "../../system/actions.ts";
import type { Engine } from "./engine.ts";
import type { ReindexReport } from "./indexer.ts";

/** `full`: also what has not changed, and all vectors. Resolves when searches answer as the folder is. */
export async function reindexCollection(
  { indexer, refresh, settled }: Engine,
  collection: string,
  { full }: { readonly full: boolean },
): Promise<ReindexReport> {
  const report = await indexer.reindex(collection, { isFull: full });
  await settled();
  if (full) await refresh.refreshAll();
  return report;
}

/** The action `rag.reindex`: of one collection, or of all; rejects when one could not be looked at. */
export function reindexAction(engine: Engine): Action {
  return async ({ collection, full = false }, signal) => {
    if (collection !== undefined && typeof collection !== "string")
      throw new TypeError("collection: expected the name of a collection");
    const names = collection === undefined ? [...engine.corpus.state.collections.keys()].sort() : [collection];
    const lines: string[] = [];
    const problems: string[] = [];
    for (const name of names) {
      signal.throwIfAborted();
      engine.collections.need(name);
      const report = await reindexCollection(engine, name, { full: full === true });
      lines.push(describeReport(report));
      problems.push(...report.problems.map((problem) => `${name}: ${problem}`));
    }
    if (problems.length > 0) throw new Error(problems.join("; "));
    return lines.join("\n");
  };
}

function describeReport({ collection, added, changed, removed, unchanged }: ReindexReport): string {
  return `${collection}: ${added} added, ${changed} changed, ${removed} removed, ${unchanged} as they were`;
}
