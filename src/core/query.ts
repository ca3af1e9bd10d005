/**
 * What a person types into a search box -> words, phrases, exclusions and filters.
 *
 * Grammar: `word`, `"a phrase"`, `-word`, `-"a phrase"`, `path:`, `tag:`, `kind:` (each with `-` before it, and with
 * quotes after the colon where the value has spaces), `beginning*` for a word of which only the beginning is known.
 * Errors: none; an unfinished quote ends with the text, and what fits no form is a word.
 */
import { matchesWildcards } from "./wildcards.ts";

export interface SearchQuery {
  /** Free text: any of its words may match; more and rarer ones count for more. */
  readonly text: string;
  /** Each must occur as it stands. */
  readonly phrases: readonly string[];
  /** Words and phrases of which none may occur. */
  readonly excluded: readonly string[];
  /** The last word of the text, while it may be unfinished: it stands at the very end, or before a `*`. */
  readonly unfinished: { readonly prefix: string; readonly isMarked: boolean } | undefined;
  readonly filters: readonly MetadataFilter[];
}

export interface MetadataFilter {
  readonly field: "path" | "tag" | "kind";
  readonly value: string;
  readonly isExcluded: boolean;
}

/** What the filters look at. */
export interface Metadata {
  readonly path: string;
  readonly tags: readonly string[];
  readonly kind: string;
}

const TOKEN = /(-?)(?:(path|tag|kind):)?(?:"([^"]*)(?:"|$)|(\S+))/giu;
const LAST_WORD = /([\p{L}\p{N}\p{M}_]{1,64})(\*?)$/u;

export function parseQuery(input: string): SearchQuery {
  const words: string[] = [];
  const phrases: string[] = [];
  const excluded: string[] = [];
  const filters: MetadataFilter[] = [];
  for (const [, minus, field, quoted, bare] of input.matchAll(TOKEN)) {
    const value = quoted ?? bare ?? "";
    const isExcluded = minus === "-";
    if (field !== undefined) filters.push({ field: field.toLowerCase() as MetadataFilter["field"], value, isExcluded });
    else if (isExcluded) excluded.push(value);
    else if (quoted !== undefined) phrases.push(value);
    else words.push(value);
  }
  const text = words.join(" ");
  return { text, phrases, excluded, filters, unfinished: findUnfinished(input, text) };
}

/** Only what ends the whole input is unfinished: not a word before a quote, a filter or a space. */
function findUnfinished(input: string, text: string): SearchQuery["unfinished"] {
  const tail = LAST_WORD.exec(text.slice(-65));
  if (!tail || !input.endsWith(tail[0])) return undefined;
  return { prefix: tail[1]!.toLowerCase(), isMarked: tail[2] === "*" };
}

/**
 * A test for metadata: every filter holds; several `tag:` must all be there, of several `path:` or `kind:` one is
 * enough.
 */
export function compileFilters(filters: readonly MetadataFilter[]): (metadata: Metadata) => boolean {
  const excluding = filters.filter((filter) => filter.isExcluded).map(compileFilter);
  const tags = filters.filter((filter) => !filter.isExcluded && filter.field === "tag").map(compileFilter);
  const anyOf = (["path", "kind"] as const).map((field) =>
    filters.filter((filter) => !filter.isExcluded && filter.field === field).map(compileFilter),
  );
  return (metadata) =>
    !excluding.some((matches) => matches(metadata)) &&
    tags.every((matches) => matches(metadata)) &&
    anyOf.every((tests) => tests.length === 0 || tests.some((matches) => matches(metadata)));
}

function compileFilter({ field, value }: MetadataFilter): (metadata: Metadata) => boolean {
  const wanted = value.toLowerCase();
  if (field === "kind") return ({ kind }) => kind.toLowerCase() === wanted;
  if (field === "tag") return ({ tags }) => tags.some((tag) => tag.toLowerCase() === wanted);
  if (!/[*?]/.test(wanted)) return ({ path }) => path.toLowerCase().includes(wanted);
  return ({ path }) => matchesWildcards(path.toLowerCase(), wanted);
}
