/**
 * Samples into metric families: the one place that knows every series, checks names and limits, and says what is shown.
 *
 * A sample is taken in two steps, because it counts only when it is on disk: `reserve` finds or makes its series and
 * keeps a place for it (or refuses), `apply` counts it, `release` gives the place back when the write failed. Clients'
 * families are durable and expire; the daemon's own (`own`) are neither, and are exempt from the limits.
 *
 * Order: families by name, series in the order in which they were first reserved. Equal states print equal bytes.
 * Units: `nowMs` is running time, `wallMs` milliseconds since the epoch.
 * Cost: finding a known series is one hash of its labels and one look-up, whatever the number of series.
 */
import { MetricFamily, type FamilyJson } from "./metric-family.ts";
import { containsLabels, type LabelSet } from "./label-set.ts";
import { findLabelsFault, type Limits, Refusal, UNLIMITED } from "./limits.ts";
import { isReservedMetricName, type MetricType, namesTakenBy } from "./names.ts";
import { seriesToJson } from "./series.ts";
import type { HistogramSeries, Sample, Series, SeriesJson, SummarySeries, ValueSeries } from "./series.ts";

/** A family and its series as they are written down, one line of JSON each. */
export type RegistryJson = { readonly family: FamilyJson } | { readonly series: SeriesJson };

export class Registry {
  readonly #families = new Map<string, MetricFamily>();
  /** Every sample name in use, with the family that prints it. */
  readonly #takenNames = new Map<string, string>();
  #sortedFamilies: readonly MetricFamily[] | undefined;
  readonly #beforeExposition: (() => void)[] = [];
  #clientFamilyCount = 0;
  #clientSeriesCount = 0;
  #limits: Limits = UNLIMITED;
  /** The number of the snapshot being read, 0 when none is. */
  #runningSnapshot = 0;
  #lastSnapshot = 0;
  /** Series as they were when the running snapshot began, where they have changed since. */
  readonly #preimages = new Map<Series, SeriesJson>();

  /** Limits hold for series made from now on; what is there stays. */
  set limits(limits: Limits) {
    this.#limits = limits;
  }

  get clientFamilyCount(): number {
    return this.#clientFamilyCount;
  }

  get clientSeriesCount(): number {
    return this.#clientSeriesCount;
  }

  family(name: string): MetricFamily | undefined {
    return this.#families.get(name);
  }

  // ---- samples from clients

  /**
   * The client's series of this name and type that has just these labels, in this order. What is found was checked when
   * it was made: name and labels need no second look.
   */
  recognise(name: string, type: unknown, labels: Readonly<Record<string, unknown>>): Series | undefined {
    const family = this.#families.get(name);
    return family === undefined || family.type !== type || family.own ? undefined : family.findAsSent(labels);
  }

  /** The series that `sample` belongs to, with a place kept for it, or why there is none. */
  reserve(sample: Sample): Series | Refusal {
    if (sample.series !== undefined) {
      sample.series.reservations++;
      return sample.series;
    }
    const known = this.#families.get(sample.name);
    if (known !== undefined && known.type === sample.type && !known.own) {
      const series = known.find(sample.labels);
      if (series !== undefined) {
        series.reservations++;
        return series;
      }
    }
    return this.#findFault(sample, known) ?? this.#addSeries(sample, known);
  }

  /** As `reserve`, for an event that was accepted before: no limit holds. */
  reserveAccepted(sample: Sample): Series | undefined {
    const limits = this.#limits;
    this.#limits = UNLIMITED;
    const series = this.reserve(sample);
    this.#limits = limits;
    return series instanceof Refusal ? undefined : series;
  }

  /** Counts a reserved sample. */
  apply(sample: Sample, series: Series, time: { readonly nowMs: number; readonly wallMs: number }): void {
    if (this.#runningSnapshot !== 0) this.#keepPreimage(series);
    const family = this.#families.get(sample.name)!;
    if (!series.born) {
      family.bear(series, sample.labels);
      series.createdMs = time.wallMs;
    }
    series.reservations--;
    series.updatedMs = time.nowMs;
    series.take(sample, time.nowMs);
    family.noteEvent(sample, time.wallMs);
  }

  /** Gives a place back: the sample was not written. */
  release(sample: Sample, series: Series): void {
    series.reservations--;
    if (!series.born && series.reservations === 0) this.#removeSeries(this.#families.get(sample.name)!, series);
  }

  // ---- what goes away

  /** How many series `drop` would take. */
  countMatching(name: string, labels: LabelSet): number {
    const family = this.#families.get(name);
    return family === undefined
      ? 0
      : family.bornSeries().filter((series) => containsLabels(series.labels, labels)).length;
  }

  /** Drops the series of a client's family that have all `labels`; says how many. */
  drop(name: string, labels: LabelSet): number {
    const family = this.#families.get(name);
    if (family === undefined || family.own) return 0;
    return this.#dropWhere(family, (series) => containsLabels(series.labels, labels));
  }

  /** Drops clients' series that have not been updated since `cutoffMs` of their type; says how many. */
  expire(cutoffMs: Readonly<Record<MetricType, number>>): number {
    let dropped = 0;
    for (const family of [...this.#families.values()]) {
      if (!family.own) dropped += this.#dropWhere(family, (series) => series.updatedMs < cutoffMs[family.type]);
    }
    return dropped;
  }

  /** Drops everything that clients ever sent. */
  dropClients(): void {
    for (const family of [...this.#families.values()]) if (!family.own) this.#dropWhere(family, () => true);
  }

  /** Whether `expire` would drop anything. */
  hasExpired(cutoffMs: Readonly<Record<MetricType, number>>): boolean {
    for (const family of this.#families.values()) {
      if (family.own) continue;
      for (const series of family.series) if (series.updatedMs < cutoffMs[family.type]) return true;
    }
    return false;
  }

  // ---- the daemon's own metrics

  /** A counter or gauge of the daemon's own; the function gives the series of some labels, made on first use. */
  ownValue(name: string, type: "counter" | "gauge", help: string): (labels: LabelSet) => ValueSeries {
    const family = this.#own({ name, type, help });
    return (labels) => family.at(labels) as ValueSeries;
  }

  /** `upperBounds` when the usual ones, made for answers within seconds, do not fit. */
  ownHistogram(name: string, help: string, upperBounds?: readonly number[]): (labels: LabelSet) => HistogramSeries {
    const family = this.#own({ name, type: "histogram", help, upperBounds });
    return (labels) => family.at(labels) as HistogramSeries;
  }

  ownSummary(name: string, help: string): (labels: LabelSet) => SummarySeries {
    const family = this.#own({ name, type: "summary", help });
    return (labels) => family.at(labels) as SummarySeries;
  }

  #own(options: Pick<FamilyJson, "name" | "type" | "help"> & Partial<Pick<FamilyJson, "upperBounds">>): MetricFamily {
    const known = this.#families.get(options.name);
    const whole = { upperBounds: undefined, ...options, unit: undefined, own: true };
    return known ?? this.#addFamily(new MetricFamily(whole));
  }

  /** Runs `update` before each exposition: for figures that are read, not counted. */
  beforeExposition(update: () => void): void {
    this.#beforeExposition.push(update);
  }

  /** The families to print, by name; `names` limits them to those families, given by their own or a sample's name. */
  *exposed(nowMs: number, names?: ReadonlySet<string>): Generator<MetricFamily> {
    for (const update of this.#beforeExposition) update();
    for (const family of this.listed()) {
      if (names !== undefined && !this.#isAsked(family, names)) continue;
      family.readAtMs = nowMs;
      yield family;
    }
  }

  /** Every family that shows a series, by name. */
  listed(): readonly MetricFamily[] {
    this.#sortedFamilies ??= [...this.#families.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return this.#sortedFamilies.filter((family) => family.bornCount > 0);
  }

  #isAsked(family: MetricFamily, names: ReadonlySet<string>): boolean {
    return names.has(family.name) || namesTakenBy(family.name, family.type).some((name) => names.has(name));
  }

  // ---- snapshots

  /**
   * Clients' families as they are when the first line is asked for, however slowly the others are read: a series that
   * changes before its turn is kept as it was. One at a time.
   */
  *snapshot(): Generator<RegistryJson, void, void> {
    // Not before the first line: a snapshot that is given up before it has begun must not keep anything as it was.
    this.#runningSnapshot = ++this.#lastSnapshot;
    const content: [FamilyJson, Series[]][] = [];
    for (const family of this.#families.values()) {
      if (!family.own && family.bornCount > 0) content.push([family.toJSON(), family.bornSeries()]);
    }
    yield* this.#readSnapshot(content);
  }

  *#readSnapshot(content: readonly [FamilyJson, Series[]][]): Generator<RegistryJson, void, void> {
    try {
      for (const [family, allSeries] of content) {
        yield { family };
        for (const series of allSeries) {
          const json = this.#preimages.get(series) ?? seriesToJson(series);
          this.#preimages.delete(series);
          series.snapshot = this.#runningSnapshot;
          yield { series: json };
        }
      }
    } finally {
      this.#runningSnapshot = 0;
      this.#preimages.clear();
    }
  }

  #keepPreimage(series: Series): void {
    if (series.snapshot === this.#runningSnapshot) return;
    if (series.born) this.#preimages.set(series, seriesToJson(series));
    series.snapshot = this.#runningSnapshot;
  }

  /** Fills an empty registry with what `snapshot` gave. */
  restore(lines: Iterable<RegistryJson>): void {
    let family: MetricFamily | undefined;
    for (const line of lines) {
      if ("family" in line) family = this.#addFamily(MetricFamily.fromJSON(line.family));
      else this.#restoreSeries(family!, line.series);
    }
  }

  #restoreSeries(family: MetricFamily, json: SeriesJson): void {
    const series = family.at(json.labels);
    series.createdMs = json.createdMs;
    series.updatedMs = json.updatedMs;
    series.readState(json.state);
    this.#clientSeriesCount++;
  }

  // ---- inside

  #findFault(sample: Sample, known: MetricFamily | undefined): Refusal | undefined {
    const { name, type } = sample;
    if (isReservedMetricName(name)) {
      return new Refusal("reserved_name", `the name "${name}" is reserved for the daemon's own metrics`);
    }
    if (known !== undefined && known.type !== type) {
      return new Refusal("type_mismatch", `"${name}" is a ${known.type} already and cannot take a ${type} sample`);
    }
    const fault = findLabelsFault(sample, this.#limits);
    if (fault !== undefined) return fault;
    return known === undefined ? this.#findNewNameFault(sample) : this.#findSeriesLimit(known);
  }

  #findNewNameFault({ name, type }: Sample): Refusal | undefined {
    const taken = namesTakenBy(name, type).find((candidate) => this.#takenNames.has(candidate));
    if (taken !== undefined) {
      const owner = this.#takenNames.get(taken)!;
      return new Refusal("name_collision", `a ${type} "${name}" would print "${taken}", which belongs to "${owner}"`);
    }
    if (this.#clientFamilyCount >= this.#limits.maxMetricNames) {
      const limit = `${this.#limits.maxMetricNames} metric names (metrics.maxMetricNames)`;
      return new Refusal("too_many_metric_names", `"${name}" would exceed the limit of ${limit}`);
    }
    return this.#findSeriesLimit(undefined);
  }

  #findSeriesLimit(family: MetricFamily | undefined): Refusal | undefined {
    const { maxSeries, maxSeriesPerMetric } = this.#limits;
    if (this.#clientSeriesCount >= maxSeries) {
      return new Refusal("too_many_series", `the limit of ${maxSeries} series is reached (metrics.maxSeries)`);
    }
    if (family !== undefined && family.size >= maxSeriesPerMetric) {
      const limit = `${maxSeriesPerMetric} series (metrics.maxSeriesPerMetric)`;
      return new Refusal("too_many_series_per_metric", `"${family.name}" has reached the limit of ${limit}`);
    }
    return undefined;
  }

  #addSeries(sample: Sample, known: MetricFamily | undefined): Series {
    const family = known ?? this.#addFamily(MetricFamily.of(sample));
    const series = family.add(sample.labels);
    series.reservations++;
    series.snapshot = this.#runningSnapshot;
    this.#clientSeriesCount++;
    return series;
  }

  #addFamily(family: MetricFamily): MetricFamily {
    this.#families.set(family.name, family);
    for (const name of namesTakenBy(family.name, family.type)) this.#takenNames.set(name, family.name);
    if (!family.own) this.#clientFamilyCount++;
    this.#sortedFamilies = undefined;
    return family;
  }

  #dropWhere(family: MetricFamily, isDropped: (series: Series) => boolean): number {
    let dropped = 0;
    for (const series of family.bornSeries()) {
      if (!isDropped(series)) continue;
      dropped++;
      this.#forget(family, series);
    }
    // Kept only for events that come later in the journal; to a replay of it they will found a new one.
    if (dropped > 0 && family.bornCount === 0) family.forgetTexts();
    return dropped;
  }

  /** Takes a series away, or back to unborn where events that come later in the journal already hold it. */
  #forget(family: MetricFamily, series: Series): void {
    if (series.reservations === 0) return this.#removeSeries(family, series);
    if (this.#runningSnapshot !== 0) this.#keepPreimage(series);
    family.unbear(series);
    series.text = undefined;
    series.clear();
  }

  #removeSeries(family: MetricFamily, series: Series): void {
    family.remove(series);
    this.#clientSeriesCount--;
    if (family.size > 0) return;
    this.#families.delete(family.name);
    for (const name of namesTakenBy(family.name, family.type)) this.#takenNames.delete(name);
    this.#clientFamilyCount--;
    this.#sortedFamilies = undefined;
  }
}
