/**
 * Definitions that stand outside of the config file -> values checked as if they stood in it.
 *
 * `${ENV}` and `{"$file"}` are filled in, paths made absolute below the folder of the config file, secrets noted.
 *
 * Errors: issues with paths; nothing is thrown.
 */
import type { ReadDefinition } from "../core/definition.ts";
import { REDACTED, redact } from "../core/redact.ts";
import { mapLeaves } from "../core/schema-walk.ts";
import { freezeDeep, type Schema } from "../core/schema.ts";
import { validate } from "../core/validate.ts";
import { expandPath } from "../system/guarded-file.ts";
import { type ReferenceOptions, resolveReferences } from "./references.ts";
import { SHORTEST_REDACTED } from "./secrets.ts";

/** Checks a value as if it stood in the config. */
export function readDefinition<T>(schema: Schema<T>, raw: unknown, options: ReferenceOptions): ReadDefinition<T> {
  const resolved = resolveReferences(raw, options, schema);
  const { filledIn, warnings } = resolved;
  const texts = [...filledIn.values()].flat();
  const checked = validate(schema, resolved.value);
  if (!checked.ok || resolved.issues.length > 0) {
    const found = checked.ok || resolved.issues.length > 0 ? [] : checked.issues;
    const hide = (text: string): string => redact(text, longEnough(texts));
    return {
      ok: false,
      issues: [...resolved.issues, ...found].map(({ path, message }) => ({ path, message: hide(message) })),
    };
  }
  const secrets = [...texts];
  const value = mapLeaves(schema, checked.value, ({ value, mark }) => {
    if (mark === "secret" && value !== null) secrets.push(String(value));
    return mark === "path" && typeof value === "string" ? expandPath(value, options) : value;
  });
  const shown = hideSecrets(schema, value, secrets, new Set(filledIn.keys()));
  return { ok: true, value: freezeDeep(value) as T, shown, secrets: longEnough(secrets), warnings };
}

/**
 * A checked value to be shown: secrets are found by the marks of the schema, by the paths that were filled in, and by
 * their texts.
 */
export function hideSecrets(
  schema: Schema<unknown>,
  value: unknown,
  secrets: readonly string[],
  filledIn?: ReadonlySet<string>,
): unknown {
  const texts = longEnough(secrets);
  return mapLeaves(schema, value, ({ path, value, mark }) => {
    const mayBeSecret = mark === undefined || mark === "verbatim";
    if (mark === "secret" || (mayBeSecret && filledIn?.has(path))) return REDACTED;
    return typeof value === "string" ? redact(value, texts) : value;
  });
}

/** Anything shorter would blot out ordinary text wherever it happens to stand. */
function longEnough(secrets: readonly string[]): string[] {
  return [...new Set(secrets)].filter((text) => text.length >= SHORTEST_REDACTED);
}
