/**
 * Observations as they come -> their quantiles over the last ten minutes, and their sum and count since birth.
 *
 * Units: milliseconds of running time: any clock that never steps, such as the monotonic one.
 * Order: the window is cut into slices of a sketch each. A slice begins with the first observation after the last one
 *   has ended, and goes as a whole, so an observation counts for 9 to 10 minutes.
 * Cost: `observe` is an `add` to one sketch; `quantiles` merges two sketches (and once a slice all of them), and
 *   remembers the answer until it can change.
 */
import { Sketch, type SketchJson } from "./sketch.ts";

export interface SlidingWindow {
  readonly windowMs: number;
  /** Into how many parts the window is cut. */
  readonly slices: number;
}

export const tenMinutes: SlidingWindow = { windowMs: 600_000, slices: 10 };

interface Slice {
  readonly startMs: number;
  readonly sketch: Sketch;
}

interface Answer {
  readonly quantiles: readonly number[];
  readonly values: readonly number[];
  readonly untilMs: number;
}

/** A summary at rest. Slices carry their age instead of their start: the clock that reads them may have begun anew. */
export interface SlidingSummaryJson {
  readonly sum: number;
  readonly count: number;
  readonly isSigned: boolean;
  readonly slices: readonly (readonly [ageMs: number, sketch: SketchJson])[];
}

export class SlidingSummary {
  readonly #windowMs: number;
  readonly #sliceMs: number;
  /** Oldest first. */
  #slices: Slice[] = [];
  /** All slices but the newest, merged; remade when one begins or goes. */
  #older: Sketch | undefined;
  #sum = 0;
  #count = 0;
  #isSigned = false;
  #answer: Answer | undefined;

  constructor({ windowMs, slices }: SlidingWindow = tenMinutes) {
    this.#windowMs = windowMs;
    this.#sliceMs = windowMs / slices;
  }

  /** Of all observations since birth; kept finite, because an infinite sum would never come back. */
  get sum(): number {
    return this.#sum;
  }

  /** Of all observations since birth. */
  get count(): number {
    return this.#count;
  }

  /** Whether an observation since birth was negative. */
  get isSigned(): boolean {
    return this.#isSigned;
  }

  /** Throws RangeError, and changes nothing, for what is not finite. */
  observe(value: number, nowMs: number): void {
    const slice = this.#currentSlice(nowMs);
    slice.sketch.add(value);
    if (slice !== this.#slices.at(-1)) this.#setSlices([...this.#slices, slice]);
    this.#sum = Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, this.#sum + value));
    this.#count++;
    if (value < 0) this.#isSigned = true;
    this.#answer = undefined;
  }

  /** One value for each quantile in [0, 1]; NaN when nothing was observed in the window. */
  quantiles(quantiles: readonly number[], nowMs: number): readonly number[] {
    const known = this.#answer;
    if (known?.quantiles === quantiles && nowMs < known.untilMs) return known.values;
    this.#dropExpired(nowMs);
    const sketch = this.#mergeSlices();
    const values = quantiles.map((q) => sketch.quantile(q));
    const oldest = this.#slices[0];
    this.#answer = { quantiles, values, untilMs: oldest === undefined ? Infinity : oldest.startMs + this.#windowMs };
    return values;
  }

  /** What `restore` reads. */
  save(nowMs: number): SlidingSummaryJson {
    this.#dropExpired(nowMs);
    const slices = this.#slices.map(({ startMs, sketch }) => [nowMs - startMs, sketch.toJSON()] as const);
    return { sum: this.#sum, count: this.#count, isSigned: this.#isSigned, slices };
  }

  /** The summary that `save` wrote, its slices as old at `nowMs` as they were then. TypeError for a damaged sketch. */
  static restore(json: SlidingSummaryJson, nowMs: number, window: SlidingWindow = tenMinutes): SlidingSummary {
    const summary = new SlidingSummary(window);
    summary.#sum = json.sum;
    summary.#count = json.count;
    summary.#isSigned = json.isSigned;
    for (const [ageMs, sketch] of json.slices) {
      summary.#slices.push({ startMs: nowMs - ageMs, sketch: Sketch.fromJSON(sketch) });
    }
    return summary;
  }

  /** The newest slice, or a fresh one when that has ended. */
  #currentSlice(nowMs: number): Slice {
    const newest = this.#slices.at(-1);
    if (newest !== undefined && nowMs - newest.startMs < this.#sliceMs) return newest;
    this.#dropExpired(nowMs);
    return { startMs: nowMs, sketch: new Sketch() };
  }

  #dropExpired(nowMs: number): void {
    const isLive = (slice: Slice): boolean => nowMs - slice.startMs < this.#windowMs;
    if (!this.#slices.every(isLive)) this.#setSlices(this.#slices.filter(isLive));
  }

  #setSlices(slices: Slice[]): void {
    this.#slices = slices;
    this.#older = undefined;
  }

  #mergeSlices(): Sketch {
    const newest = this.#slices.at(-1);
    if (newest === undefined) return new Sketch();
    if (this.#slices.length === 1) return newest.sketch;
    this.#older ??= mergeSketches(this.#slices.slice(0, -1).map(({ sketch }) => sketch));
    return mergeSketches([this.#older, newest.sketch]);
  }
}

function mergeSketches(sketches: readonly Sketch[]): Sketch {
  const all = new Sketch();
  for (const sketch of sketches) all.merge(sketch);
  return all;
}
