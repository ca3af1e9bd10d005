/**
 * A family -> the parts that it prints as in a dialect; here those of a single value, which is what most series are.
 *
 * Cost: the unchanging start of a line, `name{labels} `, is kept in `series.text`.
 */
import { planHistogram, planSummary } from "./exposition-compound.ts";
import type { Dialect } from "./exposition-dialect.ts";
import { createPart, type Encode, formatCreated, type Part } from "./exposition-part.ts";
import type { Family, HistogramSeries, Series, SummarySeries, ValueSeries } from "./family.ts";
import { formatLabels } from "./labels.ts";
import { openMetricsCounterName } from "./names.ts";

/** `series` are all of the family's, of the kind that its type says. */
export function planParts(family: Family, series: readonly Series[], dialect: Dialect): readonly Part[] {
  switch (family.type) {
    case "histogram":
      return planHistogram(family, series as readonly HistogramSeries[], dialect);
    case "summary":
      return planSummary(family, series as readonly SummarySeries[], dialect);
    case "counter":
      return [planCounter(family.name, dialect)];
    case "gauge":
      return [createPart(family.name, "gauge", createValueEncoder(family.name, dialect))];
    case "unknown":
      return [createPart(family.name, dialect.unknown, createValueEncoder(family.name, dialect))];
  }
}

/** OpenMetrics knows a counter by `_total`; one without it prints as unknown, so that its name is the same in both. */
function planCounter(name: string, dialect: Dialect): Part {
  const encodeValue = createValueEncoder(name, dialect);
  if (!dialect.isStrict) return createPart(name, "counter", encodeValue);
  const baseName = openMetricsCounterName(name);
  if (baseName === undefined) return createPart(name, dialect.unknown, encodeValue);
  return createPart<ValueSeries>(baseName, "counter", (series) => {
    const line = encodeValue(series);
    if (series.exemplar === undefined && !dialect.hasCreated) return line;
    const exemplar = dialect.formatExemplar(series.exemplar);
    return line.slice(0, -1) + exemplar + "\n" + formatCreated(baseName, series, dialect);
  });
}

function createValueEncoder(name: string, dialect: Dialect): Encode<ValueSeries> {
  const { formatValue, formatTimestamp } = dialect;
  return (series) => {
    // join makes one flat string; V8 keeps the terms of a sum apart, and would walk them again in each scrape.
    const start = (series.text ??= [name, formatLabels(series.labels), " "].join(""));
    const line = start + formatValue(series.value);
    return series.timestampMs === undefined ? line + "\n" : line + formatTimestamp(series.timestampMs) + "\n";
  };
}
