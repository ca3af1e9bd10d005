/**
 * Whether a post becomes dearer with the number of series held: posts over all series at 0, 1k, 10k and 100k of them,
 * in rounds by turns; and Pushgateway (Debian package), which keeps everything in one map and writes it out.
 */
import { spawnSync } from "node:child_process";
import { bodiesOver, fillDaemon, pushTextOf } from "./support/fill.ts";
import { type Load, type Round, runLoad, runRounds } from "./support/load.ts";
import { median, printTable } from "./support/measure.ts";
import { type MeasuredServer, startDaemonServer, startPushgateway } from "./support/servers.ts";

const SIZES = [0, 1_000, 10_000, 100_000];
const ROUNDS = 7;

export async function bench(): Promise<void> {
  const daemons: MeasuredServer[] = [];
  for (const size of SIZES) {
    const daemon = await startDaemonServer();
    await fillDaemon(daemon, size);
    daemons.push(daemon);
  }
  const load = (size: number): Load => ({ path: "/api/metrics", bodies: bodiesOver(size), connections: 8, seconds: 1 });
  const measured = await interleave(daemons, (index) => load(SIZES[index]!));
  for (const daemon of daemons) await daemon.stop();
  const pushes = spawnSync("prometheus-pushgateway", ["--version"]).error
    ? SIZES.map(() => "not installed")
    : await measurePushgateway();
  printTable(
    "a post with so many series held (8 connections)",
    SIZES.map((size, index) => ({
      series: size,
      "pi-daemon us CPU": measured[index]!.cpuUs,
      "to 0 series": measured[index]!.cpuUs / measured[0]!.cpuUs,
      "pi-daemon posts/s": measured[index]!.requestsPerSecond,
      "Pushgateway pushes/s": pushes[index]!,
    })),
  );
}

/** The medians of each server's rounds; the first round is to warm up. */
async function interleave(servers: readonly MeasuredServer[], loadOf: (index: number) => Load): Promise<Round[]> {
  const rounds: Round[][] = servers.map(() => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, server] of servers.entries()) rounds[index]!.push(await runLoad(server, loadOf(index)));
  }
  return rounds.map(([, ...measured]) => ({
    cpuUs: median(measured.map(({ cpuUs }) => cpuUs)),
    requestsPerSecond: median(measured.map(({ requestsPerSecond }) => requestsPerSecond)),
  }));
}

/** Pushes a second of one small group beside a group of so many series. */
async function measurePushgateway(): Promise<number[]> {
  const results = [];
  for (const size of SIZES) {
    const server = await startPushgateway();
    if (size > 0) await fetch(`${server.url}/metrics/job/held`, { method: "POST", body: pushTextOf(size) });
    const load: Load = {
      path: "/metrics/job/bench",
      method: "POST",
      contentType: "text/plain",
      bodies: [pushTextOf(1)],
      connections: 8,
      seconds: 3,
    };
    const [rounds] = await runRounds([server], load, 1);
    results.push(rounds![0]!.requestsPerSecond);
    await server.stop();
  }
  return results;
}
