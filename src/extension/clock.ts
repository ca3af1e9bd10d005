/** Time as the extension sees it: timers never keep pi alive. */
import { performance } from "node:perf_hooks";

export interface Clock {
  /** Milliseconds since the epoch; may jump. */
  wallMs(): number;
  /** Milliseconds since some fixed moment; never goes back. */
  monotonicMs(): number;
  /** Calls `run` once. */
  after(delayMs: number, run: () => void): { cancel(): void };
}

export const processClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const handle = setTimeout(run, delayMs).unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
