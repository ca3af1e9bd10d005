/** One event of a metric, as the daemon takes it, and the key of the series it belongs to. */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  readonly labels: Labels;
  readonly increment?: number;
  readonly set?: number;
  readonly delta?: number;
  readonly observe?: number;
  readonly buckets?: readonly number[];
  readonly help?: string;
  readonly unit?: string;
}

/** Equal for samples of one series, whatever the order of their labels. */
export function seriesKey({ name, type, labels }: Sample): string {
  const pairs = Object.entries(labels).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([name, type, pairs]);
}
