/**
 * What became of requests -> when the next one makes sense.
 *
 * After a failure nothing is sent for a second, then two, four, up to a minute, or as long as the server said.
 * Units: milliseconds of monotonic time.
 */
import type { Clock, Timer } from "../../system/clock.ts";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** What a server may ask for at most. */
const LONGEST_ASKED_MS = 600_000;

export class EndpointGate {
  readonly #clock: Clock;
  #failures = 0;
  #openAtMs = 0;
  #problem: string | undefined;
  readonly #sleepers = new Map<Timer, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Why there was no answer the last time; `undefined` when all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get isOpen(): boolean {
    return this.#clock.monotonicMs() >= this.#openAtMs;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openAtMs = 0;
    this.#problem = undefined;
  }

  failed(message: string, retryAfterMs: number | undefined): void {
    // Of requests that were under way together, one counts.
    const isNew = this.isOpen;
    this.#problem = message;
    if (isNew) this.#failures++;
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (this.#failures - 1), LONGEST_WAIT_MS);
    const untilMs = this.#clock.monotonicMs() + Math.min(retryAfterMs ?? waitMs, LONGEST_ASKED_MS);
    if (isNew || retryAfterMs !== undefined) this.#openAtMs = Math.max(this.#openAtMs, untilMs);
  }

  /** Resolves when it is open, or when all are let go. */
  async opened(): Promise<void> {
    while (!this.isOpen) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = this.#clock.after(Math.max(1, this.#openAtMs - this.#clock.monotonicMs()), resolve);
      this.#sleepers.set(timer, resolve);
      await promise;
      if (!this.#sleepers.delete(timer)) return;
    }
  }

  /** Wakes all who wait. */
  letGo(): void {
    const sleepers = [...this.#sleepers];
    this.#sleepers.clear();
    for (const [timer, resolve] of sleepers) {
      timer.cancel();
      resolve();
    }
  }
}
