/**
 * What of a config must not be shown, and the config without it.
 *
 * Errors: TypeError for a config that was not loaded here, since nobody knows its secrets.
 */
import { REDACTED, redact } from "../core/redact.ts";
import { mapLeaves } from "../core/schema-walk.ts";
import { anything } from "../core/validate.ts";
import type { Config } from "./settings.ts";

/** Anything shorter would blot out ordinary text wherever it happens to stand; it is still hidden at its own key. */
export const SHORTEST_REDACTED = 4;

/** Kept beside the configs and not in them, so that writing one out cannot carry them along. */
const secretsByConfig = new WeakMap<Config, ReadonlyMap<string, readonly string[]>>();

/** Notes the secret texts of a config, by the path of the setting that holds them. */
export function rememberSecrets(config: Config, secrets: ReadonlyMap<string, readonly string[]>): void {
  secretsByConfig.set(config, secrets);
}

/** Notes that `to`, made from `from`, has the same secrets. */
export function copySecrets(from: Config, to: Config): void {
  secretsByConfig.set(to, recall(from));
}

/** The texts that no output may show, for the redaction of logs and errors. */
export function secretsOf(config: Config): readonly string[] {
  return [...new Set([...recall(config).values()].flat())].filter((text) => text.length >= SHORTEST_REDACTED);
}

/** The paths of the settings that hold a secret. */
export function secretPathsOf(config: Config): readonly string[] {
  return [...recall(config).keys()];
}

/** The config with `[redacted]` for every secret, to be shown. */
export function redactConfig(config: Config): Config {
  const hidden = recall(config);
  const texts = secretsOf(config);
  return mapLeaves(anything(), config, ({ path, value }) => {
    if (hidden.has(path)) return REDACTED;
    return typeof value === "string" ? redact(value, texts) : value;
  }) as Config;
}

function recall(config: Config): ReadonlyMap<string, readonly string[]> {
  const secrets = secretsByConfig.get(config);
  if (secrets) return secrets;
  throw new TypeError("the secrets of this config are unknown: only a config that loadConfig gave can be shown");
}
