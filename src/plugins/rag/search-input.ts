/**
 * The query string or the body of a search -> a checked search request, or a 400 that says what is wrong where.
 *
 * Errors: HttpError 400 with the path of each fault; a key that nobody knows is told the nearest that is known.
 */
import type { MetadataFilter } from "../../core/query.ts";
import {
  array,
  boolean,
  type Infer,
  integer,
  object,
  oneOf,
  optional,
  refine,
  type Schema,
  string,
  validate,
  withDefault,
} from "../../core/validate.ts";
import type { Request } from "../../system/http.ts";
import { HttpError, refuseIssues } from "../plugin.ts";
import { LEAST_BUDGET_TOKENS } from "./context.ts";
import { SEARCH_MODES } from "./legs.ts";
import { readQuery } from "./read-query.ts";

const LONGEST_QUERY = 2000;
const MOST_FILTERS = 32;
/** Phrases and exclusions: each is looked for in every candidate. */
const MOST_CONSTRAINTS = 64;
const MOST_HITS = 100;
const LARGEST_BUDGET = 100_000;
const KINDS = ["markdown", "code", "text", "session"] as const;

const queryText = refine(string({ minLength: 1, maxLength: LONGEST_QUERY, wellFormed: true }), (text) => {
  const { filters, phrases, excluded } = readQuery(text).query;
  if (filters.length > MOST_FILTERS) return `expected at most ${MOST_FILTERS} filters, got ${filters.length}`;
  const constraints = phrases.length + excluded.length;
  if (constraints <= MOST_CONSTRAINTS) return undefined;
  return `expected at most ${MOST_CONSTRAINTS} phrases and excluded words, got ${constraints}`;
});
const filterText = string({ minLength: 1, maxLength: 256 });
const listOf = (item: Schema<string>) => optional(array(item, { max: MOST_FILTERS }));
const filters = { path: listOf(filterText), tag: listOf(filterText), kind: listOf(oneOf(KINDS)) };
const scope = {
  q: queryText,
  project: optional(string({ minLength: 1, maxLength: 128 })),
  mode: withDefault(oneOf(SEARCH_MODES), "hybrid"),
};
const collections = array(string({ minLength: 1, maxLength: 64 }), { min: 1, max: 1000 });
const hits = {
  k: withDefault(integer({ min: 1, max: MOST_HITS }), 10),
  explain: withDefault(boolean(), false),
  per: withDefault(oneOf(["chunk", "document"]), "chunk"),
};
const budget = integer({ min: LEAST_BUDGET_TOKENS, max: LARGEST_BUDGET });

const searchBody = object({
  ...scope,
  ...hits,
  collections: optional(collections),
  filters: withDefault(object(filters), {}),
  budget: optional(budget),
});
const searchQuery = object({ ...scope, ...hits, ...filters, collection: optional(collections) });
const contextBody = object({
  ...scope,
  collections: optional(collections),
  filters: withDefault(object(filters), {}),
  k: optional(integer({ min: 1, max: MOST_HITS })),
  budget: withDefault(budget, 2000),
});

export type SearchInput = Omit<Infer<typeof searchBody>, "filters"> & { readonly filters: readonly MetadataFilter[] };
export type ContextInput = Omit<Infer<typeof contextBody>, "filters" | "k"> & {
  readonly filters: readonly MetadataFilter[];
  readonly k: number;
};

export function readSearchBody({ json }: Request): SearchInput {
  const { filters: given, ...rest } = check(searchBody, needBody(json));
  return { ...rest, filters: toFilters(given) };
}

export function readSearchQuery({ query }: Request): SearchInput {
  const { path, tag, kind, collection, ...rest } = check(searchQuery, toObject(query));
  const named = collection === undefined ? {} : { collections: collection };
  return { ...rest, ...named, filters: toFilters({ path, tag, kind }) };
}

export function readContextBody({ json }: Request): ContextInput {
  const { filters: given, ...rest } = check(contextBody, needBody(json));
  return { ...rest, k: rest.k ?? hitsFor(rest.budget), filters: toFilters(given) };
}

/** A chunk takes 200 tokens and more; what is said already is left out, and small ones fill what room is left. */
function hitsFor(budgetTokens: number): number {
  return Math.min(MOST_HITS, 10 + Math.ceil(budgetTokens / 60));
}

function check<T>(schema: Schema<T>, value: unknown): T {
  const checked = validate(schema, value);
  if (!checked.ok) throw refuseIssues(checked.issues);
  return checked.value;
}

function needBody(json: unknown): unknown {
  if (json === undefined) throw new HttpError(400, "BAD_REQUEST", "expected a JSON object in the body");
  return json;
}

type Given = Partial<Record<MetadataFilter["field"], readonly string[] | undefined>>;

function toFilters(given: Given): MetadataFilter[] {
  return (["path", "tag", "kind"] as const).flatMap((field) =>
    (given[field] ?? []).map((value) => ({ field, value, isExcluded: false })),
  );
}

/** Parameters that may be given several times; collections also with commas between them. */
const LISTS = new Set(["collection", "path", "tag", "kind"]);

/** A parameter that may stand once is a list where it stands more often, which its schema refuses. */
function toObject(query: URLSearchParams): Record<string, unknown> {
  const given = Map.groupBy(query, ([name]) => name);
  const entries = [...given].map(([name, pairs]): [string, unknown] => {
    const texts = pairs.map(([, value]) => value);
    if (name === "collection") return [name, texts.flatMap((text) => text.split(",").map((part) => part.trim()))];
    if (LISTS.has(name) || texts.length > 1) return [name, texts];
    return [name, readValue(name, texts[0]!)];
  });
  return Object.fromEntries(entries);
}

function readValue(name: string, text: string): unknown {
  if (name === "k" && /^\d{1,9}$/.test(text)) return Number(text);
  if (name !== "explain") return text;
  return ["", "1", "true"].includes(text) ? true : ["0", "false"].includes(text) ? false : text;
}
