/** The servers that are measured, each in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "../../support/free-port.ts";

export interface MeasuredServer {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** Ends the process and removes what it left. */
  stop(): Promise<void>;
}

const NODE_FLAGS = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

/** A program of this folder that prints its URL as its first line. */
export async function startNodeServer(
  name: string,
  program: string,
  args: readonly string[] = [],
  flags: readonly string[] = [],
): Promise<MeasuredServer> {
  const path = new URL(program, import.meta.url).pathname;
  const child = spawn(process.execPath, [...NODE_FLAGS, ...flags, path, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [url] = (await once(createInterface(child.stdout!), "line")) as [string];
  return { name, url, pid: child.pid!, stop: () => end(child) };
}

/** The least that any Node server must do: read the body, parse it as JSON, answer 204. */
export function startBareServer(): Promise<MeasuredServer> {
  return startNodeServer("bare node:http", "bare-server.ts");
}

/** The daemon as it runs, every guard on; only the limits are raised over what the load needs. */
export async function startDaemonServer(config: Readonly<Record<string, unknown>> = {}): Promise<MeasuredServer> {
  const directory = mkdtempSync(join(tmpdir(), "pi-daemon-bench-"));
  const file = join(directory, "config.json");
  const raised = {
    server: { port: 0 },
    dataDir: join(directory, "data"),
    rateLimit: { requestsPerSecond: 10_000_000, burst: 10_000_000 },
    metrics: { maxSeries: 1_000_000, maxSeriesPerMetric: 1_000_000 },
    logging: { level: "error" },
    ...config,
  };
  writeFileSync(file, JSON.stringify(raised), { mode: 0o600 });
  const server = await startNodeServer("pi-daemon", "../../support/daemon-process.ts", [file]);
  return {
    ...server,
    async stop() {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Pushgateway (Debian package) with its state on disk, as we keep ours. */
export async function startPushgateway(): Promise<MeasuredServer> {
  const directory = mkdtempSync(join(tmpdir(), "pi-daemon-pushgateway-"));
  const port = await freePort();
  const args = [`--web.listen-address=127.0.0.1:${port}`, `--persistence.file=${join(directory, "state")}`];
  const child = spawn("prometheus-pushgateway", args, { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 100; tries++) {
    if (
      await fetch(`${url}/-/ready`).then(
        (reply) => reply.ok,
        () => false,
      )
    )
      break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    name: "Pushgateway",
    url,
    pid: child.pid!,
    async stop() {
      await end(child);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
