/**
 * Turns scraped families into one row for each series, as a person reads them: buckets become a few quantiles.
 *
 * Source: quantiles of a histogram as Prometheus' `histogram_quantile` estimates them, by interpolation in a bucket.
 * Order: families as they come, series as they come first.
 */
import type { ScrapedFamily, ScrapedSample } from "./parse-exposition.ts";

export interface MetricRow {
  readonly name: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The value of a counter, a gauge or an untyped sample. */
  readonly value?: number;
  /** Of a histogram or a summary. */
  readonly count?: number;
  readonly sum?: number;
  /** `{"0.5": 1.2}`; without those that cannot be told. */
  readonly quantiles?: Readonly<Record<string, number>>;
}

const SHOWN_QUANTILES = [0.5, 0.9, 0.99];

export function toMetricRows(families: readonly ScrapedFamily[]): MetricRow[] {
  return families.flatMap((family) => {
    if (family.type === "histogram" || family.type === "summary") return distributionRows(family);
    return family.samples
      .filter(({ name }) => !isCreated(name, family))
      .map(({ name, labels, value }) => ({ name, type: family.type, labels: Object.fromEntries(labels), value }));
  });
}

interface Distribution {
  labels: Record<string, string>;
  count: number;
  sum: number;
  quantiles: Record<string, number>;
  buckets: Bucket[];
}

function distributionRows(family: ScrapedFamily): MetricRow[] {
  const series = new Map<string, Distribution>();
  for (const sample of family.samples) addSample(family.name, sample, series);
  return [...series.values()].map(({ labels, count, sum, quantiles, buckets }) => {
    const estimated = family.type === "histogram" ? quantilesOf(buckets) : quantiles;
    return { name: family.name, type: family.type, labels, count, sum, quantiles: estimated };
  });
}

function addSample(familyName: string, sample: ScrapedSample, series: Map<string, Distribution>): void {
  const { le, quantile, ...labels } = Object.fromEntries(sample.labels) as Record<string, string>;
  const key = JSON.stringify(Object.entries(labels).sort());
  const entry = series.get(key) ?? { labels, count: 0, sum: 0, quantiles: {}, buckets: [] };
  series.set(key, entry);
  if (sample.name === familyName + "_count") entry.count = sample.value;
  else if (sample.name === familyName + "_sum") entry.sum = sample.value;
  else if (le !== undefined) entry.buckets.push({ upperBound: readBound(le), count: sample.value });
  else if (quantile !== undefined && Number.isFinite(sample.value)) entry.quantiles[quantile] = sample.value;
}

function readBound(le: string): number {
  return le === "+Inf" ? Infinity : Number(le);
}

function quantilesOf(buckets: Distribution["buckets"]): Record<string, number> {
  const entries = SHOWN_QUANTILES.map((rank) => [String(rank), histogramQuantile(buckets, rank)] as const);
  return Object.fromEntries(entries.filter((entry): entry is readonly [string, number] => entry[1] !== undefined));
}

/** One bucket: how many observations lie at or below its bound. */
export interface Bucket {
  readonly upperBound: number;
  readonly count: number;
}

/** The value below which the share `rank` of the observations lies; bounds rise. `undefined` without observations. */
export function histogramQuantile(buckets: readonly Bucket[], rank: number): number | undefined {
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) return undefined;
  const index = buckets.findIndex(({ count }) => count >= rank * total);
  const bucket = buckets[index]!;
  const below = buckets[index - 1];
  // Nothing is known of what lies beyond the last finite bound but that it is beyond.
  if (bucket.upperBound === Infinity) return below?.upperBound;
  const lower = below?.upperBound ?? Math.min(0, bucket.upperBound);
  const share = (rank * total - (below?.count ?? 0)) / (bucket.count - (below?.count ?? 0));
  return lower + (bucket.upperBound - lower) * share;
}

function isCreated(sampleName: string, family: ScrapedFamily): boolean {
  return family.type === "counter" && sampleName === family.name + "_created";
}
