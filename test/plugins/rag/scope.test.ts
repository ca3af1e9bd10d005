import assert from "node:assert/strict";
import { test } from "node:test";
import { selectChunks } from "../../../src/plugins/rag/scope.ts";
import type { SearchScope } from "../../../src/plugins/rag/scope.ts";
import { ScopeCache } from "../../../src/plugins/rag/scope-cache.ts";
import { testKnowledge } from "../../support/knowledge.ts";

const scopeOf = (name: string, project?: string) => ({ name, kind: "notes", project, root: undefined }) as const;

const knowledge = testKnowledge(
  [
    { collection: "open", id: "a/one.md", text: "one", tags: ["x", "y"] },
    { collection: "open", id: "b/two.ts", text: "two", kind: "code", tags: ["x"] },
    { collection: "open", id: "own", text: "own", project: "red" },
    { collection: "red", id: "red", text: "red" },
    { collection: "red", id: "blue", text: "blue in red", project: "blue" },
    { collection: "open", id: "over", text: "over" },
  ],
  { collections: [scopeOf("open"), scopeOf("red", "red"), scopeOf("empty")], isTrained: false },
);

function select(scope: Partial<SearchScope>): string[] | undefined {
  const steps = selectChunks(knowledge, { collections: undefined, project: undefined, filters: [], ...scope });
  let step = steps.next();
  while (!step.done) step = steps.next();
  const ids = step.value;
  if (!ids) return undefined;
  return Array.from({ length: 6 }, (_, id) => id)
    .filter((id) => ids.has(id))
    .map((id) => knowledge.chunk(id)!.document.id)
    .sort();
}

const filter = (field: "path" | "tag" | "kind", value: string, isExcluded = false) => ({ field, value, isExcluded });

const CASES: readonly (readonly [string, Partial<SearchScope>, readonly string[] | undefined])[] = [
  ["without a scope, only what belongs to no project", {}, ["a/one.md", "b/two.ts", "over"]],
  ["a project: its own and what belongs to none", { project: "red" }, ["a/one.md", "b/two.ts", "over", "own", "red"]],
  ["a document's own project counts first", { project: "blue" }, ["a/one.md", "b/two.ts", "blue", "over"]],
  ["all projects leave nothing out", { project: "*" }, undefined],
  ["collections bring all of their projects", { collections: ["red"] }, ["blue", "red"]],
  ["collections and a project", { collections: ["red"], project: "red" }, ["red"]],
  ["all collections by name leave nothing out", { collections: ["open", "red", "empty"] }, undefined],
  ["an empty collection", { collections: ["empty"] }, []],
  ["a tag", { filters: [filter("tag", "y")] }, ["a/one.md"]],
  ["a kind", { filters: [filter("kind", "code")] }, ["b/two.ts"]],
  ["a path with a star", { filters: [filter("path", "a/*.md")] }, ["a/one.md"]],
  ["what is excluded", { filters: [filter("tag", "x", true)] }, ["over"]],
];

for (const [title, scope, expected] of CASES) {
  test(title, () => assert.deepEqual(select(scope), expected && [...expected].sort()));
}

test("a scope is gone through once, and again when a document has come or a collection has changed", async () => {
  let walks = 0;
  let revision = 1;
  let project: string | undefined = "red";
  const changing = {
    ...knowledge,
    revision: () => revision,
    collections: () => [scopeOf("open"), scopeOf("red", project)],
    documentsOf: (name: string) => (walks++, knowledge.documentsOf(name)),
  };
  const pace = { monotonicMs: () => 0, turn: async () => undefined };
  const scopes = new ScopeCache(changing);
  const sizeOf = async (tag?: string): Promise<number | undefined> => {
    const filters = tag === undefined ? [] : [filter("tag", tag)];
    const scope = { collections: undefined, project: undefined, filters };
    return (await scopes.select(scope, pace, new AbortController().signal))?.size;
  };
  assert.deepEqual([await sizeOf(), await sizeOf(), walks], [3, 3, 2]);
  revision = 2;
  assert.deepEqual([await sizeOf(), walks], [3, 4]);
  project = undefined;
  assert.deepEqual([await sizeOf(), walks], [4, 6], "the document with no project of its own is for everyone now");
  for (let tag = 0; tag < 20; tag++) await sizeOf(`${tag}`);
  assert.deepEqual([await sizeOf(), walks], [4, 48], "only the last scopes are kept");
});
