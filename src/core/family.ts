/**
 * What an encoder reads of a metric family: the shapes between the registry, which owns the state, and the exposition.
 *
 * Units: times in milliseconds since 1970.
 * Not: state or behaviour; plain objects satisfy these shapes as well as classes do.
 */
import type { LabelPairs } from "./labels.ts";

/** `unknown` is written `untyped` in the text format. */
export type FamilyType = "counter" | "gauge" | "histogram" | "summary" | "unknown";

export interface Family {
  readonly name: string;
  readonly type: FamilyType;
  /** Without one, no HELP line. */
  readonly help: string | undefined;
  /** Printed in OpenMetrics only, and only where it is the suffix of the name. */
  readonly unit: string | undefined;
  /** All of the kind that `type` says. */
  readonly series: Iterable<Series>;
  /** Of a histogram: finite and rising; `+Inf` is implied. */
  readonly upperBounds?: readonly number[] | undefined;
  /** Of a summary: rising, within [0, 1]. */
  readonly quantiles?: readonly number[] | undefined;
}

export type Series = ValueSeries | HistogramSeries | SummarySeries;

export interface SeriesBase {
  readonly labels: LabelPairs;
  /** Belongs to the encoder, which fills it on first use: what of the lines never changes. Start with `undefined`. */
  text: string | undefined;
  /** When the series was born, for `_created`. */
  readonly createdMs?: number | undefined;
  /** Printed with each sample. The daemon never sets it: Prometheus drops what is too old or too new. */
  readonly timestampMs?: number | undefined;
}

/** Of a counter, gauge or unknown family. */
export interface ValueSeries extends SeriesBase {
  readonly value: number;
  /** Of a counter. */
  readonly exemplar?: Exemplar | undefined;
}

/** Of a histogram or summary. */
export interface CompoundSeries extends SeriesBase {
  readonly sum: number;
  /**
   * Whether a negative number was ever observed. Without it, OpenMetrics looks at the sum and the quantiles of all
   * series before it prints the first, and the type that it prints may change back and forth.
   */
  readonly isSigned?: boolean | undefined;
}

export interface HistogramSeries extends CompoundSeries {
  /** Observations in each bucket alone, not cumulative; one more than there are bounds, the last one for `+Inf`. */
  readonly counts: ArrayLike<number>;
  /** By the index of the bucket; holes and a missing tail are fine. */
  readonly exemplars?: ArrayLike<Exemplar | undefined> | undefined;
  /** Instead of the family's, where series differ. */
  readonly upperBounds?: readonly number[] | undefined;
}

export interface SummarySeries extends CompoundSeries {
  /** One for each quantile; NaN where there is nothing to tell. Read once in a document where `isSigned` is given. */
  readonly quantileValues: ArrayLike<number>;
  readonly count: number;
  /** Instead of the family's, where series differ. */
  readonly quantiles?: readonly number[] | undefined;
}

/** One observation kept as an example of many. Names and values together have at most 128 code points. */
export interface Exemplar {
  readonly labels: LabelPairs;
  readonly value: number;
  readonly timestampMs?: number | undefined;
}
