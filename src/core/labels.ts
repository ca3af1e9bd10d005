/**
 * Label pairs -> their text in an exposition, the same in both formats.
 *
 * Source: Prometheus text 0.0.4 and OpenMetrics 1.0: of a value only backslash, double quote and line feed are escaped.
 * Order: as given; sorting is the business of the series key.
 * Not: checks of names and values, which the registry makes once, when a series is born.
 */

/** A label set as `[name, value, name, value, ...]`, in the order in which it prints. */
export type LabelPairs = readonly string[];

const needsEscape = /[\\"\n]/;

export function escapeLabelValue(value: string): string {
  if (!needsEscape.test(value)) return value;
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** `a="b",c="d"`; empty without labels. */
export function formatLabelPairs(labels: LabelPairs): string {
  // Joined, not summed: V8 keeps the terms of a sum apart, and this text is cached and read in each scrape.
  const parts: string[] = [];
  for (let index = 0; index < labels.length; index += 2) {
    parts.push(index === 0 ? "" : ",", labels[index]!, '="', escapeLabelValue(labels[index + 1]!), '"');
  }
  return parts.join("");
}

/** `{a="b",c="d"}`; empty without labels. */
export function formatLabels(labels: LabelPairs): string {
  return labels.length === 0 ? "" : `{${formatLabelPairs(labels)}}`;
}
