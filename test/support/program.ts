/**
 * The real program, `start --foreground`, as a process of its own: with a wrapper around it, with streams that nobody
 * reads, and to be ended in any way.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { TestContext } from "node:test";
import { PROGRAM } from "./command-line.ts";

export interface Program {
  readonly url: string;
  readonly pid: number;
  readonly process: ChildProcess;
  /** What it has logged so far; nothing when its stderr is not read. */
  log(): string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** SIGKILL, unless said otherwise; resolves when it is gone. */
  end(signal?: NodeJS.Signals): Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProgramOptions {
  /** A command that runs it, such as `["prlimit", "--nofile=40"]`. */
  readonly wrapper?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `stalled`: a pipe that nobody reads. `closed`: a pipe whose reader goes once it has started. */
  readonly output?: "read" | "stalled" | "closed";
}

/** Starts it and waits until it listens; fails when it ends before. It is killed when the test ends. */
export async function startProgram(t: TestContext, configPath: string, options: ProgramOptions = {}): Promise<Program> {
  const outcome = await tryProgram(t, configPath, options);
  assert.ok("url" in outcome, `the daemon ended at its start: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** Like `startProgram`, and answers how it ended where it does. */
export async function tryProgram(
  t: TestContext,
  configPath: string,
  options: ProgramOptions = {},
): Promise<Program | (Ended & { log: string })> {
  const { wrapper = [], env = {}, output = "read" } = options;
  const command: readonly string[] = [...wrapper, ...PROGRAM, "start", "--foreground", "--config", configPath];
  const child = spawn(command[0]!, command.slice(1), {
    // It says that it is ready over the channel, as to the command that starts it in the background.
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: { PATH: process.env["PATH"] ?? "", HOME: dirname(configPath), ...env },
  });
  t.after(() => void child.kill("SIGKILL"));
  let logged = "";
  if (output === "read") child.stderr!.on("data", (chunk: Buffer) => void (logged += chunk.toString()));
  const ended = once(child, "exit").then(([code, signal]) => ({ code, signal }) as Ended);
  const ready = await Promise.race([once(child, "message"), ended]);
  if (!Array.isArray(ready)) return { ...ready, log: logged };
  if (output === "closed") for (const stream of [child.stdout!, child.stderr!]) stream.destroy();
  const { url } = ready[0] as { url: string };
  const request = (path: string, init?: RequestInit): Promise<Response> => fetch(url + path, init);
  return {
    url,
    pid: child.pid!,
    process: child,
    log: () => logged,
    fetch: request,
    post: (path, body, headers = {}) =>
      request(path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      }),
    end(signal = "SIGKILL") {
      child.kill(signal);
      return ended;
    },
  };
}

/** Writes a config with a free port, no rate limit and an empty home; answers its path. */
export function writeProgramConfig(path: string, config: Readonly<Record<string, unknown>>): string {
  const server = { port: 0, ...(config["server"] as object | undefined) };
  const defaults = { rateLimit: { requestsPerSecond: 0 }, logging: { level: "debug" } };
  writeFileSync(path, JSON.stringify({ ...defaults, ...config, server }), { mode: 0o600 });
  return path;
}
