/**
 * Ends a process: asks it, waits, and after that ends it by force.
 *
 * Order: who the process is is looked at before each signal, so that another one with the same number is never hit.
 * Errors: those of `process.kill`, EPERM for a process of another user.
 */
import { processStartTime } from "./process-identity.ts";

export interface EndOptions {
  /** How long it may take to end by itself. */
  readonly graceMs: number;
  /** Waits and keeps this process alive meanwhile. */
  readonly pause: (ms: number) => Promise<void>;
}

/** `survived`: not even by force, as a process that waits for a dead disk does. */
export type Ending = "ended" | "killed" | "survived";

const POLL_MS = 50;
const KILL_WAIT_MS = 5000;

export async function endProcess(
  target: { readonly pid: number; readonly startTime: string },
  options: EndOptions,
): Promise<Ending> {
  const isAlive = (): boolean => processStartTime(target.pid) === target.startTime;
  async function endsWithin(limitMs: number): Promise<boolean> {
    for (let waitedMs = 0; waitedMs < limitMs && isAlive(); waitedMs += POLL_MS) await options.pause(POLL_MS);
    return !isAlive();
  }
  function signal(name: NodeJS.Signals): void {
    try {
      if (isAlive()) process.kill(target.pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  signal("SIGTERM");
  if (await endsWithin(options.graceMs)) return "ended";
  signal("SIGKILL");
  return (await endsWithin(KILL_WAIT_MS)) ? "killed" : "survived";
}
