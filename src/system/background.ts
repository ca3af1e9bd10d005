/**
 * Turns a command into a process that goes on after this one has ended, and waits until it says that it is ready.
 *
 * The process has a session of its own, no input, and a file for what it prints. It says that it is ready by one
 * message over node's channel, which both ends then close.
 * Errors: Error with a sentence when the process cannot be started at all, or its output has nowhere to go.
 */
import { spawn } from "node:child_process";
import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "./clock.ts";
import { RUN_ID_VARIABLE } from "./process-table.ts";

export interface BackgroundOptions {
  readonly clock: Clock;
  /** Takes what the process prints itself, beside its log: the last words of a crash. */
  readonly outputPath: string;
  readonly workingDirectory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
}

export type BackgroundOutcome =
  | { readonly state: "ready"; readonly pid: number; readonly message: unknown }
  | { readonly state: "ended"; readonly code: number | undefined; readonly signal: string | undefined }
  /** It runs, and has not said that it is ready. */
  | { readonly state: "silent"; readonly pid: number };

export async function startInBackground(
  command: readonly string[],
  options: BackgroundOptions,
): Promise<BackgroundOutcome> {
  const output = openOutput(options.outputPath);
  const child = spawn(command[0]!, command.slice(1), {
    cwd: options.workingDirectory,
    // What a job starts to go on after it is no part of its run, with which it would be ended.
    env: { ...options.env, [RUN_ID_VARIABLE]: undefined },
    detached: true,
    stdio: ["ignore", output, output, "ipc"],
  });
  closeSync(output);
  return new Promise((resolve, reject) => {
    const letGo = (outcome: BackgroundOutcome): void => {
      timer.cancel();
      if (child.connected) child.disconnect();
      child.unref();
      resolve(outcome);
    };
    const timer = options.clock.after(options.timeoutMs, () => letGo({ state: "silent", pid: child.pid! }));
    child.once("message", (message) => letGo({ state: "ready", pid: child.pid!, message }));
    child.once("exit", (code, signal) => {
      letGo({ state: "ended", code: code ?? undefined, signal: signal ?? undefined });
    });
    child.once("error", (error) => {
      timer.cancel();
      reject(new Error(`Cannot start ${command[0]}: ${error.message}`, { cause: error }));
    });
  });
}

function openOutput(path: string): number {
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return openSync(path, O_APPEND | O_CREAT | O_WRONLY | (O_NOFOLLOW ?? 0), 0o600);
  } catch (error) {
    throw new Error(`Cannot write to ${path}: ${(error as Error).message}`, { cause: error });
  }
}
