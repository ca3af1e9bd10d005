/** Starts `daemon-process.ts` and kills it. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

export interface DaemonChild {
  readonly url: string;
  readonly pid: number;
  readonly process: ChildProcess;
  /** What it has logged so far. */
  log(): string;
  /** SIGKILL, unless said otherwise; resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

const PROGRAM = new URL("daemon-process.ts", import.meta.url).pathname;
const FLAGS = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

/** `wrapper` is a program that runs the daemon, such as `["prlimit", "--nofile=40"]`. */
export async function startDaemonChild(configPath: string, wrapper: readonly string[] = []): Promise<DaemonChild> {
  const [program, ...args] = [...wrapper, process.execPath, ...FLAGS, PROGRAM, configPath] as readonly string[];
  const child = spawn(program!, args, { stdio: ["ignore", "pipe", "pipe"] });
  let logged = "";
  child.stderr.on("data", (chunk: Buffer) => void (logged += chunk.toString()));
  const exited = once(child, "exit");
  const url = await Promise.race([
    once(createInterface(child.stdout), "line"),
    exited.then(() => assert.fail(`the daemon ended at its start: ${logged}`)),
  ]);
  return {
    url: String(url[0]),
    pid: child.pid!,
    process: child,
    log: () => logged,
    async kill(signal = "SIGKILL") {
      child.kill(signal);
      await exited;
    },
  };
}

/** Writes a config with a free port and limits over what tests send. */
export function writeConfig(path: string, config: Readonly<Record<string, unknown>>): string {
  const raised = { server: { port: 0 }, rateLimit: { requestsPerSecond: 0 }, logging: { level: "warn" }, ...config };
  writeFileSync(path, JSON.stringify(raised), { mode: 0o600 });
  return path;
}
