/**
 * Samples on their way to batches: counters and gauges merged into one per series, observations one by one, bounded.
 *
 * Order: merged samples leave before observations, each in the order in which they first came.
 * Not: forgetting silently. What finds no room is counted, by reason, and the count leaves with the next batch.
 */
import type { MetricName } from "./metrics.ts";
import type { Labels, Sample } from "./sample.ts";
import { seriesKey } from "./sample.ts";

/** `full`: no room; `rejected`: the daemon refused it; `unknown`: it may have arrived, or not. */
export type DropReason = "full" | "rejected" | "unknown";

/** The counter of what was dropped. */
export const DROPPED_NAME = "pi_extension_dropped_total" satisfies MetricName;

export class SampleBuffer {
  readonly #limit: number;
  readonly #merged = new Map<string, Sample>();
  readonly #dropped: Record<DropReason, number> = { full: 0, rejected: 0, unknown: 0 };
  readonly #untold = new Map<DropReason, number>();
  #observations: Sample[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#merged.size + this.#observations.length + this.#untold.size;
  }

  /** All that was ever dropped. */
  get dropped(): Readonly<Record<DropReason, number>> {
    return this.#dropped;
  }

  add(sample: Sample): void {
    if (sample.observe !== undefined) {
      if (this.#isFull()) this.drop("full", 1);
      else this.#observations.push(sample);
      return;
    }
    const key = seriesKey(sample);
    const earlier = this.#merged.get(key);
    if (!earlier && !this.#makeRoom()) this.drop("full", 1);
    else this.#merged.set(key, earlier ? merge(earlier, sample) : sample);
  }

  drop(reason: DropReason, count: number): void {
    if (count === 0) return;
    this.#dropped[reason] += count;
    this.#untold.set(reason, (this.#untold.get(reason) ?? 0) + count);
  }

  /** Removes and answers the first samples, at most so many. */
  take(max: number): Sample[] {
    const taken = [...this.#untold].slice(0, max).map(([reason, count]) => droppedSample({ reason }, count));
    for (const { labels } of taken) this.#untold.delete(labels["reason"] as DropReason);
    for (const [key, sample] of this.#merged) {
      if (taken.length >= max) return taken;
      this.#merged.delete(key);
      taken.push(sample);
    }
    const rest = max - taken.length;
    taken.push(...this.#observations.slice(0, rest));
    this.#observations = this.#observations.slice(rest);
    return taken;
  }

  #isFull(): boolean {
    return this.#merged.size + this.#observations.length >= this.#limit;
  }

  /** A counter stands for many events, an observation for one: the oldest of these makes room. */
  #makeRoom(): boolean {
    if (!this.#isFull()) return true;
    if (this.#observations.shift() === undefined) return false;
    this.drop("full", 1);
    return true;
  }
}

function merge(earlier: Sample, later: Sample): Sample {
  if (later.increment !== undefined) return { ...later, increment: (earlier.increment ?? 0) + later.increment };
  if (later.delta === undefined) return later;
  if (earlier.set !== undefined) return { ...earlier, set: earlier.set + later.delta };
  return { ...later, delta: (earlier.delta ?? 0) + later.delta };
}

function droppedSample(labels: Labels, increment: number): Sample {
  return { name: DROPPED_NAME, type: "counter", labels, increment };
}
