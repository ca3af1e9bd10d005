/**
 * `/daemon WORD` -> a text for the person.
 *
 * Errors: none thrown; what cannot be reached is said.
 */
import { describeRefusal, parseObject } from "./batch.ts";
import type { Client } from "./client.ts";
import { describeError } from "./stderr.ts";
import { describeUsage } from "./usage-report.ts";

export interface CommandResult {
  readonly text: string;
  readonly type: "info" | "warning";
}

const HELP = `/daemon status: the daemon, and what waits for it
/daemon usage: tokens and cost
/daemon flush: send now
/daemon on, /daemon off: collect and send, or not, until pi ends`;

export async function runDaemonCommand(args: string, client: Client, session: string): Promise<CommandResult> {
  try {
    return await run(args.trim() || "status", client, session);
  } catch (error) {
    return { text: `pi-daemon: ${describeError(error)}`, type: "warning" };
  }
}

async function run(word: string, client: Client, session: string): Promise<CommandResult> {
  switch (word) {
    case "status":
      return await showStatus(client);
    case "usage":
      return { text: await describeUsage(client, session), type: "info" };
    case "flush":
      return await flush(client);
    case "on":
      client.isOn = true;
      client.flush();
      return { text: "pi-daemon: metrics are collected and sent", type: "info" };
    case "off":
      client.isOn = false;
      return { text: "pi-daemon: nothing is collected or sent until /daemon on", type: "info" };
    case "help":
      return { text: HELP, type: "info" };
    default:
      return { text: `pi-daemon: no such word\n${HELP}`, type: "warning" };
  }
}

async function showStatus(client: Client): Promise<CommandResult> {
  const answer = await client.get("/health");
  const { place } = client.state;
  const health = answer.kind === "answer" ? parseObject(answer.text) : undefined;
  if (typeof health?.["status"] !== "string") {
    const reason = answer.kind === "failure" ? answer.error : describeRefusal(answer.status, answer.text);
    return { text: [`no pi-daemon at ${place}: ${reason}`, ...describeState(client)].join("\n"), type: "warning" };
  }
  const { status, version, uptime } = health;
  const daemon = `pi-daemon ${String(version)} at ${place}: ${status}, up for ${describeSeconds(Number(uptime))}`;
  return { text: [daemon, ...describeState(client)].join("\n"), type: "info" };
}

function describeState({ isOn, state }: Client): string[] {
  const { waiting, sent, dropped, lastError } = state;
  const { full, rejected, unknown } = dropped;
  return [
    `collecting: ${isOn ? "on" : "off"}`,
    `samples: ${sent} sent, ${waiting} waiting`,
    `dropped: ${full} for want of room, ${rejected} refused by the daemon, ${unknown} with unknown outcome`,
    `last error: ${lastError ?? "none"}`,
  ];
}

async function flush(client: Client): Promise<CommandResult> {
  if (!client.isOn) return { text: "pi-daemon is off; /daemon on switches it on", type: "warning" };
  await client.drain();
  const { isAway, waiting, sent, lastError } = client.state;
  if (isAway) return { text: `pi-daemon: ${waiting} samples still wait: ${lastError ?? "no answer"}`, type: "warning" };
  return { text: `pi-daemon: all is sent, ${sent} samples so far`, type: "info" };
}

function describeSeconds(seconds: number): string {
  if (!(seconds >= 60)) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}
