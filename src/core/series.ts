/**
 * One labelled series of a metric family: what it has counted, and how it is written down.
 *
 * Units: `updatedMs` is running time (it does not advance while the daemon is down); `createdMs` and `timestampMs` are
 * milliseconds since the epoch.
 * Cost: an update is a few additions; a series holds no closure and no map of its own.
 */
import type { Exemplar } from "./family.ts";
import type { LabelSet } from "./label-set.ts";
import type { MetricType } from "./names.ts";
import { SlidingSummary, type SlidingSummaryJson } from "./sliding-summary.ts";

/** The quantiles that every summary shows. */
export const SUMMARY_QUANTILES: readonly number[] = [0.5, 0.9, 0.95, 0.99];

/** One event that a series takes in. */
export interface Sample {
  readonly name: string;
  readonly type: MetricType;
  readonly labels: LabelSet;
  /** `add` for counters and gauges, `set` for gauges, `observe` for histograms and summaries. */
  readonly operation: "add" | "set" | "observe";
  readonly value: number;
  readonly timestampMs: number | undefined;
  readonly help: string | undefined;
  readonly unit: string | undefined;
  readonly buckets: readonly number[] | undefined;
  readonly exemplar: Exemplar | undefined;
  /** Its series, where `Registry.recognise` has found it in this very turn of the event loop. */
  readonly series: Series | undefined;
}

/** What a series is when it is written down: plain JSON. */
export interface SeriesJson {
  readonly labels: LabelSet;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly state: unknown;
}

/** What the three kinds of series share. */
abstract class BaseSeries {
  labels: LabelSet;
  /** The encoder's cache of the text before the value. */
  text: string | undefined = undefined;
  createdMs = 0;
  updatedMs = 0;
  /** False until the first event has been applied: a series that is only reserved is not shown. */
  born = false;
  /** Events that have been accepted for this series and are not yet applied. */
  reservations = 0;
  /** The snapshot that already has this series, see `registry.ts`. */
  snapshot = 0;

  constructor(labels: LabelSet) {
    this.labels = labels;
  }

  /** Takes in one event, at running time `nowMs`. */
  abstract take(sample: Sample, nowMs: number): void;
  /** What `readState` reads: a copy, which later events do not touch. Both take `updatedMs` as the present. */
  abstract writeState(): unknown;
  abstract readState(state: unknown): void;
  /** Forgets everything counted. */
  abstract clear(): void;
}

export class ValueSeries extends BaseSeries {
  value = 0;
  exemplar: Exemplar | undefined = undefined;

  take(sample: Sample): void {
    this.value = sample.operation === "set" ? sample.value : addFinite(this.value, sample.value);
    if (sample.exemplar !== undefined) this.exemplar = sample.exemplar;
  }

  add(amount: number): void {
    this.value += amount;
  }

  set(value: number): void {
    this.value = value;
  }

  writeState(): unknown {
    return this.exemplar === undefined ? this.value : [this.value, this.exemplar];
  }

  readState(state: unknown): void {
    if (Array.isArray(state)) [this.value, this.exemplar] = state as [number, Exemplar];
    else this.value = state as number;
  }

  clear(): void {
    this.value = 0;
    this.exemplar = undefined;
  }
}

export class HistogramSeries extends BaseSeries {
  readonly #upperBounds: readonly number[];
  /** Observations in each bucket alone (not cumulative); the last one is +Inf. */
  readonly counts: number[];
  sum = 0;
  /** Whether it has ever seen a negative value: then its sum is no counter. */
  isSigned = false;
  /** The last exemplar of each bucket, where there is one. */
  exemplars: (Exemplar | undefined)[] | undefined = undefined;

  constructor(labels: LabelSet, upperBounds: readonly number[]) {
    super(labels);
    this.#upperBounds = upperBounds;
    this.counts = new Array<number>(upperBounds.length + 1).fill(0);
  }

  take(sample: Sample): void {
    const bucket = this.observe(sample.value);
    if (sample.exemplar !== undefined) (this.exemplars ??= [])[bucket] = sample.exemplar;
  }

  /** Counts `value` and says in which bucket. */
  observe(value: number): number {
    const bounds = this.#upperBounds;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
    this.counts[bucket]!++;
    if (value < 0) this.isSigned = true;
    this.sum = addFinite(this.sum, value);
    return bucket;
  }

  writeState(): unknown {
    return {
      counts: this.counts.slice(),
      sum: this.sum,
      ...(this.isSigned && { isSigned: true }),
      ...(this.exemplars && { exemplars: this.exemplars.slice() }),
    };
  }

  readState(state: unknown): void {
    const { counts, sum, isSigned, exemplars } = state as HistogramState;
    counts.forEach((count, bucket) => void (this.counts[bucket] = count));
    this.sum = sum;
    this.isSigned = isSigned ?? false;
    this.exemplars = exemplars?.map((exemplar) => exemplar ?? undefined);
  }

  clear(): void {
    this.counts.fill(0);
    this.sum = 0;
    this.isSigned = false;
    this.exemplars = undefined;
  }
}

interface HistogramState {
  readonly counts: readonly number[];
  readonly sum: number;
  readonly isSigned?: boolean;
  readonly exemplars?: readonly (Exemplar | null)[];
}

export class SummarySeries extends BaseSeries {
  #window = new SlidingSummary();
  /** The running time at which the quantiles are read. */
  readAtMs = 0;

  take(sample: Sample, nowMs: number): void {
    this.observe(sample.value, nowMs);
  }

  observe(value: number, nowMs: number): void {
    this.#window.observe(value, nowMs);
  }

  get quantileValues(): readonly number[] {
    return this.#window.quantiles(SUMMARY_QUANTILES, this.readAtMs);
  }

  get sum(): number {
    return this.#window.sum;
  }

  get count(): number {
    return this.#window.count;
  }

  get isSigned(): boolean {
    return this.#window.isSigned;
  }

  writeState(): unknown {
    return this.#window.save(this.updatedMs);
  }

  readState(state: unknown): void {
    this.#window = SlidingSummary.restore(state as SlidingSummaryJson, this.updatedMs);
  }

  clear(): void {
    this.#window = new SlidingSummary();
  }
}

export type Series = ValueSeries | HistogramSeries | SummarySeries;

/** A sum that stays finite: what would overflow stays at the largest number. */
function addFinite(total: number, amount: number): number {
  const sum = total + amount;
  return Number.isFinite(sum) ? sum : Math.sign(sum) * Number.MAX_VALUE;
}

export function seriesToJson(series: Series): SeriesJson {
  return {
    labels: series.labels,
    createdMs: series.createdMs,
    updatedMs: series.updatedMs,
    state: series.writeState(),
  };
}
