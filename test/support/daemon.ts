/** A whole daemon inside the test's process, on a free port and a data directory of its own. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { loadConfig, type LoadedConfig } from "../../src/config.ts";
import { type Daemon, pluginSchemas, startDaemon } from "../../src/daemon.ts";
import { type Clock, systemClock } from "../../src/system/clock.ts";
import type { Log } from "../../src/system/log.ts";
import { silentLog } from "./silent-log.ts";
import { tempDir } from "./temp-dir.ts";

export interface TestDaemon extends Daemon {
  readonly dataDir: string;
  /** Its config file, to be changed before a reload. */
  readonly configPath: string;
  /** A request to the daemon, with the path alone. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** The exposition without the daemon's own metrics. */
  clientMetrics(): Promise<string>;
}

export interface TestDaemonOptions {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly dataDir?: string;
  readonly log?: Log;
  readonly clock?: Clock;
}

export async function startTestDaemon(t: TestContext, options: TestDaemonOptions = {}): Promise<TestDaemon> {
  const dataDir = options.dataDir ?? tempDir(t);
  const server = { port: 0, ...(options.config?.["server"] as object | undefined) };
  const configPath = join(tempDir(t), "config.json");
  writeFileSync(configPath, JSON.stringify({ ...options.config, server, dataDir }), { mode: 0o600 });
  const readConfig = (): LoadedConfig =>
    loadConfig({ configPath, env: {}, home: dataDir, uid: process.getuid?.(), pluginSchemas });
  const loaded = readConfig();
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const daemon = await startDaemon({
    config: loaded.config,
    references: loaded.references,
    clock: options.clock ?? systemClock,
    log: options.log ?? silentLog,
    readConfig: async () => readConfig(),
    onConfig: () => undefined,
  });
  t.after(() => daemon.stop());
  const fetchPath = (path: string, init?: RequestInit): Promise<Response> => fetch(daemon.url + path, init);
  return {
    ...daemon,
    dataDir,
    configPath,
    fetch: fetchPath,
    post: (path, body, headers = {}) =>
      fetchPath(path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      }),
    clientMetrics: async () =>
      (await (await fetchPath("/metrics")).text()).replaceAll(/^(# (HELP|TYPE) )?(pi_daemon_|process_).*\n/gm, ""),
  };
}
