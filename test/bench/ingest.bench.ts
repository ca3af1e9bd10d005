/**
 * What it costs to take samples: single posts and batches, beside a bare `node:http` server that reads the body, parses
 * it as JSON and answers 204, in rounds by turns. The ratio is the median over the rounds of CPU a request, ours over
 * theirs.
 */
import { type Load, runRounds, type Round } from "./support/load.ts";
import { median, printTable } from "./support/measure.ts";
import { type MeasuredServer, startBareServer, startDaemonServer } from "./support/servers.ts";

const ROUNDS = 7;
const SECONDS = 1;

const metric = (index: number): object => ({
  name: `pi_tokens_${index % 5}_total`,
  type: "counter",
  labels: { session: `0199a7c2-${index % 100}`, model: "claude-sonnet-4" },
  increment: 100 + index,
});

const single = (connections: number): Load => ({
  path: "/api/metrics",
  bodies: [JSON.stringify(metric(1))],
  connections,
  seconds: SECONDS,
});

const batch = (size: number): Load => ({
  path: "/api/metrics/batch",
  bodies: [JSON.stringify({ metrics: Array.from({ length: size }, (_, index) => metric(index)) })],
  connections: 8,
  seconds: SECONDS,
});

export async function bench(): Promise<void> {
  const durability = (process.env["PI_DAEMON_BENCH_DURABILITY"] ?? "async") as "async" | "sync";
  const bare = await startBareServer();
  const daemon = await startDaemonServer({ storage: { durability } });
  const rows = [];
  const cases: readonly (readonly [string, Load])[] = [
    ...[1, 8, 64].map((connections) => [`single posts, ${connections} connections`, single(connections)] as const),
    ...[100, 1000].map((size) => [`batches of ${size}`, batch(size)] as const),
  ];
  for (const [title, load] of cases) rows.push(compare(title, await runRounds([bare, daemon], load, ROUNDS)));
  await stopAll([bare, daemon]);
  printTable("taking samples, CPU of the server in us a request", rows);
}

function compare(title: string, [bare, daemon]: readonly Round[][]): Record<string, string | number> {
  const rate = (rounds: readonly Round[]): number => median(rounds.map(({ requestsPerSecond }) => requestsPerSecond));
  return {
    load: title,
    "bare us": median(bare!.map(({ cpuUs }) => cpuUs)),
    "pi-daemon us": median(daemon!.map(({ cpuUs }) => cpuUs)),
    "CPU ratio": median(daemon!.map(({ cpuUs }, round) => cpuUs / bare![round]!.cpuUs)),
    "bare req/s": rate(bare!),
    "pi-daemon req/s": rate(daemon!),
    "req/s ratio": median(
      daemon!.map(({ requestsPerSecond }, round) => requestsPerSecond / bare![round]!.requestsPerSecond),
    ),
  };
}

async function stopAll(servers: readonly MeasuredServer[]): Promise<void> {
  for (const server of servers) await server.stop();
}
