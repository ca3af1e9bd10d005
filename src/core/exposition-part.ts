/** A run of exposition lines below one head: most families print as a single part. */
import type { Dialect } from "./exposition-dialect.ts";
import type { Series, SeriesBase } from "./family.ts";
import { formatLabels } from "./labels.ts";

/** One series -> its lines. */
export type Encode<S> = (series: S) => string;

export interface Part {
  /** The name in HELP, TYPE and UNIT. */
  readonly name: string;
  readonly type: string;
  readonly encode: Encode<Series>;
}

/** Safe, because a family holds series of its own kind only. */
export function createPart<S extends Series>(name: string, type: string, encode: Encode<S>): Part {
  return { name, type, encode: encode as Encode<Series> };
}

/** The `_created` line of a series, or nothing. */
export function formatCreated(name: string, series: SeriesBase, dialect: Dialect): string {
  if (!dialect.hasCreated || series.createdMs === undefined) return "";
  return `${name}_created${formatLabels(series.labels)}${dialect.formatTimestamp(series.createdMs)}\n`;
}
