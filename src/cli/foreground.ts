/**
 * `start --foreground`: the daemon in this very process, from its config and log to its signals and its exit code.
 *
 * Order: what another start in the background waits for is told once the daemon listens.
 * Errors: what keeps the daemon from starting is logged and becomes the exit code.
 */
import { type Config, secretsOf } from "../config.ts";
import { startDaemon } from "../daemon.ts";
import { LockHeldError } from "../system/lock.ts";
import { createFileSink } from "../system/log-file.ts";
import { createStreamSink } from "../system/log-stream.ts";
import { createLog, type LogSink, type RootLog } from "../system/log.ts";
import { VERSION } from "../system/version.ts";
import { startWatchdog, watchdogLimit } from "../system/watchdog.ts";
import { type CommandCall, CommandError, EXIT } from "./command.ts";
import { endBySignal } from "./end-by-signal.ts";
import { needSettings, readSettings } from "./settings.ts";

/** What the process that started this one is told. */
export interface ReadyMessage {
  readonly url: string;
  readonly socketPath: string | undefined;
  readonly version: string;
}

export async function runForeground(call: CommandCall): Promise<number> {
  const settings = needSettings(call);
  let secrets = secretsOf(settings.config);
  const log = openLog(call, settings.config, () => secrets);
  call.host.on("uncaughtExceptionMonitor", (error) => {
    log.error("pi-daemon ends by an error that nothing caught", { error: String(error.stack) });
  });
  for (const warning of settings.warnings) log.warn(warning);
  let code: number;
  try {
    const starting = startDaemon({
      config: settings.config,
      references: settings.references,
      clock: call.clock,
      log,
      logFile: call.args.value("log-file"),
      readConfig: async () => readSettings(call),
      onConfig(next) {
        secrets = secretsOf(next);
        log.setLevel(next.logging.level);
      },
    });
    // Before it has started, so that a signal meanwhile ends it in order too.
    const stopped = endBySignal(call, starting, log);
    const daemon = await starting;
    watch(call, settings.config, log);
    call.host.tellParent({ url: daemon.url, socketPath: daemon.socketPath, version: VERSION } satisfies ReadyMessage);
    code = await stopped;
  } catch (error) {
    code = explainFailure(log, error);
  }
  await log.close();
  // Whatever still holds the event loop open, a client that does not read for one, had its time.
  call.host.exitNow(code);
  return code;
}

/** From the start on: what recovery takes is bounded by whoever waits for the start. */
function watch({ args, clock, env, host }: CommandCall, { logging, watchdog }: Config, log: RootLog): void {
  const logFile = args.value("log-file");
  const logFormat = logFile === undefined && host.stderr.isTTY === true ? "text" : logging.format;
  const timeoutMs = watchdogLimit(watchdog.timeoutMs, env);
  const onFailure = (error: Error): void => log.warn("nobody watches the event loop", { reason: error.message });
  startWatchdog({ clock, timeoutMs, logFormat, logFile, onFailure });
}

function openLog(call: CommandCall, config: Config, secrets: () => readonly string[]): RootLog {
  const { level, format, maxBytes, keep } = config.logging;
  const path = call.args.value("log-file");
  const { clock, host } = call;
  const sink = path === undefined ? createStreamSink(host.stderr, { clock }) : openFile({ path, maxBytes, keep });
  // A person reads what goes to a terminal.
  const isForPeople = path === undefined && host.stderr.isTTY === true;
  return createLog({ level, format: isForPeople ? "text" : format, sink, clock, secrets });
}

function openFile(options: Parameters<typeof createFileSink>[0]): LogSink {
  try {
    return createFileSink(options);
  } catch (error) {
    throw new CommandError(EXIT.failure, `Cannot log to ${options.path}: ${(error as Error).message}`);
  }
}

function explainFailure(log: RootLog, error: unknown): number {
  if (error instanceof LockHeldError) {
    const { holder } = error;
    log.error("pi-daemon is already running", { pid: holder?.pid, url: holder?.url, reason: error.message });
    return EXIT.alreadyRunning;
  }
  log.error("pi-daemon cannot start", { reason: error instanceof Error ? error.message : String(error) });
  if (error instanceof Error && !("code" in error)) log.debug("where it failed", { stack: String(error.stack) });
  return EXIT.failure;
}
