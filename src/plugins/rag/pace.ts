/** Long work that gives way to everything else every few milliseconds, and stands still when it is told to. */

export interface PaceServices {
  readonly clock: { monotonicMs(): number };
  turn(): Promise<void>;
}

/** Work goes on for so long at a time. */
const SLICE_MS = 3;

export class Pace {
  readonly #services: PaceServices;
  #untilMs = 0;
  #held: Promise<void> | undefined;
  /** The last of those that wait for a turn. */
  #last = Promise.resolve();

  constructor(services: PaceServices) {
    this.#services = services;
  }

  /** To be awaited between two steps: mostly it resolves at once. Of many that wait one goes on at each turn. */
  async giveWay(): Promise<void> {
    if (this.#held === undefined && this.#services.clock.monotonicMs() < this.#untilMs) return;
    this.#last = this.#last.then(() => this.#takeTurn());
    await this.#last;
  }

  /** For the work that others wait for: gives way to everything but them. */
  async turnWithin(): Promise<void> {
    if (this.#services.clock.monotonicMs() < this.#untilMs) return;
    await this.#services.turn();
    this.#untilMs = this.#services.clock.monotonicMs() + SLICE_MS;
  }

  /** Whoever gives way waits until `work` is done. One at a time. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    while (this.#held !== undefined) await this.#held;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    try {
      return await work();
    } finally {
      this.#held = undefined;
      resolve();
    }
  }

  async #takeTurn(): Promise<void> {
    await this.#services.turn();
    while (this.#held !== undefined) await this.#held;
    this.#untilMs = this.#services.clock.monotonicMs() + SLICE_MS;
  }
}
