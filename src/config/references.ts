/**
 * Fills in what a config has from elsewhere: `${NAME}` in a string from the environment, `{"$file": path}` from a file.
 *
 * Order: a `$file` path may itself hold `${NAME}`; what is filled in is never looked at again.
 * Errors: an issue for each reference that leads nowhere; its value stays as it was.
 * Not: `$${` is a plain `${`. Keys are left alone, and so is text that the schema marks `verbatim`.
 */
import { schemaBelow } from "../core/schema-walk.ts";
import type { Issue, Schema } from "../core/validate.ts";
import { type GuardedText, expandPath, readGuardedFile } from "../system/guarded-file.ts";
import type { Environment } from "./places.ts";

export interface ReferenceOptions {
  readonly env: Environment;
  readonly home: string;
  readonly uid: number | undefined;
  /** The directory that relative `$file` paths stand below. */
  readonly base: string;
}

export interface ResolvedReferences {
  readonly value: unknown;
  readonly issues: readonly Issue[];
  /** What was filled in, by the path of the value that holds it. */
  readonly filledIn: ReadonlyMap<string, readonly string[]>;
  readonly warnings: readonly string[];
}

const LONGEST_SECRET_BYTES = 65_536;
const REFERENCE = /\$(\$?)\{([^}]*)(\}?)/g;

/** The same JSON value with every reference replaced; `schema` is that of the value. */
export function resolveReferences(
  tree: unknown,
  options: ReferenceOptions,
  schema?: Schema<unknown>,
): ResolvedReferences {
  const issues: Issue[] = [];
  const warnings: string[] = [];
  const filledIn = new Map<string, string[]>();

  function resolve(value: unknown, path: string, at: Schema<unknown> | undefined): unknown {
    if (typeof value === "string") {
      if (at?.mark === "verbatim") return value;
      const { text, used } = fillIn(value, path);
      if (used.length > 0) filledIn.set(path, used);
      return text;
    }
    if (typeof value !== "object" || value === null) return value;
    const below = (key: string): string => (path === "" ? key : `${path}.${key}`);
    if (Array.isArray(value)) return value.map((item, index) => resolve(item, below(String(index)), at?.item));
    if (Object.hasOwn(value, "$file")) return readReference(value, path);
    const resolveBelow = (key: string, item: unknown): unknown => resolve(item, below(key), schemaBelow(at, key));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveBelow(key, item)]));
  }

  function fillIn(template: string, path: string): { text: string; used: string[] } {
    const used: string[] = [];
    const text = template.replace(REFERENCE, (whole, dollar: string, name: string, close: string) => {
      if (dollar !== "") return whole.slice(1);
      const found = close !== "" && Object.hasOwn(options.env, name) ? options.env[name] : undefined;
      if (found === undefined) issues.push({ path, message: explainName(name, close) });
      else used.push(found);
      return found ?? whole;
    });
    return { text, used };
  }

  function readReference(value: object, path: string): unknown {
    const named = (value as { $file: unknown }).$file;
    if (typeof named !== "string" || named === "" || Object.keys(value).length > 1) {
      issues.push({ path, message: 'expected {"$file": "path of a file"} and no other key beside it' });
      return value;
    }
    const before = issues.length;
    const file = expandPath(fillIn(named, path).text, options);
    if (issues.length > before) return value;
    const read = readGuardedFile(file, { uid: options.uid, maxBytes: LONGEST_SECRET_BYTES });
    return takeSecret(read, { file, path, value });
  }

  function takeSecret(read: GuardedText, from: { file: string; path: string; value: object }): unknown {
    const { file, path, value } = from;
    if (!read.ok) {
      issues.push({ path, message: `$file: ${read.message}` });
      return value;
    }
    if (read.isReadableByOthers) warnings.push(`${file} holds the secret ${path} and ${openToOthers(file)}`);
    const text = read.text.replace(/\r?\n$/, "");
    filledIn.set(path, [text]);
    return text;
  }

  const value = resolve(tree, "", schema);
  return { value, issues, filledIn, warnings };
}

/** The end of a warning about a file whose mode lets others read it. */
export function openToOthers(file: string): string {
  return `can be read by others; run: chmod 600 ${file}`;
}

function explainName(name: string, close: string): string {
  if (close === "" || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return 'expected "${NAME}" with the name of an environment variable; a "${" that means itself is written "$${"';
  }
  return `the environment variable ${name} is not set`;
}
