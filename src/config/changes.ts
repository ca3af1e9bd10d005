/**
 * Compares two configs: which settings differ, and which of those take effect only at the next start.
 */
import { mapLeaves } from "../core/schema-walk.ts";
import { anything } from "../core/validate.ts";
import { copySecrets } from "./secrets.ts";
import type { Config } from "./settings.ts";

/** Bound when the daemon starts: sockets, files that are open, limits that Node takes when a server is made. */
const NEED_RESTART: readonly string[] = [
  "dataDir",
  "server.listenAddress",
  "server.port",
  "server.maxHeaderBytes",
  "logging.format",
  "logging.file",
  "logging.maxBytes",
  "logging.keep",
  "watchdog.timeoutMs",
];

export interface ConfigChanges {
  /** Paths of settings that a reload may put into force. */
  readonly live: readonly string[];
  readonly needsRestart: readonly string[];
}

export function diffConfig(before: Config, after: Config): ConfigChanges {
  const changed = listChanges(before, after, "");
  return { live: changed.filter((path) => !isFixed(path)), needsRestart: changed.filter(isFixed) };
}

/** The config that holds once a running daemon has taken `after` over: what needs a restart is as it was `before`. */
export function keepFixed(before: Config, after: Config): Config {
  const inForce = mapLeaves(anything(), after, ({ path, value }) =>
    isFixed(path) ? valueAt(before, path) : value,
  ) as Config;
  copySecrets(after, inForce);
  return inForce;
}

function isFixed(path: string): boolean {
  return NEED_RESTART.some((start) => `${path}.`.startsWith(`${start}.`));
}

function valueAt(config: Config, path: string): unknown {
  return path.split(".").reduce<unknown>((group, key) => (group as Group)[key], config);
}

/** An array is one setting: its items have no names that a person could be told. */
function listChanges(before: unknown, after: unknown, path: string): string[] {
  if (!isGroup(before) || !isGroup(after)) return JSON.stringify(before) === JSON.stringify(after) ? [] : [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  const below = (key: string): string => (path === "" ? key : `${path}.${key}`);
  const own = (group: Group, key: string): unknown => (Object.hasOwn(group, key) ? group[key] : undefined);
  return [...keys].flatMap((key) => listChanges(own(before, key), own(after, key), below(key)));
}

type Group = Readonly<Record<string, unknown>>;

function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
