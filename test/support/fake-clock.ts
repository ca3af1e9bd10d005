/** A clock that moves only when a test says so: `advance` runs every timer that falls due, in order. */
import type { Clock, Timer } from "../../src/system/clock.ts";

interface Pending {
  dueMs: number;
  periodMs: number | undefined;
  run: () => void;
}

export interface FakeClock extends Clock {
  /** Moves both clocks forward, running due timers at their due time. */
  advance(ms: number): void;
  /** Moves the wall clock alone, as an administrator or NTP would. */
  stepWall(ms: number): void;
  /** Both clocks go on and no timer runs, as while the process is stopped; those that fell due run at the next advance. */
  holdUp(ms: number): void;
}

export function fakeClock(startMs = 1_700_000_000_000): FakeClock {
  let monotonicMs = 0;
  let wallOffsetMs = startMs;
  const pending = new Set<Pending>();

  function add(delayMs: number, periodMs: number | undefined, run: () => void): Timer {
    const timer = { dueMs: monotonicMs + delayMs, periodMs, run };
    pending.add(timer);
    return { cancel: () => void pending.delete(timer) };
  }

  function nextDue(untilMs: number): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of pending) if (timer.dueMs <= untilMs && (!first || timer.dueMs < first.dueMs)) first = timer;
    return first;
  }

  return {
    wallMs: () => wallOffsetMs + monotonicMs,
    monotonicMs: () => monotonicMs,
    after: (delayMs, run) => add(delayMs, undefined, run),
    every: (periodMs, run) => add(periodMs, periodMs, run),
    stepWall: (ms) => void (wallOffsetMs += ms),
    holdUp: (ms) => void (monotonicMs += ms),
    advance(ms) {
      const untilMs = monotonicMs + ms;
      for (let timer = nextDue(untilMs); timer; timer = nextDue(untilMs)) {
        monotonicMs = Math.max(monotonicMs, timer.dueMs);
        if (timer.periodMs === undefined) pending.delete(timer);
        else timer.dueMs += timer.periodMs;
        timer.run();
      }
      monotonicMs = untilMs;
    },
  };
}
