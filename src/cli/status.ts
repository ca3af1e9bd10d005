/** `status`, `reload` and `version`: the daemon that runs, and word with it. */
import { type Client, DaemonError, type Health, type Stats, UnreachableError } from "../client.ts";
import { escapeUnprintable } from "../core/printable.ts";
import { VERSION } from "../system/version.ts";
import { type Command, type CommandCall, CommandError, EXIT } from "./command.ts";
import { describeIssues } from "./issues.ts";
import { findDaemon, type Found } from "./place.ts";
import { createPainter, plural, readableBytes, readableDuration } from "./style.ts";
import { renderFacts } from "./table.ts";
import { tell } from "./tell.ts";

export const statusCommand: Command = {
  name: "status",
  operands: [],
  options: [],
  summary: "tell whether the daemon is running, and how it is (exit code 3: it is not)",
  examples: ["pi-daemon status", "pi-daemon status --json", "pi-daemon status --url http://127.0.0.1:9876"],
  async run(call) {
    try {
      const found = await findDaemon(call);
      return await tellStatus(call, found);
    } catch (error) {
      if (!isDown(error) || !call.args.isSet("json")) throw error;
      call.terminal.out(JSON.stringify({ status: "not running", reason: error.message }));
      return EXIT.notRunning;
    }
  },
};

export const reloadCommand: Command = {
  name: "reload",
  operands: [],
  options: [],
  summary: "make the daemon read its config again",
  details: "With a bad config the old one stays in force; the exit code is then 78, and every problem is listed.",
  async run(call) {
    const { client } = await findDaemon(call);
    try {
      const { live, needsRestart } = await client.reload();
      tell(call, { status: "reloaded", live, needsRestart }, describeReload(live, needsRestart));
      // Files beside the config were read again too: a fault in one leaves the rest in force.
      const { reasons = [] } = await client.health();
      for (const reason of reasons) call.terminal.err(`warning: ${escapeUnprintable(reason)}`);
      return EXIT.ok;
    } catch (error) {
      if (!(error instanceof DaemonError) || !Array.isArray(error.details)) throw error;
      if (call.args.isSet("json")) call.terminal.out(JSON.stringify({ status: "refused", issues: error.details }));
      throw new CommandError(EXIT.badConfig, [error.message + ":", ...describeIssues(error.details)].join("\n  "));
    }
  },
};

export const versionCommand: Command = {
  name: "version",
  operands: [],
  options: [],
  summary: "print the version of this program",
  async run(call) {
    tell(call, { version: VERSION, nodeVersion: process.version }, `pi-daemon ${VERSION} (Node ${process.version})`);
    return EXIT.ok;
  },
};

async function tellStatus(call: CommandCall, { client, holder, place }: Found): Promise<number> {
  const health = await client.health().catch((error: Error) => {
    if (holder === undefined || !(error instanceof UnreachableError)) throw error;
    const hint = 'it may be busy or stuck: see "pi-daemon logs"; "pi-daemon restart" ends it by force when it must';
    const message = `the daemon (pid ${holder.pid}) runs, but does not answer (${error.reason})`;
    throw new CommandError(EXIT.failure, message, hint);
  });
  const stats = await readStats(client);
  const url = holder?.url ?? client.place;
  const { dataDir, logFile } = place ?? {};
  const facts: [string, string][] = [
    ["URL", url],
    ["version", health.version + (health.version === VERSION ? "" : ` (this program is ${VERSION})`)],
    ["uptime", readableDuration(health.uptime * 1000)],
    ...describeStats(stats),
  ];
  if (dataDir !== undefined && logFile !== undefined) facts.push(["data", dataDir], ["log", logFile]);
  const text = [headline(call, health), ...renderFacts(facts).map((line) => "  " + line)].join("\n");
  tell(call, { ...stats, ...health, pid: stats?.pid ?? holder?.pid, url, dataDir, logFile }, text);
  return EXIT.ok;
}

function headline(call: CommandCall, { status, reasons = [] }: Health): string {
  const paint = createPainter(call.terminal.outHasColours);
  if (status === "ok") return `pi-daemon is ${paint("green", "running")}`;
  const lines = reasons.map((reason) => `  - ${escapeUnprintable(reason)}`);
  return [`pi-daemon is running, but ${paint("yellow", "not well")}:`, ...lines].join("\n");
}

function isDown(error: unknown): error is Error {
  return error instanceof UnreachableError || (error instanceof CommandError && error.code === EXIT.notRunning);
}

/** Over TCP the statistics may be for those with the token only; then there are none. */
async function readStats(client: Client): Promise<Stats | undefined> {
  try {
    return await client.stats();
  } catch (error) {
    if (error instanceof DaemonError && error.code.startsWith("AUTH_")) return undefined;
    throw error;
  }
}

function describeStats(stats: Stats | undefined): [string, string][] {
  if (stats === undefined) return [["more", "is told only with the token (--token-file)"]];
  const { pid, nodeVersion, memory, series, plugins } = stats;
  return [
    ["pid", `${pid} (Node ${nodeVersion})`],
    ["memory", readableBytes(memory["rss"] ?? 0)],
    ["series", String(series)],
    ["plugins", Object.keys(plugins).join(", ") || "none"],
  ];
}

function describeReload(live: readonly string[], needsRestart: readonly string[]): string {
  if (live.length + needsRestart.length === 0) return "reloaded; no setting of the config had changed";
  const names = live.length === 0 ? "" : ": " + live.join(", ");
  const changed = `reloaded; ${plural(live.length, "setting")} changed${names}`;
  if (needsRestart.length === 0) return changed;
  return `${changed}\nonly a restart brings into force: ${needsRestart.join(", ")} (pi-daemon restart)`;
}
