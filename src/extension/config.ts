/**
 * The environment and the config file -> the extension's settings, and sentences about what was wrong with them.
 *
 * Order: environment over file over defaults, value by value. A wrong value counts as absent.
 * Errors: none thrown, whatever stands in either.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { type ConfigObject, isObject, readConfigFile } from "./config-file.ts";
import { flag, httpUrl, integer, isLoopback, type Kind, token } from "./setting-kinds.ts";

export interface ExtensionConfig {
  /** Absent: the socket of the person's own daemon, and without one {@link DEFAULT_URL}. */
  readonly daemonUrl: URL | undefined;
  /** Goes to `daemonUrl` only. */
  readonly token: string | undefined;
  /** Of the daemon with its data in the usual place. */
  readonly socketPath: string | undefined;
  readonly maxBufferSize: number;
  readonly maxQueuedSamples: number;
  readonly flushIntervalMs: number;
  readonly requestTimeoutMs: number;
  readonly enabled: boolean;
  readonly footer: boolean;
  readonly metrics: Readonly<Record<MetricGroup, boolean>>;
  readonly labels: { readonly session: boolean; readonly project: boolean };
  readonly knowledge: KnowledgeSettings;
}

/** `search`, `add`: whether the model gets the tool. */
export interface KnowledgeSettings {
  readonly search: boolean;
  readonly add: boolean;
  /** The most tokens that a search puts before the model. */
  readonly tokens: number;
  /** The model waits no longer for an answer. */
  readonly timeoutMs: number;
}

export type MetricGroup = "compaction" | "sessions" | "usage" | "turns" | "tools" | "context";
export type Environment = Readonly<Record<string, string | undefined>>;

export interface LoadedConfig {
  readonly config: ExtensionConfig;
  readonly problems: readonly string[];
}

export const DEFAULT_URL = new URL("http://127.0.0.1:9876");

export function loadConfig(env: Environment): LoadedConfig {
  const home = findHome();
  const named = env["PI_DAEMON_CLIENT_CONFIG"];
  const path = named ? named.replace(/^~(?=\/)/, home ?? "~") : home && join(home, ".pi/daemon-client/config.json");
  const file = path ? readConfigFile(path, { isOptional: !named }) : { content: {}, problems: [], isExposed: false };
  const { config, problems } = resolveConfig(file.content, env, home);
  const all = [...file.problems, ...problems];
  if (file.isExposed && isObject(file.content["auth"])) {
    all.push(`others can read the token in ${path} (chmod 600 mends that)`);
  }
  return { config, problems: all };
}

function resolveConfig(content: ConfigObject, env: Environment, home: string | undefined): LoadedConfig {
  const problems: string[] = [];
  const known = new Set<string>();

  function pick<T, F extends T | undefined>(path: string, kind: Kind<T>, fallback: F, variable?: string): T | F {
    known.add(path);
    const text = variable ? env[variable] : undefined;
    const fromText = text ? kind.fromText(text) : undefined;
    if (text && fromText === undefined) problems.push(complain(variable!, kind, text));
    const value = valueAt(content, path);
    const fromJson = value === undefined ? undefined : kind.fromJson(value);
    if (value !== undefined && fromJson === undefined) problems.push(complain(path, kind, value));
    return fromText ?? fromJson ?? fallback;
  }

  const config: ExtensionConfig = {
    daemonUrl: pick("daemonUrl", httpUrl, undefined, "PI_DAEMON_URL"),
    token: pick("auth.token", token, undefined, "PI_DAEMON_TOKEN"),
    socketPath: home && process.platform !== "win32" ? join(home, ".pi/daemon/data/daemon.sock") : undefined,
    maxBufferSize: pick("maxBufferSize", integer(1, 10_000), 50, "PI_DAEMON_BUFFER_SIZE"),
    maxQueuedSamples: pick("maxQueuedSamples", integer(1, 1_000_000), 10_000),
    flushIntervalMs: pick("flushIntervalMs", integer(10, 3_600_000), 5000, "PI_DAEMON_FLUSH_INTERVAL"),
    requestTimeoutMs: pick("requestTimeoutMs", integer(10, 600_000), 2000, "PI_DAEMON_TIMEOUT"),
    enabled: pick("enabled", flag, true, "PI_DAEMON_ENABLED"),
    footer: pick("footer", flag, true),
    metrics: {
      compaction: pick("metrics.compaction", flag, true),
      sessions: pick("metrics.sessions", flag, true),
      usage: pick("metrics.usage", flag, true),
      turns: pick("metrics.turns", flag, true),
      tools: pick("metrics.tools", flag, true),
      context: pick("metrics.context", flag, true),
    },
    labels: { session: pick("labels.session", flag, false), project: pick("labels.project", flag, false) },
    knowledge: {
      search: pick("knowledge.search", flag, true),
      add: pick("knowledge.add", flag, false),
      tokens: pick("knowledge.tokens", integer(100, 50_000), 2000),
      timeoutMs: pick("knowledge.timeoutMs", integer(100, 60_000), 2000),
    },
  };
  return { config, problems: [...problems, ...findUnknown(content, known), ...findRisks(config)] };
}

function valueAt(content: ConfigObject, path: string): unknown {
  let value: unknown = content;
  for (const key of path.split(".")) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

/** Keys that mean nothing here, and groups that are no objects. */
function findUnknown(content: ConfigObject, known: ReadonlySet<string>): string[] {
  const groups = new Set([...known].flatMap((path) => (path.includes(".") ? [path.split(".")[0]!] : [])));
  return Object.entries(content).flatMap(([key, value]) => {
    if (known.has(key)) return [];
    if (!groups.has(key)) return [`${shorten(key)} is no setting`];
    if (!isObject(value)) return [`${key}: expected an object`];
    const unknown = Object.keys(value).filter((below) => !known.has(`${key}.${below}`));
    return unknown.map((below) => `${key}.${shorten(below)} is no setting`);
  });
}

function findRisks({ daemonUrl, token }: ExtensionConfig): string[] {
  if (token === undefined) return [];
  if (!daemonUrl) return ["the token is not used: it goes to a daemonUrl that is set beside it, and there is none"];
  if (daemonUrl.protocol === "https:" || isLoopback(daemonUrl.hostname)) return [];
  return [`the token travels unencrypted to ${daemonUrl.host}`];
}

function complain(name: string, kind: Kind<unknown>, value: unknown): string {
  const shown = kind.isSecret ? "" : `, got ${shorten(JSON.stringify(value) ?? "nothing")}`;
  return `${name}: expected ${kind.expected}${shown}`;
}

function shorten(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, "?");
  return printable.length > 40 ? `${printable.slice(0, 40)}...` : printable;
}

function findHome(): string | undefined {
  try {
    return homedir() || undefined;
  } catch {
    // A user without an entry in the system's table, and without HOME.
    return undefined;
  }
}
