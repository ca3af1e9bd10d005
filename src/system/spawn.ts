/**
 * A program in a process group of its own -> how it ended and what it printed, with no process of the group left.
 *
 * What the program leaves running in its group when it ends is ended too, after {@link DRAIN_MS}; a process that has
 * made itself a group of its own is ended when the run is ended by us, or always with `endsEscapees`.
 * Units: milliseconds, bytes.
 * Errors: none are thrown; a program that cannot be started is an outcome.
 */
import { type ChildProcess, spawn as spawnChild } from "node:child_process";
import type { Clock } from "./clock.ts";
import { holdWhile } from "./hold.ts";
import { NO_OUTPUT, type OutputTail } from "./output-tail.ts";
import { endGroup, waitForGroupEnd } from "./process-group.ts";
import { readStartMark, RUN_ID_VARIABLE } from "./process-table.ts";
import { createSweep, type Sweep } from "./run-sweep.ts";
import { explainSpawnError, findSpawnFault, isPassingSpawnError } from "./spawn-fault.ts";
import { collectOutput, type OutputOptions } from "./spawn-output.ts";

export type { LogFileOptions } from "./run-log.ts";

export interface SpawnOptions extends OutputOptions {
  /** Program and arguments; no shell reads them. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** All that the program finds in its environment, but for the mark of the run. */
  readonly env: Readonly<Record<string, string>>;
  /** The mark of the run, in `PI_DAEMON_RUN_ID`: random, never used before. */
  readonly runId?: string | undefined;
  /** Written to the program's input; without it the input is empty. */
  readonly stdin?: string | undefined;
  /** Until SIGTERM is sent to the group; none when absent. */
  readonly timeoutMs?: number | undefined;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  /** Ends processes that bear the mark of the run but have left its group also when the program ends by itself. */
  readonly endsEscapees?: boolean | undefined;
}

export interface SpawnOutcome {
  /** `deadline` and `terminated` when we ended it, whatever its exit status then was. */
  readonly end: "exited" | "deadline" | "terminated" | "not-started";
  readonly durationMs: number;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  /** Why it could not be started, or that processes are left which nothing ends. */
  readonly error?: string | undefined;
  /** It could not be started for want of something that may be there later. */
  readonly isTransient?: boolean | undefined;
  /** The program ended by itself, and what it had left running in its group was ended. */
  readonly hadLeftovers?: boolean | undefined;
  /** Why the log is not whole. */
  readonly logFault?: string | undefined;
  readonly stdout: OutputTail;
  readonly stderr: OutputTail;
}

export interface SpawnedProcess {
  readonly pid: number | undefined;
  /** Tells the process from another one that is given its id later. `undefined` when it had ended already. */
  readonly startTime: string | undefined;
  /** Never rejects. */
  readonly done: Promise<SpawnOutcome>;
  /** SIGTERM to the group, SIGKILL after the grace. Does nothing the second time, or when all is over. */
  terminate(): void;
}

export type Spawn = (options: SpawnOptions) => SpawnedProcess;

/** How long the group and the pipes may outlive the program. */
const DRAIN_MS = 2_000;

export function createSpawn({ clock }: { readonly clock: Clock }): Spawn {
  const sweep = createSweep(clock);
  return (options) => {
    const startedMs = clock.monotonicMs();
    const fault = findSpawnFault(options);
    if (fault !== undefined) return refuse(fault, false);
    try {
      return follow(launch(options), { clock, sweep, options, startedMs });
    } catch (error) {
      return refuse(explainSpawnError(error, options), isPassingSpawnError(error));
    }
  };
}

function launch({ argv, cwd, env, runId, stdin }: SpawnOptions): ChildProcess {
  const child = spawnChild(argv[0]!, argv.slice(1), {
    cwd,
    env: runId === undefined ? env : { ...env, [RUN_ID_VARIABLE]: runId },
    detached: true,
    stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  // A program need not read its input: that the pipe breaks is no fault.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(stdin);
  return child;
}

function refuse(error: string, isTransient: boolean): SpawnedProcess {
  const nothing = { durationMs: 0, stdout: NO_OUTPUT, stderr: NO_OUTPUT };
  const done = Promise.resolve({ end: "not-started", error, isTransient, ...nothing } as const);
  return { pid: undefined, startTime: undefined, done, terminate: () => undefined };
}

/** A child that could not be started says so in the next turn. */
function followFailure(child: ChildProcess, options: SpawnOptions): SpawnedProcess {
  const failed = new Promise<Error>((resolve) => child.once("error", resolve));
  const done = failed.then((error) => refuse(explainSpawnError(error, options), isPassingSpawnError(error)).done);
  return { pid: undefined, startTime: undefined, done, terminate: () => undefined };
}

interface Launch {
  readonly clock: Clock;
  readonly sweep: Sweep;
  readonly options: SpawnOptions;
  readonly startedMs: number;
}

function follow(child: ChildProcess, { clock, sweep, options, startedMs }: Launch): SpawnedProcess {
  const group = child.pid;
  if (group === undefined) return followFailure(child, options);
  const startTime = readStartMark(group);
  const output = collectOutput(child, clock, options);
  const stopped = Promise.withResolvers<boolean>();
  let end: "exited" | "deadline" | "terminated" | undefined;

  function stop(reason: "deadline" | "terminated"): void {
    if (end !== undefined) return;
    end = reason;
    void endGroup(clock, group!, options.graceMs).then(stopped.resolve);
  }

  async function finish(): Promise<SpawnOutcome> {
    const exited = readExit(child);
    const exit = await Promise.race([exited, stopped.promise.then((isGone) => (isGone ? exited : {}))]);
    const durationMs = clock.monotonicMs() - startedMs;
    end ??= "exited";
    const rest = end === "exited" ? await settle() : { isGone: await stopped.promise, isForced: true };
    const isSwept = rest.isForced || options.endsEscapees ? await sweep(options) : true;
    if (rest.isForced) await output.drain(DRAIN_MS);
    const error = rest.isGone && isSwept ? undefined : `processes of group ${group} live on, even after SIGKILL`;
    const hadLeftovers = end === "exited" && rest.isForced;
    return { end, durationMs, ...exit, error, hadLeftovers, ...(await output.finish()) };
  }

  /** What the program has left behind may end by itself for a while. */
  async function settle(): Promise<{ isGone: boolean; isForced: boolean }> {
    const [isGone] = await Promise.all([waitForGroupEnd(clock, group!, DRAIN_MS), output.drain(DRAIN_MS)]);
    if (isGone) return { isGone, isForced: false };
    return { isGone: await endGroup(clock, group!, options.graceMs), isForced: true };
  }

  // Of a program and a deadline that are both over the program was first: its end is read before the deadline counts.
  const deadline =
    options.timeoutMs === undefined
      ? undefined
      : clock.after(options.timeoutMs, () => setImmediate(() => stop("deadline")));
  const done = holdWhile(finish()).finally(() => deadline?.cancel());
  return { pid: group, startTime, done, terminate: () => stop("terminated") };
}

function readExit(child: ChildProcess): Promise<{ exitCode?: number; signal?: string }> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve(signal === null ? { exitCode: code ?? 0 } : { signal }));
  });
}
