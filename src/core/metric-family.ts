/**
 * A metric family: one name, one type, and its series by their labels.
 *
 * Order: series stand in the order in which they were first seen.
 */
import type { LabelSet } from "./label-set.ts";
import type { MetricType } from "./names.ts";
import { SeriesIndex } from "./series-index.ts";
import { HistogramSeries, type Sample, type Series, SummarySeries, SUMMARY_QUANTILES, ValueSeries } from "./series.ts";

/** Prometheus' own default buckets, made for seconds. */
export const DEFAULT_UPPER_BOUNDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface FamilyJson {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string | undefined;
  readonly unit: string | undefined;
  readonly upperBounds: readonly number[] | undefined;
  readonly lastUpdateMs?: number;
  readonly lastTimestampMs?: number;
}

interface FamilyOptions extends FamilyJson {
  /** The daemon's own: not durable, never expires. */
  readonly own: boolean;
}

export class MetricFamily {
  readonly name: string;
  readonly type: MetricType;
  readonly own: boolean;
  unit: string | undefined;
  readonly upperBounds: readonly number[] | undefined;
  readonly quantiles: readonly number[] | undefined;
  /** The wall clock at the last event that was applied. */
  lastUpdateMs: number;
  /** The time that the sender gave the last event, where it gave one. */
  lastTimestampMs: number;
  /** The running time at which summaries are read. */
  readAtMs = 0;
  #help: string | undefined;
  #bornCount = 0;
  readonly #all = new Set<Series>();
  readonly #index = new SeriesIndex<Series>();

  constructor(options: FamilyOptions) {
    this.name = options.name;
    this.type = options.type;
    this.own = options.own;
    this.unit = options.unit;
    this.#help = options.help;
    this.upperBounds = options.type === "histogram" ? (options.upperBounds ?? DEFAULT_UPPER_BOUNDS) : undefined;
    this.quantiles = options.type === "summary" ? SUMMARY_QUANTILES : undefined;
    this.lastUpdateMs = options.lastUpdateMs ?? 0;
    this.lastTimestampMs = options.lastTimestampMs ?? 0;
  }

  /** The family that a first sample founds. Help and unit come when a sample is applied: see `noteEvent`. */
  static of({ name, type, buckets }: Sample): MetricFamily {
    return new MetricFamily({ name, type, help: undefined, unit: undefined, upperBounds: buckets, own: false });
  }

  static fromJSON(json: FamilyJson): MetricFamily {
    return new MetricFamily({ ...json, own: false });
  }

  toJSON(): FamilyJson {
    const { name, type, unit, upperBounds, lastUpdateMs, lastTimestampMs } = this;
    return { name, type, help: this.#help, unit, upperBounds, lastUpdateMs, lastTimestampMs };
  }

  get help(): string {
    return this.#help ?? `${this.type[0]!.toUpperCase()}${this.type.slice(1)} metric: ${this.name}`;
  }

  /** How many series it holds, reserved ones too. */
  get size(): number {
    return this.#all.size;
  }

  /** The series that are shown. */
  get series(): Iterable<Series> {
    return this.#exposed();
  }

  *#exposed(): Generator<Series> {
    for (const series of this.#all) {
      if (!series.born) continue;
      if (series instanceof SummarySeries) series.readAtMs = this.readAtMs;
      yield series;
    }
  }

  /** How many series are shown. */
  get bornCount(): number {
    return this.#bornCount;
  }

  bornSeries(): Series[] {
    return [...this.#all].filter((series) => series.born);
  }

  find(labels: LabelSet): Series | undefined {
    return this.#index.get(labels);
  }

  findAsSent(labels: Readonly<Record<string, unknown>>): Series | undefined {
    return this.#index.getAsSent(labels);
  }

  /** Adds the series of `labels`, which is not there yet. */
  add(labels: LabelSet): Series {
    const series = this.#create(labels);
    this.#insert(series);
    return series;
  }

  #insert(series: Series): void {
    this.#all.add(series);
    this.#index.add(series);
  }

  remove(series: Series): void {
    this.unbear(series);
    this.#all.delete(series);
    this.#index.delete(series);
  }

  /**
   * Shows a series from now on, with its labels in the order of the sample that brought it to life. It moves behind those born
   * before it, so that places kept for writes that failed leave no trace in the order.
   */
  bear(series: Series, labels: LabelSet): void {
    this.remove(series);
    series.labels = labels;
    series.born = true;
    this.#bornCount++;
    this.#insert(series);
  }

  /** Hides a series until its next birth. */
  unbear(series: Series): void {
    if (series.born) this.#bornCount--;
    series.born = false;
  }

  /** The series of `labels`, made and shown on first use: for what needs no reservation. */
  at(labels: LabelSet): Series {
    const series = this.find(labels) ?? this.add(labels);
    if (!series.born) this.bear(series, labels);
    return series;
  }

  noteEvent(sample: Sample, wallMs: number): void {
    this.#help ??= sample.help;
    this.unit ??= sample.unit;
    this.lastUpdateMs = wallMs;
    this.lastTimestampMs = sample.timestampMs ?? wallMs;
  }

  /** Help and unit come anew with the next event. */
  forgetTexts(): void {
    this.#help = undefined;
    this.unit = undefined;
  }

  #create(labels: LabelSet): Series {
    if (this.upperBounds !== undefined) return new HistogramSeries(labels, this.upperBounds);
    return this.type === "summary" ? new SummarySeries(labels) : new ValueSeries(labels);
  }
}
