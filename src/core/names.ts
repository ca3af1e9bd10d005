/**
 * Which names a metric and a label may have.
 *
 * Source: the Prometheus data model, and the sample names that the text format and OpenMetrics 1.0 derive from a family's name.
 */

export type MetricType = "counter" | "gauge" | "histogram" | "summary";
export const METRIC_TYPES: readonly MetricType[] = ["counter", "gauge", "histogram", "summary"];

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const TOTAL = "_total";
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** What is wrong with `name` as a metric's name, or `undefined`. */
export function findMetricNameFault(name: string): string | undefined {
  if (METRIC_NAME.test(name)) return undefined;
  return "expected a Prometheus metric name: letters, digits, _ and :, not starting with a digit";
}

/** What is wrong with `name` as a label key that clients send, or `undefined`. One bad key would cost Prometheus the whole scrape. */
export function findLabelNameFault(name: string): string | undefined {
  if (!LABEL_NAME.test(name)) return "expected a label key of letters, digits and _, not starting with a digit";
  if (name.startsWith("__")) return "label keys that start with __ are reserved by Prometheus";
  if (name === "le" || name === "quantile") return `the label key "${name}" is reserved for histograms and summaries`;
  return undefined;
}

/** Whether the daemon keeps this metric name for itself. */
export function isReservedMetricName(name: string): boolean {
  return name.startsWith("pi_daemon_") || name.startsWith("process_");
}

/** Every name that a family of this name and type takes in either format: no two families may share one. */
export function namesTakenBy(name: string, type: MetricType): readonly string[] {
  switch (type) {
    case "gauge":
      return [name];
    case "counter": {
      const family = openMetricsCounterName(name);
      return family === undefined ? [name] : [name, family, family + "_created"];
    }
    case "histogram":
      return [name, name + "_bucket", name + "_sum", name + "_count", name + "_created"];
    case "summary":
      return [name, name + "_sum", name + "_count", name + "_created"];
  }
}

/** The name of the family that OpenMetrics gives a counter; `undefined` for one that is none there, since nothing stands before a `_total`. */
export function openMetricsCounterName(name: string): string | undefined {
  return name.length > TOTAL.length && name.endsWith(TOTAL) ? name.slice(0, -TOTAL.length) : undefined;
}
