/**
 * The pi extension: what happens in pi's sessions -> metrics at a pi-daemon, and its knowledge -> tools of the model.
 *
 * Errors: none reach pi, which would end (at load), or warn (in a handler).
 * Cost: handlers only add to a buffer. Nothing is awaited but the last flush of a process, for a second at most.
 * Not: prompts, arguments, paths or error texts in metrics. Only what the model asks the knowledge for is sent there.
 */
import { type Client, useClient } from "./client.ts";
import { collectCompaction } from "./collectors/compaction.ts";
import { collectContext } from "./collectors/context.ts";
import { collectSessions } from "./collectors/sessions.ts";
import { collectTools } from "./collectors/tools.ts";
import { collectTurns } from "./collectors/turns.ts";
import { collectUsage } from "./collectors/usage.ts";
import { type MetricGroup, loadConfig } from "./config.ts";
import { createFooter } from "./footer.ts";
import { readMetric } from "./intake.ts";
import { registerKnowledge } from "./knowledge-tools.ts";
import type { Pi } from "./pi.ts";
import { type Scope, createScope, guard } from "./scope.ts";
import { debug, describeError, tell } from "./stderr.ts";

const COLLECTORS: readonly (readonly [group: MetricGroup, collect: (scope: Scope) => void])[] = [
  ["compaction", collectCompaction],
  ["sessions", collectSessions],
  ["usage", collectUsage],
  ["turns", collectTurns],
  ["tools", collectTools],
  ["context", collectContext],
];
const METRIC_CHANNEL = "pi-daemon:metric";
const HELLO_CHANNEL = "pi-daemon:hello";

/** Called by pi for every session. */
export default function piDaemon(pi: Pi): void {
  try {
    attach(pi);
  } catch (error) {
    debug(`not loaded: ${describeError(error)}`);
  }
}

function attach(pi: Pi): void {
  if (hasTwin(pi)) return warnOfTwin(pi);
  const { config, problems } = loadConfig(process.env);
  const client = useClient(config);
  const footer = createFooter(client, problems);
  const scope = createScope(pi, client);
  pi.on(
    "session_start",
    guard("footer", (_event, ctx) => footer.update(ctx)),
  );
  for (const [group, collect] of COLLECTORS) if (config.metrics[group]) collect(scope);
  for (const event of ["turn_start", "agent_settled", "session_compact"] as const) {
    scope.on(event, (_event, ctx) => footer.update(ctx));
  }
  // What the client before the reload had not sent.
  scope.on("session_start", ({ reason }) => {
    if (reason === "reload") client.flush();
  });
  scope.on("agent_settled", () => client.flush());
  listenToOthers(pi, client);
  registerCommand(pi, client);
  registerKnowledge(pi, client);
}

function listenToOthers(pi: Pi, client: Client): void {
  let isOver = false;
  const hear = (channel: string, handler: (data: unknown) => void): unknown =>
    pi.events.on(channel, (data) => {
      try {
        if (!isOver) handler(data);
      } catch (error) {
        debug(`${channel}: ${describeError(error)}`);
      }
    });
  hear(HELLO_CHANNEL, (data) => (data as { answer: () => void }).answer());
  hear(METRIC_CHANNEL, (data) => {
    const metric = readMetric(data);
    if (typeof metric === "string") debug(`${METRIC_CHANNEL}: ${metric}`);
    else client.add(metric);
  });
  pi.on(
    "session_shutdown",
    guard("session_shutdown", ({ reason }: { reason: string }) => {
      isOver = true;
      if (reason === "quit") return client.finish();
      return client.flush();
    }),
  );
}

function registerCommand(pi: Pi, client: Client): void {
  const words = ["status", "usage", "flush", "on", "off"];
  pi.registerCommand("daemon", {
    description: "pi-daemon: status, usage, flush, on, off",
    getArgumentCompletions: (prefix) => {
      const fitting = words.filter((word) => word.startsWith(prefix));
      return fitting.length > 0 ? fitting.map((word) => ({ value: word, label: word })) : null;
    },
    handler: async (args, ctx) => {
      try {
        // Loaded when it is first needed: each file that pi has to load delays its start.
        const { runDaemonCommand } = await import("./command.ts");
        const { text, type } = await runDaemonCommand(args, client, ctx.sessionManager.getSessionId());
        if (ctx.hasUI) ctx.ui.notify(text, type);
        else tell(text);
      } catch (error) {
        // Such as that of a context whose session was left while the daemon was asked.
        debug(`/daemon: ${describeError(error)}`);
      }
    },
  });
}

/** Whether another copy of this extension, installed twice, is at work in this session. */
function hasTwin(pi: Pi): boolean {
  let isAnswered = false;
  pi.events.emit(HELLO_CHANNEL, { answer: () => void (isAnswered = true) });
  return isAnswered;
}

function warnOfTwin(pi: Pi): void {
  pi.on(
    "session_start",
    guard("twin", (_event, ctx) => {
      const text = "pi-daemon is installed twice; one copy is idle, so that nothing is counted twice";
      if (ctx.hasUI) ctx.ui.notify(text, "warning");
      else tell(text);
    }),
  );
}
