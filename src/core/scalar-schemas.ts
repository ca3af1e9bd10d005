/**
 * Schemas of single values: strings, numbers, booleans, and values from a list.
 *
 * Units: lengths of strings are UTF-16 units, as `maxLength` in an editor or a database would mostly have it.
 */
import { nearest } from "./nearest.ts";
import { type Mark, type Schema, refuse, refuseValue } from "./schema.ts";

export interface StringRules {
  readonly minLength?: number;
  readonly maxLength?: number;
  /** Must match somewhere: anchor it. Neither global nor sticky. */
  readonly pattern?: RegExp;
  /** What the pattern asks for, as it stands after "expected": `a metric name (letters, digits, _ and :)`. */
  readonly expected?: string;
  /** Refuses lone surrogates, which no encoding can write. */
  readonly wellFormed?: true;
  readonly mark?: Mark;
}

export function string(rules: StringRules = {}): Schema<string> {
  const { minLength = 0, maxLength = Infinity, pattern, wellFormed } = rules;
  if (pattern?.global || pattern?.sticky) throw new TypeError(`pattern ${pattern} must be neither global nor sticky`);
  const ofPattern = pattern ? ` that matches ${pattern}` : "";
  const expected = rules.expected ?? "a string" + ofPattern + describeLength(minLength, maxLength);
  return {
    expected,
    ...(rules.mark && { mark: rules.mark }),
    check(value) {
      if (typeof value !== "string") return refuseValue(expected, value);
      if (value.length > maxLength) return refuse("", `expected at most ${maxLength} characters, got ${value.length}`);
      if (value.length < minLength) return refuse("", shortage(minLength, value.length));
      if (pattern && !pattern.test(value)) return refuseValue(expected, value);
      if (wellFormed && !value.isWellFormed()) return refuse("", "expected well-formed Unicode, got a lone surrogate");
      return value;
    },
  };
}

/** A path; `~` and `~/...` stand for the home directory, which whoever reads the value fills in. */
export function filePath(): Schema<string> {
  // `~user` would need the user database, and taken literally it would make a directory of that odd name.
  const pattern = /^(?!~[^/])[^\0]+$/;
  return string({ maxLength: 4096, pattern, expected: "a path (~/ is the home directory)", mark: "path" });
}

export interface NumberRules {
  readonly min?: number;
  readonly max?: number;
}

/** A finite number. */
export function number(rules: NumberRules = {}): Schema<number> {
  const { min = -Infinity, max = Infinity } = rules;
  const expected = "a number" + describeRange(min, max);
  return {
    expected,
    check: (value) =>
      typeof value === "number" && value >= min && value <= max && Number.isFinite(value)
        ? value
        : refuseValue(expected, value),
  };
}

/** A whole number that a double counts exactly. */
export function integer(rules: NumberRules = {}): Schema<number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = rules;
  const expected = "an integer" + describeRange(min, max);
  return {
    expected,
    check: (value) =>
      Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
        ? (value as number)
        : refuseValue(expected, value),
  };
}

export function boolean(): Schema<boolean> {
  const expected = "true or false";
  return { expected, check: (value) => (typeof value === "boolean" ? value : refuseValue(expected, value)) };
}

/** Exactly this value. */
export function literal<const T extends string | number | boolean | null>(wanted: T): Schema<T> {
  const expected = JSON.stringify(wanted);
  return { expected, check: (value) => (value === wanted ? wanted : refuseValue(expected, value)) };
}

/** One of these strings; a mistyped one is told the nearest. */
export function oneOf<const T extends string>(words: readonly T[]): Schema<T> {
  const expected = "one of " + words.map((word) => `"${word}"`).join(", ");
  return {
    expected,
    mark: "plain",
    check(value) {
      if (words.includes(value as T)) return value as T;
      const meant = typeof value === "string" ? nearest(value, words) : undefined;
      const refusal = refuseValue(expected, value);
      return meant === undefined ? refusal : refuse("", `${refusal.issues[0]!.message}; did you mean "${meant}"?`);
    },
  };
}

/** Any value: checked elsewhere, or nobody's business. */
export function anything(): Schema<unknown> {
  return { expected: "any value", check: (value) => value };
}

function shortage(minLength: number, length: number): string {
  return length === 0 ? "must not be empty" : `expected at least ${minLength} characters, got ${length}`;
}

function describeLength(min: number, max: number): string {
  if (max === Infinity) return min === 0 ? "" : min === 1 ? " that is not empty" : ` of at least ${min} characters`;
  return min === 0 ? ` of at most ${max} characters` : ` of ${min} to ${max} characters`;
}

function describeRange(min: number, max: number): string {
  const hasMin = min > Number.MIN_SAFE_INTEGER;
  const hasMax = max < Number.MAX_SAFE_INTEGER;
  if (hasMin && hasMax) return ` from ${min} to ${max}`;
  return hasMin ? ` of at least ${min}` : hasMax ? ` of at most ${max}` : "";
}
