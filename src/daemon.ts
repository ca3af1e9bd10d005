/**
 * The composition root: a config becomes a lock, services, plugins and a server; `stop` takes them down in the reverse
 * order.
 *
 * Errors: whatever fails at start undoes what was there before it and is thrown on: LockHeldError, StateVersionError, a
 * listen error with the address in it.
 * Not: signals, the terminal, exit codes: those are the command line's.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { adminRoutes, type ReloadOutcome } from "./admin.ts";
import {
  type Config,
  diffConfig,
  hideSecrets,
  keepFixed,
  type PluginSchema,
  readDefinition,
  redactConfig,
  type ReferenceOptions,
  secretsOf,
} from "./config.ts";
import { Registry } from "./core/registry.ts";
import { PluginSet, type SharedServices } from "./plugin-set.ts";
import { pluginTable } from "./plugins/index.ts";
import type { Events } from "./plugins/plugin.ts";
import { createActions } from "./system/actions.ts";
import { readBackup } from "./system/backup.ts";
import { openBlobCache } from "./system/blob-cache.ts";
import type { Clock } from "./system/clock.ts";
import { readDefinitionFolder } from "./system/definition-folder.ts";
import { createEventBus } from "./system/event-bus.ts";
import { nodeDisk } from "./system/disk.ts";
import { watchDiskBudget } from "./system/disk-budget.ts";
import { createFetch } from "./system/fetch.ts";
import { ensurePrivateDirectory } from "./system/files.ts";
import { findFolder } from "./system/find-folder.ts";
import { createOpenFolder } from "./system/folder.ts";
import { gzip } from "./system/gzip.ts";
import type { HttpSettings, Route } from "./system/http.ts";
import { createHttpServer } from "./system/http-server.ts";
import { acquireLock, type Lock, LockHeldError } from "./system/lock.ts";
import type { Log } from "./system/log.ts";
import { matchPattern } from "./system/match-pattern.ts";
import { createEndOrphans } from "./system/orphans.ts";
import { createPluginFiles } from "./system/plugin-files.ts";
import { readBootId } from "./system/process-identity.ts";
import { startProcessMetrics } from "./system/process-metrics.ts";
import { projectIdOf } from "./system/project-id.ts";
import { createRequestMetrics } from "./system/request-metrics.ts";
import { refuseUnfinishedRestore } from "./system/restore.ts";
import { createSpawn } from "./system/spawn.ts";
import { openSegments } from "./system/segments.ts";
import { createStorage } from "./system/storage.ts";
import { loadToken } from "./system/token.ts";
import { VERSION } from "./system/version.ts";

/** The sections of the config that plugins check themselves. */
export const pluginSchemas: readonly PluginSchema[] = pluginTable;

export interface DaemonOptions {
  readonly config: Config;
  /** What the config's references meant: for definitions that stand outside of it. */
  readonly references: ReferenceOptions;
  readonly clock: Clock;
  readonly log: Log;
  /** The log in use, where it is a file: it counts for `storage.maxBytes`. */
  readonly logFile?: string | undefined;
  /** Reads the config anew, for a reload. */
  readonly readConfig: () => Promise<
    { readonly ok: true; readonly config: Config } | Extract<ReloadOutcome, { ok: false }>
  >;
  /** Told of each config that comes into force after the first: log level, secrets to hide. */
  readonly onConfig: (config: Config) => void;
}

export interface Daemon {
  readonly url: string;
  readonly socketPath: string | undefined;
  reload(): Promise<ReloadOutcome>;
  /** Answers what is in flight, writes what is pending, lets go of the data directory. */
  stop(): Promise<void>;
}

export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const undo: (() => Promise<void>)[] = [];
  try {
    return await compose(options, undo);
  } catch (error) {
    await runInReverse(undo, options.log);
    throw error;
  }
}

async function compose(options: DaemonOptions, undo: (() => Promise<void>)[]): Promise<Daemon> {
  const { clock, log } = options;
  let config = options.config;
  const { dataDir } = config;

  const { lock, token } = await takeDataDirectory(dataDir, log);
  undo.push(async () => lock.release());
  let fileToken = token;

  const registry = new Registry();
  const processMetrics = startProcessMetrics({ clock, registry }, VERSION);
  undo.push(async () => processMetrics.stop());
  const storage = createStorage({ clock, log, registry }, { dataDir, settings: () => config.storage });
  const diskBudget = watchDiskBudget(
    { clock, log },
    { dataDir, logFile: options.logFile },
    () => config.storage.maxBytes,
  );
  undo.push(async () => diskBudget.stop());
  const { references } = options;
  const shared: SharedServices = {
    clock,
    log,
    registry,
    gzip,
    events: createEventBus<Events>(log),
    actions: createActions(),
    host: { env: references.env, home: references.home, bootId: readBootId() },
    definitions: {
      read: (schema, value) => readDefinition(schema, value, references),
      show: hideSecrets,
      readFolder: (path) => readDefinitionFolder(path, references.uid),
    },
    secrets: () => secretsOf(config),
    randomId: randomUUID,
    turn: () => nextTurn(),
    spawn: createSpawn({ clock }),
    endOrphans: createEndOrphans({ clock }),
    fetch: createFetch({ clock }),
    matchPattern,
    openFolder: createOpenFolder({ clock }),
    findFolder,
    projectIdOf,
  };
  shared.actions.offer("storage.snapshot", async () => `wrote snapshots of ${(await storage.snapshot()).join(", ")}`);
  const plugins = new PluginSet(pluginTable, shared, (name) => {
    const files = createPluginFiles(join(dataDir, name, "files"));
    return {
      openStore: storage.openStore(name),
      openSegments: (part) => openSegments({ disk: nodeDisk, log }, join(dataDir, name, part)),
      files,
      openCache: (cache, maxBytes) => openBlobCache(files.pathOf(`${cache}.cache`), maxBytes),
    };
  });
  undo.push(() => plugins.stopAll());
  await plugins.follow(config);

  const listProblems = (): string[] => [...storage.problems(), ...diskBudget.problems(), ...plugins.problems()];
  const problemCount = registry.ownValue(
    "pi_daemon_problems",
    "gauge",
    "Parts that are not well: the reasons of /health.",
  )([]);
  registry.beforeExposition(() => problemCount.set(listProblems().length));
  const requestMetrics = createRequestMetrics(registry);
  const admin = adminRoutes({
    uptimeSeconds: processMetrics.uptimeSeconds,
    problems: listProblems,
    shownConfig: () => redactConfig(config),
    reload,
    backup: () => readBackup(dataDir, clock.wallMs()),
    stats: () => ({
      version: VERSION,
      pid: process.pid,
      nodeVersion: process.version,
      uptime: processMetrics.uptimeSeconds(),
      memory: processMetrics.memory(),
      requests: requestMetrics.total(),
      connections: server.stats().connections,
      series: registry.clientSeriesCount,
      eventLoopDelaySeconds: processMetrics.eventLoopDelay(),
      plugins: plugins.stats(),
    }),
  });
  const routes = (): readonly Route[] => [...admin, ...plugins.routes()];
  const settings = (): HttpSettings => httpSettings(config, fileToken);
  const server = createHttpServer(
    { clock, log, randomId: randomUUID },
    { routes, settings: settings(), observe: requestMetrics.observe },
  );
  undo.push(() => server.stop());
  const { url, socketPath } = await server.listen();
  lock.update({ version: VERSION, url, socketPath });
  log.info("listening", { url, version: VERSION, pid: process.pid });

  /** Reloads one after the other: each sees what the one before it did. */
  let reloading: Promise<unknown> = Promise.resolve();
  function reload(): Promise<ReloadOutcome> {
    const outcome = reloading.then(reloadNow);
    reloading = outcome.catch(() => undefined);
    return outcome;
  }

  async function reloadNow(): Promise<ReloadOutcome> {
    const read = await options.readConfig();
    if (!read.ok) {
      for (const { path, message } of read.issues)
        log.error("the config is not taken over", { path, problem: message });
      return read;
    }
    // Before anything changes: a token that cannot be read leaves all as it was.
    fileToken = await loadToken(dataDir, log);
    const { live, needsRestart } = diffConfig(config, read.config);
    config = keepFixed(config, read.config);
    options.onConfig(config);
    try {
      await plugins.follow(config);
    } finally {
      server.reconfigure(settings());
    }
    log.info("reloaded the config", { live: live.join(" "), needsRestart: needsRestart.join(" ") });
    return { ok: true, live, needsRestart };
  }

  return { url, socketPath, reload, stop: () => runInReverse(undo, log) };
}

async function takeDataDirectory(dataDir: string, log: Log): Promise<{ lock: Lock; token: string }> {
  let lock: Lock | undefined;
  try {
    ensurePrivateDirectory(dataDir, log);
    lock = acquireLock(dataDir, { version: VERSION });
    refuseUnfinishedRestore(dataDir);
    return { lock, token: await loadToken(dataDir, log) };
  } catch (error) {
    lock?.release();
    if (error instanceof LockHeldError) throw error;
    // A full disk says `ENOSPC: no space left on device, write`, and not where.
    throw new Error(`Cannot use the data directory ${dataDir}: ${(error as Error).message}`, { cause: error });
  }
}

function httpSettings(config: Config, fileToken: string): HttpSettings {
  const { enabled, protectReads, token } = config.auth;
  return {
    ...config.server,
    socketPath: join(config.dataDir, "daemon.sock"),
    auth: { enabled, protectReads, token: token ?? fileToken },
    rateLimit: config.rateLimit,
  };
}

/** Each step runs whatever became of the one before it. */
async function runInReverse(steps: (() => Promise<void>)[], log: Log): Promise<void> {
  for (const step of steps.splice(0).reverse()) {
    await step().catch((error: Error) => log.error("a part did not stop well", { error: error.message }));
  }
}
