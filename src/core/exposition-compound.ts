/**
 * Histograms and summaries -> their lines: many for a series, with a label of the encoder's own.
 *
 * Source: OpenMetrics 1.0 has no room for a negative sum or quantile, nor for a sum beside a negative bound. Prometheus
 *   takes them, so there such a family prints as three unknown ones (`x_bucket` or `x`, `x_sum`, `x_count`): the same
 *   samples below other heads.
 * Order: `_bucket` by rising `le`, or the quantiles rising; then `_sum`, `_count`, `_created`. `le` or `quantile` is
 *   the last label.
 * Cost: `series.text` keeps the text of the labels; that of the bounds is made once for all series that share an array.
 */
import type { Dialect } from "./exposition-dialect.ts";
import { createPart, type Encode, formatCreated, type Part } from "./exposition-part.ts";
import type { CompoundSeries, Family, HistogramSeries, Series, SeriesBase, SummarySeries } from "./family.ts";
import { formatLabelPairs } from "./labels.ts";

/** What a histogram and a summary differ in. */
interface Kind<S> {
  readonly series: readonly S[];
  /** The name of the samples beside `_sum` and `_count`. */
  readonly pointName: string;
  readonly createPointEncoder: (dialect: Dialect) => Encode<S>;
  readonly countOf: (series: S) => number;
  readonly isSigned: (series: S) => boolean;
}

const none: readonly number[] = [];

export function planHistogram(family: Family, series: readonly HistogramSeries[], dialect: Dialect): readonly Part[] {
  const pointName = `${family.name}_bucket`;
  const boundsOf = (one: HistogramSeries): readonly number[] => one.upperBounds ?? family.upperBounds ?? none;
  return planKind(family, dialect, {
    series,
    pointName,
    createPointEncoder: (form) => createBucketEncoder(pointName, boundsOf, form),
    countOf: (one) => sumOf(one.counts),
    isSigned: (one) => (one.isSigned ?? !(one.sum >= 0)) || (boundsOf(one)[0] ?? 0) < 0,
  });
}

export function planSummary(family: Family, series: readonly SummarySeries[], dialect: Dialect): readonly Part[] {
  const quantilesOf = (one: SummarySeries): readonly number[] => one.quantiles ?? family.quantiles ?? none;
  return planKind(family, dialect, {
    series,
    pointName: family.name,
    createPointEncoder: (form) => createQuantileEncoder(family.name, quantilesOf, form),
    countOf: (one) => one.count,
    isSigned: (one) => one.isSigned ?? (!(one.sum >= 0) || hasNegative(one.quantileValues)),
  });
}

function planKind<S extends CompoundSeries & Series>(
  { name, type }: Family,
  dialect: Dialect,
  kind: Kind<S>,
): readonly Part[] {
  const isUnknown = dialect.isStrict && kind.series.some(kind.isSigned);
  const encodePoints = kind.createPointEncoder(isUnknown ? { ...dialect, formatExemplar: () => "" } : dialect);
  const encodeSum = createLineEncoder<S>(`${name}_sum`, dialect, (one) => dialect.formatValue(one.sum));
  const encodeCount = createLineEncoder<S>(`${name}_count`, dialect, (one) => dialect.formatCount(kind.countOf(one)));
  if (isUnknown) {
    return [
      createPart(kind.pointName, dialect.unknown, encodePoints),
      createPart(`${name}_sum`, dialect.unknown, encodeSum),
      createPart(`${name}_count`, dialect.unknown, encodeCount),
    ];
  }
  const encodeAll: Encode<S> = (one) =>
    encodePoints(one) + encodeSum(one) + encodeCount(one) + formatCreated(name, one, dialect);
  return [createPart(name, type, encodeAll)];
}

/** The bounds or quantiles of a series. */
type ListOf<S> = (series: S) => readonly number[];

function createBucketEncoder(
  name: string,
  boundsOf: ListOf<HistogramSeries>,
  dialect: Dialect,
): Encode<HistogramSeries> {
  const endsOf = memoizeEnds((bounds) => [...bounds, Infinity].map((bound) => `le="${dialect.formatBound(bound)}"} `));
  return (series) => {
    const { counts, exemplars } = series;
    const ends = endsOf(boundsOf(series));
    const start = formatPointStart(name, series);
    const timestamp = dialect.formatTimestamp(series.timestampMs);
    const plainTail = timestamp + "\n";
    let text = "";
    let cumulative = 0;
    for (let index = 0; index < ends.length; index++) {
      cumulative += counts[index] ?? 0;
      const exemplar = exemplars?.[index];
      const tail = exemplar === undefined ? plainTail : timestamp + dialect.formatExemplar(exemplar) + "\n";
      text += start + ends[index]! + dialect.formatCount(cumulative) + tail;
    }
    return text;
  };
}

function createQuantileEncoder(
  name: string,
  quantilesOf: ListOf<SummarySeries>,
  dialect: Dialect,
): Encode<SummarySeries> {
  const endsOf = memoizeEnds((quantiles) => quantiles.map((q) => `quantile="${dialect.formatBound(q)}"} `));
  return (series) => {
    const { quantileValues } = series;
    const start = formatPointStart(name, series);
    const tail = dialect.formatTimestamp(series.timestampMs) + "\n";
    let text = "";
    let index = 0;
    for (const end of endsOf(quantilesOf(series))) {
      text += start + end + dialect.formatValue(quantileValues[index++] ?? NaN) + tail;
    }
    return text;
  };
}

function createLineEncoder<S extends SeriesBase>(name: string, dialect: Dialect, formatNumber: Encode<S>): Encode<S> {
  return (series) => {
    const labels = cacheLabels(series);
    const start = labels === "" ? name + " " : name + "{" + labels + "} ";
    return start + formatNumber(series) + dialect.formatTimestamp(series.timestampMs) + "\n";
  };
}

/** A list of bounds or quantiles -> what stands between the labels and the value of each line: `le="0.5"} `. */
type FormatEnds = (list: readonly number[]) => readonly string[];

/** Remembers the answer for as long as the same list comes. */
function memoizeEnds(formatEnds: FormatEnds): FormatEnds {
  let last: readonly number[] | undefined;
  let ends: readonly string[] = [];
  return (list) => {
    if (list !== last) ends = formatEnds(list);
    last = list;
    return ends;
  };
}

function formatPointStart(name: string, series: SeriesBase): string {
  const labels = cacheLabels(series);
  return [name, "{", labels, labels === "" ? "" : ","].join("");
}

function cacheLabels(series: SeriesBase): string {
  return (series.text ??= formatLabelPairs(series.labels));
}

function sumOf(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < counts.length; index++) sum += counts[index]!;
  return sum;
}

function hasNegative(values: ArrayLike<number>): boolean {
  for (let index = 0; index < values.length; index++) if (values[index]! < 0) return true;
  return false;
}
