/** Samples and registries for tests, without HTTP or a store. */
import { labelsFrom } from "../../src/core/label-set.ts";
import { encodeFamilies } from "../../src/core/exposition.ts";
import { Refusal } from "../../src/core/limits.ts";
import type { Registry } from "../../src/core/registry.ts";
import type { Sample } from "../../src/core/series.ts";

export function sampleOf(part: Partial<Omit<Sample, "labels">> & { labels?: Record<string, string> } = {}): Sample {
  return {
    name: "x_total",
    type: "counter",
    operation: part.type === "histogram" || part.type === "summary" ? "observe" : "add",
    value: 1,
    timestampMs: undefined,
    help: undefined,
    unit: undefined,
    buckets: undefined,
    exemplar: undefined,
    series: undefined,
    ...part,
    labels: labelsFrom(part.labels ?? {}),
  };
}

/** Reserves and applies; throws the refusal's message. */
export function count(registry: Registry, sample: Sample, time = { nowMs: 0, wallMs: 0 }): void {
  const series = registry.reserve(sample);
  if (series instanceof Refusal) throw new Error(series.message);
  registry.apply(sample, series, time);
}

/** The exposition as one text. */
export function render(registry: Registry, nowMs = 0, names?: ReadonlySet<string>): string {
  return [...encodeFamilies(registry.exposed(nowMs, names), { format: "text" })].join("");
}
