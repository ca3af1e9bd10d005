/**
 * Turns an unknown value into a typed one, or into the list of all that is wrong with it; the face of the schemas.
 *
 * Errors: issues carry the path of the value and what was expected; about {@link MAX_ISSUES} at most.
 */
import {
  type Infer,
  type Issue,
  type OptionalSchema,
  Refusal,
  type Schema,
  freezeDeep,
  refuse,
  refuseValue,
} from "./schema.ts";

export { type Infer, type Issue, type Mark, type OptionalSchema, type Schema, MAX_ISSUES } from "./schema.ts";
export { anything, boolean, filePath, integer, literal, number, oneOf, string } from "./scalar-schemas.ts";
export { type ObjectOf, array, object, record } from "./container-schemas.ts";

export type Validated<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly issues: readonly Issue[] };

/** Checks a value; never throws for bad input. The result shares with the input whatever did not have to be changed. */
export function validate<T>(schema: Schema<T>, value: unknown): Validated<T> {
  const checked = schema.check(value);
  return checked instanceof Refusal ? { ok: false, issues: checked.issues } : { ok: true, value: checked };
}

/** In an object, the key may be left out. */
export function optional<T>(schema: Schema<T>): OptionalSchema<T> {
  return { ...schema, optional: true };
}

/** In an object, the key may be left out and then stands for this value. Throws TypeError when it does not fit. */
export function withDefault<T>(schema: Schema<T>, fallback: unknown): Schema<T> {
  const checked = schema.check(fallback);
  if (!(checked instanceof Refusal)) return { ...schema, fallback: freezeDeep(checked) };
  const reasons = checked.issues.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  throw new TypeError(`the default ${JSON.stringify(fallback)} does not fit its schema: ${reasons.join("; ")}`);
}

/**
 * Asks one more thing of a right value: `test` answers `undefined` when content, else a sentence about the value, or
 * issues with paths below it.
 */
export function refine<T>(schema: Schema<T>, test: (value: T) => string | readonly Issue[] | undefined): Schema<T> {
  return {
    ...schema,
    check(value) {
      const checked = schema.check(value);
      if (checked instanceof Refusal) return checked;
      const fault = test(checked);
      if (fault === undefined || fault.length === 0) return checked;
      return typeof fault === "string" ? refuse("", fault) : new Refusal([...fault]);
    },
  };
}

/** The first of the schemas that takes the value. When one alone got past its outer shape, it says why not. */
export function union<S extends readonly Schema<unknown>[]>(...choices: S): Schema<Infer<S[number]>> {
  const expected = choices.map((choice) => choice.expected).join(" or ");
  return {
    expected,
    choices,
    check(value) {
      const closer: Refusal[] = [];
      for (const choice of choices) {
        const checked = choice.check(value);
        if (!(checked instanceof Refusal)) return checked as Infer<S[number]>;
        if (checked.issues.some((issue) => issue.path !== "")) closer.push(checked);
      }
      return closer.length === 1 ? closer[0]! : refuseValue(expected, value);
    },
  };
}

/** The value or `null`, which says in so many words that there is none. */
export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  const expected = `${schema.expected}, or null`;
  return {
    ...schema,
    expected,
    check: (value) => (value === null ? null : schema.check(value)),
  };
}

/** Never shown: issues do not quote it, and whoever walks the schema knows to hide it. */
export function secret<T>(schema: Schema<T>): Schema<T> {
  return {
    ...schema,
    mark: "secret",
    check(value) {
      const checked = schema.check(value);
      if (!(checked instanceof Refusal)) return checked;
      return refuse("", `expected ${schema.expected}; what was given is a secret and not shown`);
    },
  };
}
