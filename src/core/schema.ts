/**
 * What a schema is: a check of an unknown value, with enough of its structure kept to walk a value along it.
 *
 * Errors: bad input is answered with a {@link Refusal}, never thrown; a schema that contradicts itself throws TypeError
 * where it is built.
 */
import { quote, shorten } from "./printable.ts";

/**
 * One thing wrong with a value: where (`metrics.0.name`; the empty path is the value itself), and what was expected.
 */
export interface Issue {
  readonly path: string;
  readonly message: string;
}

/**
 * `secret`: never shown. `plain`: no secret, wherever it comes from. `path`: a path, `~/` being the home directory.
 * `verbatim`: a `${` in it means itself.
 */
export type Mark = "secret" | "plain" | "path" | "verbatim";

export interface Schema<out T> {
  /** What it takes, as it stands after "expected": `an integer from 0 to 65535`. */
  readonly expected: string;
  /** The value, typed and with defaults filled in, or what is wrong with it. The input is never changed. */
  readonly check: (value: unknown) => T | Refusal;
  /** In an object, the key may be left out. */
  readonly optional?: true;
  /** In an object, what an absent key stands for: already checked, frozen. */
  readonly fallback?: unknown;
  readonly mark?: Mark;
  /** The schemas below this one: of an object's keys, of every item of an array or record, of alternatives. */
  readonly fields?: ReadonlyMap<string, Schema<unknown>>;
  readonly item?: Schema<unknown>;
  readonly choices?: readonly Schema<unknown>[];
}

/** A schema whose key an object may leave out; the key is then absent from the result. */
export interface OptionalSchema<out T> extends Schema<T> {
  readonly optional: true;
}

/** The type of the values that a schema gives back. */
export type Infer<S> = S extends Schema<infer T> ? T : never;

/** What is wrong with a value. A class of its own, so that a check can answer with it or with any value at all. */
export class Refusal {
  readonly issues: Issue[];

  constructor(issues: Issue[]) {
    this.issues = issues;
  }
}

/** A caller learns enough from this many issues; without a bound, hostile input could ask for millions. */
export const MAX_ISSUES = 50;

export function refuse(path: string, message: string): Refusal {
  return new Refusal([{ path, message }]);
}

/** The refusal of a value that is not what the schema expects. */
export function refuseValue(expected: string, value: unknown): Refusal {
  return refuse("", `expected ${expected}, got ${describeValue(value)}`);
}

/** Adds what is wrong below `key` to what was wrong before; answers the joint refusal. */
export function addBelow(before: Refusal | undefined, key: string | number, below: Refusal): Refusal {
  const shownKey = typeof key === "number" ? String(key) : shorten(key, 64);
  const move = (path: string): string => (path === "" ? shownKey : `${shownKey}.${path}`);
  const moved = below.issues.map(({ path, message }) => ({ path: move(path), message }));
  if (!before) return new Refusal(moved);
  before.issues.push(...moved);
  return before;
}

export function isFull(refusal: Refusal | undefined): boolean {
  return refusal !== undefined && refusal.issues.length >= MAX_ISSUES;
}

/** A value as it stands after "got": short, on one line, printable. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return value.length > 60 ? `a string of ${value.length} characters` : quote(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** The same value, frozen all the way down. */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) freezeDeep(item);
  return Object.freeze(value);
}
