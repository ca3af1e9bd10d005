/** The two exposition formats as tables of what differs between them: numbers, escapes, the ending, and the extras. */
import type { Exemplar } from "./family.ts";
import { formatGoFloat, formatOpenMetricsFloat } from "./go-float.ts";
import { formatLabelPairs } from "./labels.ts";

export interface Dialect {
  /** What a family of unknown type is called. */
  readonly unknown: "untyped" | "unknown";
  /** Whether counters are named without `_total` in metadata, and signed sums and quantiles are not allowed. */
  readonly isStrict: boolean;
  readonly hasUnits: boolean;
  readonly hasCreated: boolean;
  /** The last line. */
  readonly end: string;
  readonly escapeHelp: (help: string) => string;
  readonly formatValue: (value: number) => string;
  readonly formatCount: (count: number) => string;
  /** Of `le` and `quantile`. */
  readonly formatBound: (bound: number) => string;
  /** What follows a value: ` 1763806995517`, or nothing. */
  readonly formatTimestamp: (timestampMs: number | undefined) => string;
  /** What follows a timestamp: ` # {trace_id="x"} 0.5`, or nothing. */
  readonly formatExemplar: (exemplar: Exemplar | undefined) => string;
}

export function textDialect(bounds: "canonical" | "go"): Dialect {
  return {
    unknown: "untyped",
    isStrict: false,
    hasUnits: false,
    hasCreated: false,
    end: "",
    escapeHelp: escapeTextHelp,
    formatValue: formatGoFloat,
    formatCount: formatGoFloat,
    formatBound: bounds === "go" ? formatGoFloat : formatOpenMetricsFloat,
    formatTimestamp: (timestampMs) => (timestampMs === undefined ? "" : ` ${timestampMs}`),
    formatExemplar: () => "",
  };
}

export function openMetricsDialect(hasCreated: boolean): Dialect {
  return {
    unknown: "unknown",
    isStrict: true,
    hasUnits: true,
    hasCreated,
    end: "# EOF\n",
    escapeHelp: (help) => escapeTextHelp(help).replaceAll('"', '\\"'),
    formatValue: formatOpenMetricsFloat,
    formatCount: String,
    formatBound: formatOpenMetricsFloat,
    formatTimestamp: formatSeconds,
    formatExemplar,
  };
}

function escapeTextHelp(help: string): string {
  return help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function formatSeconds(timestampMs: number | undefined): string {
  return timestampMs === undefined ? "" : ` ${formatOpenMetricsFloat(timestampMs / 1000)}`;
}

/** The braces stay when there are no labels: without them the line is invalid. */
function formatExemplar(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return "";
  const value = formatOpenMetricsFloat(exemplar.value);
  return ` # {${formatLabelPairs(exemplar.labels)}} ${value}${formatSeconds(exemplar.timestampMs)}`;
}
