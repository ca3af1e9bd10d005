/** One family of each kind and oddity: what `exposition.txt` and `exposition.openmetrics.txt` were written from. */
import type { Exemplar, Family } from "../../src/core/family.ts";

const exemplar = (value: number, ...labels: string[]): Exemplar => ({ labels, value });

export function goldenFamilies(): Family[] {
  return [
    {
      name: "jobs_total",
      type: "counter",
      help: 'Runs, by "state"\nand C:\\queue',
      unit: undefined,
      series: [
        { labels: ["state", "ok"], text: undefined, value: 1_234_567, createdMs: 1_763_806_800_123 },
        { labels: ["state", 'odd "\\\n💩'], text: undefined, value: 0, exemplar: exemplar(1, "run", 'a"1', "n", "2") },
        { labels: ["state", "bare"], text: undefined, value: 2.5, exemplar: { ...exemplar(0.5), timestampMs: 1500 } },
      ],
    },
    {
      name: "visits",
      type: "counter",
      help: "A counter that is not named _total",
      unit: undefined,
      series: [{ labels: [], text: undefined, value: 3, exemplar: exemplar(1, "run", "a"), createdMs: 1000 }],
    },
    {
      name: "context_used_ratio",
      type: "gauge",
      help: "",
      unit: "ratio",
      series: [
        { labels: ["n", "1"], text: undefined, value: -0.00001 },
        { labels: ["n", "2"], text: undefined, value: Infinity },
        { labels: ["n", "3"], text: undefined, value: NaN, timestampMs: 1_763_806_800_123 },
      ],
    },
    {
      name: "odd:thing",
      type: "unknown",
      help: undefined,
      unit: "seconds",
      series: [{ labels: [], text: undefined, value: -1e21 }],
    },
    {
      name: "wait_seconds",
      type: "histogram",
      help: "Waiting",
      unit: "seconds",
      upperBounds: [0.005, 1, 1e6],
      series: [
        {
          labels: ["queue", "a"],
          text: undefined,
          counts: [1, 0, 1_000_000, 4],
          sum: 1e7,
          exemplars: [undefined, undefined, exemplar(17.25, "run", "x")],
          createdMs: 2000,
        },
        { labels: [], text: undefined, counts: [0, 0], upperBounds: [2.5], sum: 0 },
      ],
    },
    {
      name: "drift_seconds",
      type: "histogram",
      help: "Signed, for which OpenMetrics has no room",
      unit: "seconds",
      upperBounds: [-1, 1],
      series: [
        { labels: [], text: undefined, counts: [1, 2, 0], sum: -1.5, exemplars: [exemplar(-3)], createdMs: 1000 },
        { labels: ["peer", "b"], text: undefined, counts: [0, 0, 0], sum: 0 },
      ],
    },
    {
      name: "rpc_seconds",
      type: "summary",
      help: "Calls",
      unit: undefined,
      quantiles: [0.5, 0.99, 1],
      series: [
        { labels: ["to", "b"], text: undefined, quantileValues: [0.25, 3, 1e-7], sum: 12.5, count: 3, createdMs: 1000 },
        { labels: [], text: undefined, quantiles: [0.5], quantileValues: [NaN], sum: 0, count: 0 },
        { labels: ["to", "c"], text: undefined, quantiles: [], quantileValues: [], sum: 1, count: 1_000_000 },
      ],
    },
    { name: "no_series", type: "gauge", help: "Leaves no trace", unit: undefined, series: [] },
  ];
}
