/**
 * Turns the wish for a daemon in the background into one that answers, or into the reason why there is none.
 *
 * Order: whoever starts first wins the lock; a start that comes second waits for the daemon of the first.
 */
import { UnreachableError } from "../client.ts";
import { type BackgroundOutcome, startInBackground } from "../system/background.ts";
import { type Holder, readHolder } from "../system/lock.ts";
import { readLinesFrom, sizeOf } from "../system/log-reader.ts";
import { type CommandCall, CommandError, EXIT } from "./command.ts";
import type { ReadyMessage } from "./foreground.ts";
import { toReadableLine } from "./log-text.ts";
import { clientOf } from "./place.ts";
import { logFileOf, type Settings } from "./settings.ts";
import { createPainter, readableDuration } from "./style.ts";
import { renderFacts } from "./table.ts";
import { tell } from "./tell.ts";

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
/** For so long the lock may be held by one who has not written yet who it is. */
const UNNAMED_MS = 1000;
const SHOWN_LOG_LINES = 15;

export async function startAndTell(call: CommandCall, settings: Settings): Promise<number> {
  const { dataDir } = settings.config;
  const logFile = logFileOf(settings, call);
  for (const warning of settings.warnings) call.terminal.err(`warning: ${warning}`);
  if (readHolder(dataDir)) return tellRunning(call, dataDir, logFile);

  const logOffset = sizeOf(logFile);
  const outcome = await startForeground(call, settings, logFile);
  if (outcome.state === "ready") return tellStarted(call, outcome, logFile);
  if (outcome.state === "silent") throw tooSlow(outcome.pid);
  if (outcome.code === EXIT.alreadyRunning) return tellRunning(call, dataDir, logFile);
  throw explainEnd(call, outcome, { logFile, logOffset });
}

/** This very program with `start --foreground`, as a process of its own. */
function startForeground(call: CommandCall, { source }: Settings, logFile: string): Promise<BackgroundOutcome> {
  const config = source.isExplicit ? ["--config", source.path] : [];
  const command = [...call.program, "start", "--foreground", "--log-file", logFile, ...config];
  const { clock, env, home: workingDirectory } = call;
  const options = { clock, env, workingDirectory, outputPath: logFile, timeoutMs: START_TIMEOUT_MS };
  return startInBackground(command, options).catch((error: Error) => {
    throw new CommandError(EXIT.failure, error.message, '"pi-daemon doctor" looks for causes');
  });
}

async function tellStarted(
  call: CommandCall,
  { pid, message }: Extract<BackgroundOutcome, { state: "ready" }>,
  logFile: string,
): Promise<number> {
  const { url, version, socketPath } = message as ReadyMessage;
  await clientOf({ pid, startTime: "", bootId: "", url, socketPath }).health();
  if (socketPath === undefined) {
    const effect = "commands go by TCP, and need the token where others do";
    call.terminal.err(`warning: the daemon's Unix socket is not available (its log says why): ${effect}`);
  }
  const facts = renderFacts([["URL", url], ["pid", String(pid)], ["log", logFile]]);
  const text = [`pi-daemon ${version} is running`, ...facts.map((line) => "  " + line)].join("\n");
  tell(call, { status: "started", url, pid, version, logFile }, text);
  return EXIT.ok;
}

/** Tells of the daemon that another start has begun, once it answers. */
async function tellRunning(call: CommandCall, dataDir: string, logFile: string): Promise<number> {
  const holder = await awaitListening(call, dataDir);
  if (holder === undefined) {
    const message = "another start was under way, and it did not succeed";
    throw new CommandError(EXIT.failure, message, 'see "pi-daemon logs", then start it again');
  }
  const { pid, url } = holder;
  const { version } = await clientOf(holder).health().catch((error: Error) => {
    const reason = error instanceof UnreachableError ? error.reason : error.message;
    const hint = 'when it is stopping, try again in a moment; "pi-daemon restart" ends it by force when it must';
    throw new CommandError(EXIT.failure, `the daemon (pid ${pid}) runs, but does not answer (${reason})`, hint);
  });
  const data = { status: "already running", url, pid, version, logFile };
  tell(call, data, `pi-daemon is already running: pid ${pid}, URL ${url}`);
  return EXIT.ok;
}

/** Who holds the data directory, once it listens; `undefined` when nobody does, or no longer. */
async function awaitListening(call: CommandCall, dataDir: string): Promise<Holder | undefined> {
  for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS; waitedMs += POLL_MS) {
    const holder = readHolder(dataDir);
    if (holder?.url !== undefined) return holder;
    if (holder === undefined && waitedMs >= UNNAMED_MS) return undefined;
    await call.pause(POLL_MS);
  }
  return readHolder(dataDir);
}

function tooSlow(pid: number): CommandError {
  const message = `the daemon (pid ${pid}) runs, but does not answer after ${readableDuration(START_TIMEOUT_MS)}`;
  const hint = 'it may be reading a large state; see "pi-daemon status" and "pi-daemon logs -f"';
  return new CommandError(EXIT.failure, message, hint);
}

function explainEnd(
  call: CommandCall,
  { code, signal }: Extract<BackgroundOutcome, { state: "ended" }>,
  { logFile, logOffset }: { logFile: string; logOffset: number },
): CommandError {
  const paint = createPainter(call.terminal.errHasColours);
  const lines = readLinesFrom(logFile, logOffset).slice(-SHOWN_LOG_LINES).map((line) => toReadableLine(line, paint));
  const how = code === undefined ? `ended by ${signal}` : `exit code ${code}`;
  const last = lines.length > 0 ? `its log ends with:\n    ${lines.join("\n    ")}` : "it has logged nothing";
  const hint = `the whole log: ${logFile}; "pi-daemon doctor" looks for causes`;
  const exitCode = code === EXIT.badConfig ? EXIT.badConfig : EXIT.failure;
  return new CommandError(exitCode, `the daemon could not start (${how}); ${last}`, hint);
}
