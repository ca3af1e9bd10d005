/**
 * The table of settings: every key of the config with its default and what it takes.
 *
 * Units: milliseconds and bytes, as the names say.
 */
import { isLoopbackHost } from "../core/host.ts";
import {
  type Infer,
  type Issue,
  type Schema,
  array,
  boolean,
  filePath,
  integer,
  nullable,
  number,
  object,
  oneOf,
  refine,
  secret,
  string,
  withDefault,
} from "../core/validate.ts";
import { LOG_FORMATS } from "../system/log-line.ts";
import { LOG_LEVELS } from "../system/log.ts";

/** What config.ts needs to know of a plugin: `plugins.<name>` switches it, `<name>` holds its settings. */
export interface PluginSchema {
  readonly name: string;
  /** Must take `{}`: every plugin works unconfigured. */
  readonly schema: Schema<unknown>;
}

/** The longest delay of a timer of Node; more would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
const SHORTEST_GOOD_TOKEN = 16;
const timeoutMs = (fallback: number) => withDefault(integer({ min: 1, max: LONGEST_TIMEOUT_MS }), fallback);

const host = string({ pattern: /^[0-9A-Za-z.:_%-]{1,253}$/, expected: "an IP address or a host name", mark: "plain" });
const trustedHost = string({ pattern: /^[^\s/@?#]{1,259}$/, expected: "a host, maybe with a port", mark: "plain" });
const token = string({ pattern: /^[\x21-\x7e]{1,4096}$/, expected: "a token (not empty, printable ASCII, no spaces)" });

const server = section({
  listenAddress: withDefault(host, "127.0.0.1"),
  port: withDefault(integer({ min: 0, max: 65_535 }), 9876),
  maxPayloadSize: withDefault(integer({ min: 1024, max: 268_435_456 }), 1_048_576),
  allowedHosts: withDefault(array(trustedHost, { max: 100 }), []),
  insecureAllowUnauthenticated: withDefault(boolean(), false),
  headerTimeoutMs: timeoutMs(5000),
  requestTimeoutMs: timeoutMs(10_000),
  keepAliveTimeoutMs: timeoutMs(75_000),
  handlerTimeoutMs: withDefault(integer({ min: 0, max: LONGEST_TIMEOUT_MS }), 30_000),
  writeTimeoutMs: timeoutMs(30_000),
  drainTimeoutMs: withDefault(integer({ min: 0, max: LONGEST_TIMEOUT_MS }), 10_000),
  maxConnections: withDefault(integer({ min: 1, max: 65_535 }), 512),
  maxHeaderBytes: withDefault(integer({ min: 1024, max: 1_048_576 }), 16_384),
});

const auth = section({
  enabled: withDefault(boolean(), false),
  token: withDefault(nullable(secret(token)), null),
  protectReads: withDefault(boolean(), false),
});

const logging = section({
  level: withDefault(oneOf(LOG_LEVELS), "info"),
  format: withDefault(oneOf(LOG_FORMATS), "json"),
  file: withDefault(nullable(filePath()), null),
  maxBytes: withDefault(integer({ min: 1024 }), 10_485_760),
  keep: withDefault(integer({ min: 0, max: 100 }), 5),
});

const rateLimit = section({
  requestsPerSecond: withDefault(number({ min: 0 }), 1000),
  burst: withDefault(integer({ min: 1 }), 5000),
});

const storage = section({
  durability: withDefault(oneOf(["async", "sync"]), "async"),
  maxJournalBytes: withDefault(integer({ min: 4096 }), 67_108_864),
  maxBytes: withDefault(integer({ min: 1_048_576 }), 1_073_741_824),
});

/** Shorter would take a long garbage collection for a loop that hangs. */
const SHORTEST_WATCHDOG_MS = 1000;
const watchdog = section({
  timeoutMs: withDefault(
    refine(nullable(integer({ min: 0, max: LONGEST_TIMEOUT_MS })), (timeoutMs) => {
      const isGood = timeoutMs === null || timeoutMs === 0 || timeoutMs >= SHORTEST_WATCHDOG_MS;
      return isGood ? undefined : `expected 0, which is never, or at least ${SHORTEST_WATCHDOG_MS}, got ${timeoutMs}`;
    }),
    null,
  ),
});

/** The settings of the daemon itself; those of a plugin stand under its name, checked by its own schema. */
export interface Config {
  readonly server: Infer<typeof server>;
  readonly plugins: Readonly<Record<string, boolean>>;
  readonly auth: Infer<typeof auth>;
  readonly logging: Infer<typeof logging>;
  readonly rateLimit: Infer<typeof rateLimit>;
  readonly storage: Infer<typeof storage>;
  readonly watchdog: Infer<typeof watchdog>;
  /** Absolute once loaded. */
  readonly dataDir: string;
  readonly [plugin: string]: unknown;
}

/** The schema of the whole config; it takes `{}`. Throws TypeError when the schema of a plugin does not. */
export function settingsSchema(pluginSchemas: readonly PluginSchema[], dataDir: string): Schema<Config> {
  const switches = Object.fromEntries(pluginSchemas.map(({ name }) => [name, withDefault(boolean(), true)]));
  const ofPlugins = Object.fromEntries(pluginSchemas.map(({ name, schema }) => [name, withDefault(schema, {})]));
  const ofDaemon = { server, plugins: section(switches), auth, logging, rateLimit, storage, watchdog };
  const all = object({ ...ofDaemon, dataDir: withDefault(filePath(), dataDir), ...ofPlugins });
  return refine(all as Schema<Config>, checkTogether);
}

/** What the warnings say of a right config, of settings that are allowed and yet hardly meant. */
export function listWarnings({ auth, server }: Config): readonly string[] {
  const warnings = [];
  if (auth.token !== null && auth.token.length < SHORTEST_GOOD_TOKEN) {
    warnings.push(`auth.token is shorter than ${SHORTEST_GOOD_TOKEN} characters and may be guessed`);
  }
  if (!auth.enabled && !isLoopbackHost(server.listenAddress)) {
    warnings.push(`auth.enabled is false: anyone who reaches ${server.listenAddress} over the network may send`);
  }
  return warnings;
}

function checkTogether({ server, auth }: Config): Issue[] {
  const issues = [];
  if (server.headerTimeoutMs > server.requestTimeoutMs) {
    const most = `server.requestTimeoutMs (${server.requestTimeoutMs}), of which it is a part`;
    issues.push({ path: "server.headerTimeoutMs", message: `expected at most ${most}, got ${server.headerTimeoutMs}` });
  }
  if (!auth.enabled && !server.insecureAllowUnauthenticated && !isLoopbackHost(server.listenAddress)) {
    const found = `"${server.listenAddress}", which other machines may reach without a token`;
    const remedy = "set auth.enabled, or server.insecureAllowUnauthenticated if that is meant";
    issues.push({ path: "server.listenAddress", message: `expected a loopback address, got ${found}; ${remedy}` });
  }
  return issues;
}

/** A group of settings that all have defaults. */
function section<F extends Readonly<Record<string, Schema<unknown>>>>(fields: F) {
  return withDefault(object(fields), {});
}
