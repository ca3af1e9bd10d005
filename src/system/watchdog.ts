/**
 * Ends the process when its event loop has stood still for too long, so that whoever started it can start it again.
 *
 * The loop counts its ticks in shared memory; a worker thread looks at the count, and ends the process once it has
 * looked so often without a change. It counts its own looks, not the time: a process that was stopped, or a machine
 * that slept, finds both waiting where they were.
 *
 * Units: milliseconds.
 * Not: a process that is being debugged (`--inspect`, SIGUSR1) is left alone; one whose debugger comes only when the
 *   loop stands still already is not known as such.
 * Cost: the thread, about 7 MiB resident, and 12 wakings of each thread in the time.
 */
import type * as nodeFs from "node:fs";
import type { Clock } from "./clock.ts";
import { type LogFormat, renderLine } from "./log-line.ts";

/** Looks without a change until the end: more are more exact, fewer wake the machine less. */
const LOOKS = 12;
const SERVICE_TIMEOUT_MS = 60_000;
/** Long enough for the last words to be written, where they can be. */
const LAST_WORDS_MS = 500;
const EPOCH = new Date(0).toISOString();

export interface WatchdogOptions {
  readonly clock: Clock;
  /** How long the loop may stand still. */
  readonly timeoutMs: number;
  /** How the last line of the log is written, and to which file; to standard error without one. */
  readonly logFormat: LogFormat;
  readonly logFile: string | undefined;
  /** Told when there is no watching, for lack of threads or memory. */
  readonly onFailure: (error: Error) => void;
}

interface WatchOrder {
  readonly cells: Int32Array<SharedArrayBuffer>;
  readonly periodMs: number;
  readonly looks: number;
  /** A line of the log, of the time {@link EPOCH}. */
  readonly line: string;
  readonly epoch: string;
  readonly output: string | number;
  readonly lastWordsMs: number;
}

/**
 * The limit that holds: the one that is set, else a minute in a service, which is started again, and none elsewhere.
 *
 * Source: systemd.exec(5), `$SYSTEMD_EXEC_PID`; launchd sets `XPC_SERVICE_NAME` to the label.
 */
export function watchdogLimit(setMs: number | null, env: Readonly<Record<string, string | undefined>>): number {
  const isService = env["SYSTEMD_EXEC_PID"] === String(process.pid) || env["XPC_SERVICE_NAME"] === "com.pi-daemon";
  return setMs ?? (isService ? SERVICE_TIMEOUT_MS : 0);
}

/** Watches the loop of this thread until the process ends. Does nothing with a timeout of 0. */
export function startWatchdog(options: WatchdogOptions): void {
  const { clock, timeoutMs, logFormat, logFile, onFailure } = options;
  if (timeoutMs === 0) return;
  // Not imported: a module that nothing has asked for yet is loaded by whoever needs it, and only there.
  const inspector = process.getBuiltinModule("node:inspector");
  const { Worker } = process.getBuiltinModule("node:worker_threads");
  const cells = new Int32Array(new SharedArrayBuffer(8));
  const periodMs = timeoutMs / LOOKS;
  const tick = (): void => {
    Atomics.add(cells, 0, 1);
    Atomics.store(cells, 1, inspector.url() === undefined ? 0 : 1);
  };
  tick();
  clock.every(periodMs, tick);
  const message = `the event loop has stood still for ${timeoutMs} ms: ending the process (watchdog.timeoutMs)`;
  const line = renderLine({ timeMs: 0, level: "error", message, fields: { pid: process.pid } }, logFormat, []);
  const output = logFile ?? 2;
  const order: WatchOrder = { cells, periodMs, looks: LOOKS, line, epoch: EPOCH, output, lastWordsMs: LAST_WORDS_MS };
  // From its source, since a thread that strips types itself takes more again.
  const source = `(${String(watch)})(require("node:worker_threads").workerData, require("node:fs"))`;
  const resourceLimits = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 8 };
  try {
    const worker = new Worker(source, { eval: true, workerData: order, execArgv: [], env: {}, resourceLimits });
    worker.on("error", onFailure);
    // The process must be able to end while it is watched.
    worker.unref();
  } catch (error) {
    onFailure(error as Error);
  }
}

/** The thread's whole program: sees nothing of this file but what it is given. */
function watch(order: WatchOrder, fs: typeof nodeFs): void {
  const { cells, periodMs, looks } = order;
  let seen = Atomics.load(cells, 0);
  let silentLooks = 0;
  const timer = setInterval(() => {
    const ticks = Atomics.load(cells, 0);
    const isDebugged = Atomics.load(cells, 1) === 1;
    silentLooks = ticks === seen && !isDebugged ? silentLooks + 1 : 0;
    seen = ticks;
    if (silentLooks < looks) return;
    clearInterval(timer);
    const end = (): void => void process.kill(process.pid, "SIGKILL");
    // Neither a full pipe nor a dead disk may keep it from its end.
    setTimeout(end, order.lastWordsMs);
    fs.appendFile(order.output, order.line.replace(order.epoch, new Date().toISOString()), end);
  }, periodMs);
}
