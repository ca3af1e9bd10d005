/**
 * Names and the instants at which they are due -> a call for each when its instant has come, by one timer.
 *
 * The timer never sleeps longer than {@link LONGEST_SLEEP_MS}, so that a clock that was set, a suspended machine and a
 * process that was stopped are all noticed within that time of going on.
 *
 * Order: by instant, then as they were set.
 * Cost: a wake with nothing due is one comparison; when much is due, the event loop gets its turn every 10 ms.
 */
import type { Clock, Timer } from "../../system/clock.ts";
import { DueHeap } from "./due-heap.ts";

/** The wall clock went one way and the monotonic clock another: set by somebody, or stopped while the machine slept. */
export interface ClockStep {
  /** How far the wall clock went beyond what had passed; negative when it went back. */
  readonly byMs: number;
  /** The wall clock when it was noticed. */
  readonly atMs: number;
}

export interface SchedulerOptions {
  readonly clock: Clock;
  /** The name is out of the schedule until it is set again. */
  onDue(name: string, nowMs: number): void;
  onStep(step: ClockStep): void;
}

export interface Scheduler {
  set(name: string, dueMs: number): void;
  remove(name: string): void;
  dueOf(name: string): number | undefined;
  readonly size: number;
  /** When the timer last went off, on the wall clock. */
  readonly lastTickMs: number;
  /** Whether names are due that have not been called yet. */
  isBehind(): boolean;
  /** How many names are overdue by more than `ms`. */
  countOverdue(ms: number): number;
  stop(): void;
}

export const LONGEST_SLEEP_MS = 5_000;
/** Clocks are adjusted all the time by less. */
const LEAST_STEP_MS = 1_000;
const LONGEST_TURN_MS = 10;
const MOST_A_TURN = 2_000;

export function startScheduler({ clock, onDue, onStep }: SchedulerOptions): Scheduler {
  const heap = new DueHeap();
  let timer: Timer | undefined;
  let wakesAtMs = Infinity;
  let isStopped = false;
  let isAwake = false;
  let lastTickMs = clock.wallMs();
  let offsetMs = clock.wallMs() - clock.monotonicMs();
  arm();

  function arm(): void {
    const nowMs = clock.wallMs();
    const dueMs = heap.peek() ?? Infinity;
    sleepUntil(Math.max(nowMs, Math.min(dueMs, nowMs + LONGEST_SLEEP_MS)), nowMs);
  }

  function sleepUntil(atMs: number, nowMs: number): void {
    timer?.cancel();
    wakesAtMs = atMs;
    timer = clock.after(atMs - nowMs, wake);
  }

  function wake(): void {
    if (isStopped) return;
    isAwake = true;
    noticeStep();
    const startMs = clock.monotonicMs();
    const nowMs = clock.wallMs();
    lastTickMs = nowMs;
    let name = heap.takeDue(nowMs);
    for (let taken = 1; name !== undefined; taken++) {
      onDue(name, nowMs);
      if (taken >= MOST_A_TURN || clock.monotonicMs() - startMs >= LONGEST_TURN_MS) break;
      name = heap.takeDue(nowMs);
    }
    isAwake = false;
    if (!isStopped) arm();
  }

  function noticeStep(): void {
    const nowOffsetMs = clock.wallMs() - clock.monotonicMs();
    const byMs = nowOffsetMs - offsetMs;
    offsetMs = nowOffsetMs;
    if (Math.abs(byMs) >= LEAST_STEP_MS) onStep({ byMs, atMs: clock.wallMs() });
  }

  return {
    set(name, dueMs) {
      heap.set(name, dueMs);
      if (!isAwake && !isStopped && dueMs < wakesAtMs) arm();
    },
    remove: (name) => heap.remove(name),
    dueOf: (name) => heap.dueOf(name),
    get size() {
      return heap.size;
    },
    get lastTickMs() {
      return lastTickMs;
    },
    isBehind: () => (heap.peek() ?? Infinity) <= clock.wallMs(),
    countOverdue: (ms) => heap.countDueBefore(clock.wallMs() - ms),
    stop() {
      isStopped = true;
      timer?.cancel();
    },
  };
}
