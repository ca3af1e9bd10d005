/**
 * Time as the daemon sees it: a wall clock for people, a monotonic one for intervals, and timers of any length.
 *
 * Units: milliseconds everywhere.
 * Not: `setTimeout` fires at once for delays of 2^31 ms or more; {@link Clock.after} does not.
 */
import { performance } from "node:perf_hooks";

/** A pending timer. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the epoch; may jump either way. For display and for schedules only. */
  wallMs(): number;
  /** Milliseconds since some fixed moment of this process; never goes back. For every interval. */
  monotonicMs(): number;
  /** Calls `run` once, `delayMs` from now. The timer never keeps the process alive. */
  after(delayMs: number, run: () => void): Timer;
  /** Calls `run` every `periodMs`. The timer never keeps the process alive. */
  every(periodMs: number, run: () => void): Timer;
}

/** The longest delay that `setTimeout` takes: beyond it the timer would fire after 1 ms. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),

  after(delayMs, run) {
    const dueMs = performance.now() + delayMs;
    let handle = schedule();
    function schedule(): NodeJS.Timeout {
      const restMs = Math.max(0, dueMs - performance.now());
      const step = restMs > LONGEST_TIMEOUT_MS ? () => void (handle = schedule()) : run;
      return setTimeout(step, Math.min(restMs, LONGEST_TIMEOUT_MS)).unref();
    }
    return { cancel: () => clearTimeout(handle) };
  },

  every(periodMs, run) {
    const handle = setInterval(run, Math.min(periodMs, LONGEST_TIMEOUT_MS)).unref();
    return { cancel: () => clearInterval(handle) };
  },
};
