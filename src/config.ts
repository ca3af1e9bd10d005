/**
 * Turns the defaults, the config file and the environment into one frozen, checked {@link Config}.
 *
 * Order: find the file, read it, fill in `${ENV}` and `{"$file"}`, check everything, make paths absolute, freeze.
 * Errors: a bad config is answered with all its problems at once, each with its path; nothing is thrown for it.
 */
import { findJsonFault } from "./core/json-fault.ts";
import { redact } from "./core/redact.ts";
import { freezeDeep } from "./core/schema.ts";
import { type Setting, listSettings, mapLeaves } from "./core/schema-walk.ts";
import { type Issue, type Schema, validate } from "./core/validate.ts";
import { type ConfigPlace, type PlaceOptions, defaultDataDir, listConfigPlaces } from "./config/places.ts";
import {
  type ReferenceOptions,
  type ResolvedReferences,
  openToOthers,
  resolveReferences,
} from "./config/references.ts";
import { SHORTEST_REDACTED, rememberSecrets, secretPathsOf } from "./config/secrets.ts";
import { type Config, type PluginSchema, listWarnings, settingsSchema } from "./config/settings.ts";
import { type GuardedText, expandPath, readGuardedFile } from "./system/guarded-file.ts";

export { type ConfigChanges, diffConfig, keepFixed } from "./config/changes.ts";
export { hideSecrets, readDefinition } from "./config/definitions.ts";
export { type ConfigPlace, type Environment, defaultLogFile } from "./config/places.ts";
export type { ReferenceOptions } from "./config/references.ts";
export { redactConfig, secretsOf } from "./config/secrets.ts";
export type { Config, PluginSchema } from "./config/settings.ts";
export type { Setting } from "./core/schema-walk.ts";

export interface LoadOptions extends PlaceOptions {
  /** Our own user, who or root must own the file; `undefined` where users have no numbers. */
  readonly uid: number | undefined;
  readonly pluginSchemas: readonly PluginSchema[];
}

/** The file that counts, or would count if it were there. */
export interface ConfigSource extends ConfigPlace {
  readonly exists: boolean;
}

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly source: ConfigSource;
      readonly warnings: readonly string[];
      /** What its references meant, for definitions that stand outside of it. */
      readonly references: ReferenceOptions;
    }
  | { readonly ok: false; readonly issues: readonly Issue[]; readonly source: ConfigSource };

const LARGEST_CONFIG_BYTES = 4_194_304;
const DEEPEST_CONFIG = 64;

/** Loads the config from where {@link PlaceOptions} say; without a file, the defaults. */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const { source, read } = readConfigFile(options);
  if (!read.ok && (source.isExplicit || !read.isMissing)) {
    return { ok: false, source, issues: [{ path: "", message: read.message }] };
  }
  const parsed = parseJson(read.ok ? read.text : "{}");
  if (!parsed.ok) return { ok: false, source, issues: parsed.issues };

  const base = expandPath("..", { home: options.home, base: source.path });
  const references = { env: options.env, home: options.home, uid: options.uid, base };
  const schema = settingsSchema(options.pluginSchemas, defaultDataDir(options.env));
  const resolved = resolveReferences(parsed.value, references, schema);
  const checked = validate(schema, resolved.value);
  if (!checked.ok || resolved.issues.length > 0) {
    return { ok: false, source, issues: joinIssues(resolved, checked.ok ? [] : checked.issues) };
  }
  const config = finish(schema, checked.value, resolved, (path) => expandPath(path, { home: options.home, base }));
  const written = secretPathsOf(config).filter((path) => !resolved.filledIn.has(path));
  const isExposed = read.ok && read.isReadableByOthers && written.length > 0;
  const ofModes = isExposed ? [`${source.path} holds the secret ${written[0]} and ${openToOthers(source.path)}`] : [];
  return {
    ok: true,
    config,
    source,
    references,
    warnings: [...listWarnings(config), ...ofModes, ...resolved.warnings],
  };
}

/** Every setting with its default and what it takes, in the order of the table. */
export function describeConfig(pluginSchemas: readonly PluginSchema[]): readonly Setting[] {
  return listSettings(settingsSchema(pluginSchemas, defaultDataDir({})));
}

function readConfigFile(options: LoadOptions): { source: ConfigSource; read: GuardedText } {
  const rules = { uid: options.uid, maxBytes: LARGEST_CONFIG_BYTES };
  const found = listConfigPlaces(options).map((place) => {
    const read = readGuardedFile(place.path, rules);
    return { source: { ...place, exists: read.ok || !read.isMissing }, read };
  });
  return found.find(({ source }) => source.exists) ?? found.at(-1)!;
}

function parseJson(text: string): { ok: true; value: unknown } | { ok: false; issues: readonly Issue[] } {
  const fault = findJsonFault(text, DEEPEST_CONFIG);
  if (!fault) return { ok: true, value: JSON.parse(text) };
  const where = `line ${fault.line}, column ${fault.column}`;
  return { ok: false, issues: [{ path: "", message: `is not JSON: ${where}: ${fault.message}` }] };
}

/** What the schema says of a value that could not be filled in would only repeat that it is missing. */
function joinIssues({ issues, filledIn }: ResolvedReferences, found: readonly Issue[]): Issue[] {
  const isNew = ({ path }: Issue): boolean => !issues.some((issue) => `${path}.`.startsWith(`${issue.path}.`));
  const secrets = [...filledIn.values()].flat().filter((text) => text.length >= SHORTEST_REDACTED);
  return [...issues, ...found.filter(isNew)].map(({ path, message }) => ({ path, message: redact(message, secrets) }));
}

function finish(
  schema: Schema<Config>,
  checked: Config,
  { filledIn }: ResolvedReferences,
  expand: (path: string) => string,
): Config {
  const secrets = new Map<string, readonly string[]>();
  const config = mapLeaves(schema, checked, ({ path, value, mark }) => {
    const used = filledIn.get(path);
    if (mark === "secret" && value !== null) secrets.set(path, [String(value), ...(used ?? [])]);
    else if (used && (mark === undefined || mark === "verbatim")) secrets.set(path, used);
    return mark === "path" && typeof value === "string" ? expand(value) : value;
  }) as Config;
  rememberSecrets(config, secrets);
  return freezeDeep(config);
}
