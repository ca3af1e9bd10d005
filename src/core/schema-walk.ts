/**
 * Walks along a schema: the leaves of a value with what the schema says of them, and the settings of an object schema.
 *
 * Order: that of the schema's keys; keys that it does not name come last, in their own order.
 */
import { type Mark, Refusal, type Schema } from "./schema.ts";

export interface Leaf {
  readonly path: string;
  readonly value: unknown;
  /** The mark of the schema, or else of the nearest one above that has one. */
  readonly mark: Mark | undefined;
}

/** A copy of a checked value in which `change` has replaced every leaf: whatever is neither an object nor an array. */
export function mapLeaves(schema: Schema<unknown>, value: unknown, change: (leaf: Leaf) => unknown): unknown {
  function map(here: Schema<unknown> | undefined, value: unknown, path: string, inherited: Mark | undefined): unknown {
    const at = choose(here, value);
    const mark = at?.mark ?? inherited;
    if (typeof value !== "object" || value === null) return change({ path, value, mark });
    const below = (key: string): string => (path === "" ? key : `${path}.${key}`);
    if (Array.isArray(value)) return value.map((item, index) => map(at?.item, item, below(String(index)), mark));
    const entries = Object.entries(value);
    const inOrder = at?.fields ? sortByKeys(entries, [...at.fields.keys()]) : entries;
    const mapped = inOrder.map(([key, item]) => [key, map(at?.fields?.get(key) ?? at?.item, item, below(key), mark)]);
    // The copy of a record inherits nothing, as the record itself.
    return Object.setPrototypeOf(Object.fromEntries(mapped), Object.getPrototypeOf(value) as object | null);
  }
  return map(schema, value, "", undefined);
}

/** What a schema says of what stands below a key of a value, or below an index. */
export function schemaBelow(schema: Schema<unknown> | undefined, key: string): Schema<unknown> | undefined {
  return schema?.fields?.get(key) ?? schema?.item;
}

/** One setting of an object schema: a key that has no named keys below it. */
export interface Setting {
  readonly path: string;
  /** What it takes: `an integer from 0 to 65535`. */
  readonly expected: string;
  /** What an absent key stands for; `undefined` when it has no default. */
  readonly fallback: unknown;
  readonly isSecret: boolean;
}

/** Every setting below an object schema, with its default. */
export function listSettings(schema: Schema<unknown>): readonly Setting[] {
  function list(at: Schema<unknown>, path: string, inherited: unknown): Setting[] {
    const fallback = inherited === undefined ? at.fallback : inherited;
    if (!at.fields) return [{ path, expected: at.expected, fallback, isSecret: at.mark === "secret" }];
    const below = (key: string): string => (path === "" ? key : `${path}.${key}`);
    return [...at.fields].flatMap(([key, field]) => list(field, below(key), ownValue(fallback, key)));
  }
  return list(schema, "", undefined);
}

/** Of alternatives, the one that took the value. */
function choose(schema: Schema<unknown> | undefined, value: unknown): Schema<unknown> | undefined {
  if (!schema?.choices) return schema;
  const taken = schema.choices.find((choice) => !(choice.check(value) instanceof Refusal));
  return taken === undefined ? schema : { ...choose(taken, value)!, ...(schema.mark && { mark: schema.mark }) };
}

function sortByKeys(entries: [string, unknown][], keys: readonly string[]): [string, unknown][] {
  const rank = (key: string): number => (keys.includes(key) ? keys.indexOf(key) : keys.length);
  return entries.sort(([a], [b]) => rank(a) - rank(b));
}

function ownValue(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}
