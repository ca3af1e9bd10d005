/**
 * The places of `maxConcurrent`, which runs of all jobs share.
 *
 * Order: first come, first served. Fewer places than are taken: those who have one keep it.
 */
import type { ActiveRun } from "./active-run.ts";

export class Places {
  #count: number;
  #taken = 0;
  readonly #queue = new Set<ActiveRun>();

  constructor(count: number) {
    this.#count = count;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  setCount(count: number): void {
    this.#count = count;
    this.#serve();
  }

  /** Whether there was a place; it is the run's from now on. */
  tryTake(run: ActiveRun): boolean {
    if (this.#taken >= this.#count || this.#queue.size > 0) return false;
    this.#taken++;
    run.hasPlace = true;
    return true;
  }

  /** Resolves with a place, or without one when the run has been cancelled. */
  async take(run: ActiveRun): Promise<void> {
    if (run.hasPlace || this.tryTake(run)) return;
    this.#queue.add(run);
    while (!run.hasPlace && run.cancelReason === undefined) await run.sleep();
    this.#queue.delete(run);
  }

  /** Gives the run's place back, if it has one. */
  free(run: ActiveRun): void {
    if (!run.hasPlace) return;
    run.hasPlace = false;
    this.#taken--;
    this.#serve();
  }

  #serve(): void {
    for (const run of this.#queue) {
      if (this.#taken >= this.#count) return;
      this.#queue.delete(run);
      this.#taken++;
      run.hasPlace = true;
      run.wake();
    }
  }
}
