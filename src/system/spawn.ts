/**
 * A program in a process group of its own -> how it ended and what it printed, with no process of the group left.
 *
 * Units: milliseconds, bytes.
 * Errors: none are thrown; a program that cannot be started is an outcome.
 */
import type { Clock } from "./clock.ts";
import type { OutputTail } from "./output-tail.ts";

export interface LogFileOptions {
  readonly path: string;
  /** Of the file: its beginning is kept, then the end of each stream. */
  readonly maxBytes: number;
}

export interface SpawnOptions {
  /** Program and arguments; no shell reads them. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Exactly what the program finds in its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Written to the program's input; without it the input is empty. */
  readonly stdin?: string | undefined;
  /** Until SIGTERM is sent to the group; none when absent. */
  readonly timeoutMs?: number | undefined;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  /** How much of each stream is kept in memory. */
  readonly outputBytes: number;
  readonly logFile?: LogFileOptions | undefined;
  /** Hides secrets in what is kept and logged. */
  readonly redact?: ((text: string) => string) | undefined;
  /** Takes the output as it comes; what it gives back is kept and logged instead. */
  readonly readStdout?: ((chunk: Uint8Array) => string) | undefined;
}

export interface SpawnOutcome {
  /** `deadline` and `terminated` when we ended it, whatever its exit status then was. */
  readonly end: "exited" | "deadline" | "terminated" | "not-started";
  readonly durationMs: number;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  /** Why it could not be started, or that processes are left which nothing ends. */
  readonly error?: string | undefined;
  readonly stdout: OutputTail;
  readonly stderr: OutputTail;
}

export interface SpawnedProcess {
  readonly pid: number | undefined;
  readonly startTime: string | undefined;
  /** Never rejects. */
  readonly done: Promise<SpawnOutcome>;
  /** SIGTERM to the group, SIGKILL after the grace. Does nothing the second time, or when all is over. */
  terminate(): void;
}

export type Spawn = (options: SpawnOptions) => SpawnedProcess;

export declare function createSpawn(services: { readonly clock: Clock }): Spawn;
