/** Load on a server by `wrk` (Debian package), and what it cost the server. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuNs } from "./measure.ts";
import type { MeasuredServer } from "./servers.ts";

export interface Load {
  readonly path: string;
  readonly method?: "POST" | "PUT";
  readonly contentType?: string;
  /** Sent by turns. */
  readonly bodies: readonly string[];
  readonly connections: number;
  readonly seconds: number;
}

export interface Round {
  readonly requestsPerSecond: number;
  /** Microseconds of the server's CPU for each request. */
  readonly cpuUs: number;
}

/** One round of load. Throws when the server answered anything but success. */
export async function runLoad(server: MeasuredServer, load: Load): Promise<Round> {
  const directory = mkdtempSync(join(tmpdir(), "pi-daemon-wrk-"));
  const script = join(directory, "load.lua");
  writeFileSync(script, luaScript(load));
  try {
    const beforeNs = cpuNs(server.pid);
    const report = await runWrk([
      "-t1",
      `-c${load.connections}`,
      `-d${load.seconds}s`,
      "--timeout",
      "60s",
      "-s",
      script,
      server.url + load.path,
    ]);
    const usedNs = cpuNs(server.pid) - beforeNs;
    const [, requests, microseconds, errors] = /^RESULT (\d+) (\d+) (\d+)$/m.exec(report)!.map(Number);
    if (errors! > 0) throw new Error(`${server.name}: ${errors} of ${requests} requests failed`);
    return { requestsPerSecond: (requests! / microseconds!) * 1e6, cpuUs: usedNs / 1000 / requests! };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function luaScript({ method = "POST", contentType = "application/json", bodies }: Load): string {
  return `
local bodies = {${bodies.map((body) => `[==[${body}]==]`).join(",\n")}}
local turn = 0
wrk.method = "${method}"
wrk.headers["Content-Type"] = "${contentType}"
request = function()
  turn = turn % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[turn])
end
done = function(summary)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d\\n", summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout))
end
`;
}

async function runWrk(args: readonly string[]): Promise<string> {
  const child = spawn("wrk", args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => void (output += chunk.toString()));
  const [status] = (await once(child, "exit")) as [number];
  if (status !== 0) throw new Error(`wrk ended with ${status}: ${output}`);
  return output;
}

/** Rounds on each server by turns, so that what else the machine does falls on all alike. */
export async function runRounds(servers: readonly MeasuredServer[], load: Load, rounds: number): Promise<Round[][]> {
  const results: Round[][] = servers.map(() => []);
  for (const server of servers) await runLoad(server, load);
  for (let round = 0; round < rounds; round++) {
    for (const [index, server] of servers.entries()) results[index]!.push(await runLoad(server, load));
  }
  return results;
}
