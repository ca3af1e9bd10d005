/** How much clients may fill a registry with, and why a sample is not taken, in a sentence. */
import type { Sample } from "./series.ts";

export interface Limits {
  readonly maxLabelCount: number;
  readonly maxLabelValueLength: number;
  readonly maxMetricNames: number;
  readonly maxSeries: number;
  readonly maxSeriesPerMetric: number;
}

/** What refusals are counted under. */
export type DropReason =
  | "reserved_name"
  | "type_mismatch"
  | "name_collision"
  | "too_many_labels"
  | "label_value_too_long"
  | "too_many_metric_names"
  | "too_many_series"
  | "too_many_series_per_metric";

/** Why a sample was not taken, in a sentence. */
export class Refusal {
  readonly reason: DropReason;
  readonly message: string;

  constructor(reason: DropReason, message: string) {
    this.reason = reason;
    this.message = message;
  }
}

export const UNLIMITED: Limits = {
  maxLabelCount: Infinity,
  maxLabelValueLength: Infinity,
  maxMetricNames: Infinity,
  maxSeries: Infinity,
  maxSeriesPerMetric: Infinity,
};

/** What is too much about the labels of a sample, or `undefined`. */
export function findLabelsFault({ name, labels }: Sample, limits: Limits): Refusal | undefined {
  const count = labels.length / 2;
  if (count > limits.maxLabelCount) {
    const limit = `at most ${limits.maxLabelCount} are taken (metrics.maxLabelCount)`;
    return new Refusal("too_many_labels", `"${name}" has ${count} labels; ${limit}`);
  }
  for (let at = 0; at < labels.length; at += 2) {
    const { length } = labels[at + 1]!;
    if (length <= limits.maxLabelValueLength) continue;
    const limit = `at most ${limits.maxLabelValueLength} are taken (metrics.maxLabelValueLength)`;
    return new Refusal(
      "label_value_too_long",
      `the label "${labels[at]}" of "${name}" has ${length} characters; ${limit}`,
    );
  }
  return undefined;
}
