/**
 * The requestIds of the last minutes, so that a batch that is sent again is not counted again.
 *
 * Units: running time, so an id is never forgotten early, whatever the wall clock does and however long the daemon was down.
 * Errors: a full table refuses new ids; it never forgets a young one.
 */

const WINDOW_MS = 5 * 60_000;

/** What is known of an id: counted already, being written right now, or nothing. */
export type RequestIdStatus = "seen" | "full" | Promise<unknown> | undefined;

export class RequestIds {
  /** When each id may be forgotten; in the order of that time, since running time never goes back. */
  readonly #forgetAtMs = new Map<string, number>();
  readonly #inFlight = new Map<string, Promise<unknown>>();
  capacity = Infinity;

  get size(): number {
    return this.#forgetAtMs.size;
  }

  /** `seen` if a batch with this id has been counted; the outcome to wait for while one is being written. */
  look(id: string, nowMs: number): RequestIdStatus {
    this.#forgetOld(nowMs);
    if (this.#forgetAtMs.has(id)) return "seen";
    const running = this.#inFlight.get(id);
    if (running !== undefined) return running;
    return this.#forgetAtMs.size + this.#inFlight.size >= this.capacity ? "full" : undefined;
  }

  /** Marks `id` as being written until `outcome` settles. A batch that fails frees its id. */
  hold<T>(id: string, outcome: Promise<T>): Promise<T> {
    this.#inFlight.set(id, outcome);
    const free = (): void => void this.#inFlight.delete(id);
    outcome.then(free, free);
    return outcome;
  }

  /** Records that the batch of `id` counts, at running time `nowMs`. */
  add(id: string, nowMs: number): void {
    this.#forgetOld(nowMs);
    this.#forgetAtMs.set(id, nowMs + WINDOW_MS);
  }

  #forgetOld(nowMs: number): void {
    for (const [id, forgetAtMs] of this.#forgetAtMs) {
      if (forgetAtMs > nowMs) return;
      this.#forgetAtMs.delete(id);
    }
  }

  toJSON(): [string, number][] {
    return [...this.#forgetAtMs];
  }

  restore(entries: Iterable<readonly [string, number]>): void {
    for (const [id, forgetAtMs] of entries) this.#forgetAtMs.set(id, forgetAtMs);
  }
}
