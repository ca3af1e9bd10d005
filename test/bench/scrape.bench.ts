/**
 * `GET /metrics` with many series: server CPU for one scrape of text, beside prom-client 15 and Pushgateway with the
 * same series; and how long a single post takes while 100 000 series are being scraped without a pause.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bodiesOver, fillDaemon, pushTextOf } from "./support/fill.ts";
import { cpuNs, median, printTable, quantile } from "./support/measure.ts";
import { type MeasuredServer, startDaemonServer, startNodeServer, startPushgateway } from "./support/servers.ts";

const SIZES = [1_000, 10_000, 100_000];
const ROUNDS = 9;
const POSTS = 4_000;

export async function bench(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "pi-daemon-prom-client-"));
  const { status } = spawnSync("npm", ["install", "--silent", "--prefix", directory, "prom-client@15"], {
    stdio: "inherit",
  });
  const rows = [];
  for (const size of SIZES)
    rows.push(await measureScrapes(size, status === 0 ? join(directory, "node_modules/prom-client") : undefined));
  rmSync(directory, { recursive: true, force: true });
  printTable("a scrape over HTTP, ms of server CPU", rows);
  printTable("single posts at one connection, microseconds", await measurePostsBesideScrapes());
}

async function measureScrapes(size: number, promClient: string | undefined): Promise<Record<string, string | number>> {
  const daemon = await startDaemonServer();
  await fillDaemon(daemon, size);
  const peers: MeasuredServer[] = [];
  if (promClient !== undefined)
    peers.push(await startNodeServer("prom-client", "prom-client-server.ts", [promClient, String(size)]));
  if (spawnSync("prometheus-pushgateway", ["--version"]).error === undefined)
    peers.push(await startFilledPushgateway(size));
  const servers = [daemon, ...peers];
  const costs: number[][] = servers.map(() => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, server] of servers.entries()) {
      const costMs = await scrape(server);
      if (round > 0) costs[index]!.push(costMs);
    }
  }
  for (const server of servers) await server.stop();
  const [ours, ...theirs] = costs.map(median);
  const row: Record<string, string | number> = {
    series: size,
    "pi-daemon": ours!,
    "us a series": (ours! * 1000) / size,
  };
  peers.forEach(({ name }, index) =>
    Object.assign(row, { [name]: theirs[index]!, [`${name} ratio`]: theirs[index]! / ours! }),
  );
  return row;
}

async function startFilledPushgateway(size: number): Promise<MeasuredServer> {
  const server = await startPushgateway();
  await fetch(`${server.url}/metrics/job/held`, { method: "POST", body: pushTextOf(size) });
  return server;
}

/** Milliseconds of the server's CPU for one scrape of text. */
async function scrape(server: MeasuredServer): Promise<number> {
  const beforeNs = cpuNs(server.pid);
  const reply = await fetch(`${server.url}/metrics`, {
    headers: { accept: "text/plain", "accept-encoding": "identity" },
  });
  await reply.arrayBuffer();
  return (cpuNs(server.pid) - beforeNs) / 1e6;
}

async function measurePostsBesideScrapes(): Promise<Record<string, string | number>[]> {
  const daemon = await startDaemonServer();
  await fillDaemon(daemon, 100_000);
  const bodies = bodiesOver(100_000);
  await postsUs(daemon, bodies);
  const idle = await postsUs(daemon, bodies);
  const scraper = spawn("wrk", ["-t1", "-c1", "-d60s", `${daemon.url}/metrics`], { stdio: "ignore" });
  const ended = once(scraper, "exit");
  const busy = await postsUs(daemon, bodies);
  scraper.kill();
  await ended;
  await daemon.stop();
  const row = (title: string, times: number[]): Record<string, string | number> => ({
    state: title,
    p50: median(times),
    p99: quantile(times, 0.99),
    "p99 to idle": quantile(times, 0.99) / quantile(idle, 0.99),
  });
  return [row("idle, 100 000 series held", idle), row("while they are scraped", busy)];
}

/** The time of each of many posts, one after the other. */
async function postsUs(server: MeasuredServer, bodies: readonly string[]): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times = [];
  for (let index = 0; index < POSTS; index++) {
    const startMs = performance.now();
    await post(agent, `${server.url}/api/metrics`, bodies[index % bodies.length]!);
    times.push((performance.now() - startMs) * 1000);
  }
  agent.destroy();
  return times;
}

function post(agent: Agent, url: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const sent = request(url, { method: "POST", agent, headers }, (reply) => {
      reply
        .resume()
        .on("end", () => (reply.statusCode === 204 ? resolve() : reject(new Error(`answered ${reply.statusCode}`))));
    });
    sent.on("error", reject).end(body);
  });
}
