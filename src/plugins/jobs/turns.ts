/**
 * Runs that may begin -> so many of them in each turn of the event loop that others get theirs; slots that are due are
 * decided first.
 *
 * Order: first come, first served. While slots wait to be decided, runs wait, for a quarter of a second at most.
 * Cost: to begin a run takes some 20 us of the daemon's own, and a millisecond or two for a program.
 */
import type { Clock } from "../../system/clock.ts";
import type { ActiveRun } from "./active-run.ts";

export interface TurnsOptions {
  readonly clock: Clock;
  /** Whether slots that are due wait to be decided. */
  readonly isDeciding: () => boolean;
  readonly begin: (run: ActiveRun) => void;
}

/** Whichever comes first: programs take longer to begin than requests. */
const MOST_A_TURN = 100;
const LONGEST_TURN_MS = 10;
const LONGEST_WAIT_MS = 250;

export class Turns {
  readonly #options: TurnsOptions;
  #queue: ActiveRun[] = [];
  /** Those of the queue that have begun. */
  #served = 0;
  /** In this turn of the event loop: how many have begun, and how long that took. */
  #taken = 0;
  #spentMs = 0;
  #isArmed = false;
  #waitsSinceMs = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Begins the run, at once or in a turn to come. */
  add(run: ActiveRun): void {
    const { clock, isDeciding } = this.#options;
    const isAlone = this.#queue.length === 0;
    if (isAlone && this.#hasTime() && !isDeciding()) this.#begin(run);
    else {
      if (isAlone) this.#waitsSinceMs = clock.monotonicMs();
      this.#queue.push(run);
    }
    this.#arm();
  }

  #hasTime(): boolean {
    return this.#taken < MOST_A_TURN && this.#spentMs < LONGEST_TURN_MS;
  }

  #begin(run: ActiveRun): void {
    const { clock, begin } = this.#options;
    const startMs = clock.monotonicMs();
    this.#taken++;
    begin(run);
    this.#spentMs += clock.monotonicMs() - startMs;
  }

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#options.clock.after(0, () => this.#serve());
  }

  #serve(): void {
    const { clock, isDeciding } = this.#options;
    this.#isArmed = false;
    this.#taken = 0;
    this.#spentMs = 0;
    if (this.#queue.length === 0) return;
    const nowMs = clock.monotonicMs();
    if (!isDeciding() || nowMs - this.#waitsSinceMs >= LONGEST_WAIT_MS) {
      this.#waitsSinceMs = nowMs;
      while (this.#served < this.#queue.length && this.#hasTime()) this.#begin(this.#queue[this.#served++]!);
      if (this.#served === this.#queue.length) {
        this.#queue = [];
        this.#served = 0;
      }
    }
    this.#arm();
  }
}
