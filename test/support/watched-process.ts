/** A process of its own whose event loop is watched with a short limit. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";

const CLOCK = new URL("../../src/system/clock.ts", import.meta.url).href;
const WATCHDOG = new URL("../../src/system/watchdog.ts", import.meta.url).href;
export const TIMEOUT_MS = 600;

/** A process that is watched, says so, and does what the script says; and how it ends. */
export function watched(
  t: TestContext,
  script: string,
  more: { logFile?: string; execArgv?: string[]; output?: "pipe" } = {},
) {
  const options = { timeoutMs: TIMEOUT_MS, logFormat: "json", logFile: more.logFile };
  const source = `
    const { startWatchdog } = await import(${JSON.stringify(WATCHDOG)});
    const { systemClock } = await import(${JSON.stringify(CLOCK)});
    startWatchdog({ ...${JSON.stringify(options)}, clock: systemClock, onFailure: (error) => { throw error; } });
    const hang = () => { for (;;); };
    process.stdout.write("watched\\n");
    ${script}`;
  const flags = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning", ...(more.execArgv ?? [])];
  const child: ChildProcess = spawn(process.execPath, [...flags, "--input-type=module", "--eval", source]);
  t.after(() => void child.kill("SIGKILL"));
  const stderr: Buffer[] = [];
  child.stderr!.on("data", (chunk: Buffer) => void stderr.push(chunk));
  const ended = once(child, "close").then(([code, signal]) => ({
    code,
    signal,
    log: Buffer.concat(stderr).toString(),
  }));
  return { child, ended, isWatched: once(child.stdout!, "data") };
}
