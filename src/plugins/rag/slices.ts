/**
 * Work that gives up control now and then -> its result, the event loop turning in between.
 *
 * Units: milliseconds of monotonic time.
 */
export interface Pace {
  monotonicMs(): number;
  /** Lets everything else that is due happen first. */
  turn(): Promise<void>;
}

/** The longest that a search holds the event loop, the length of one slice apart. */
const SLICE_MS = 3;

/** Rejects with the reason of `signal` once that is aborted. */
export async function runInSlices<T>(steps: Generator<void, T>, pace: Pace, signal: AbortSignal): Promise<T> {
  let sinceMs = pace.monotonicMs();
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (pace.monotonicMs() - sinceMs < SLICE_MS) continue;
    await pace.turn();
    signal.throwIfAborted();
    sinceMs = pace.monotonicMs();
  }
}
