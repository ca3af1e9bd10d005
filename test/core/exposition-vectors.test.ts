/** The encoder against 200 documents that Prometheus' own encoder wrote. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { encodeFamilies } from "../../src/core/exposition.ts";
import type { Exemplar, Family, FamilyType, Series } from "../../src/core/family.ts";

type Num = number | "NaN" | "+Inf" | "-Inf";

interface VectorExemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: Num;
}

interface VectorSeries {
  readonly labels: readonly (readonly [string, string])[];
  readonly ts?: number;
  readonly value?: Num;
  readonly exemplar?: VectorExemplar;
  /** Counts are cumulative; `+Inf` may be missing. */
  readonly buckets?: readonly { readonly le: Num; readonly count: number; readonly exemplar?: VectorExemplar }[];
  readonly quantiles?: readonly { readonly q: number; readonly v: Num }[];
  readonly sum?: Num;
  readonly count?: number;
}

interface VectorFamily {
  readonly name: string;
  readonly type: FamilyType | "untyped";
  readonly help?: string;
  readonly metrics: readonly VectorSeries[];
}

interface Vector {
  readonly families: readonly VectorFamily[];
  readonly text: string;
  readonly om: string;
}

function numberOf(value: Num = NaN): number {
  return typeof value === "number" ? value : Number(value.replace("Inf", "Infinity"));
}

function exemplarOf(exemplar: VectorExemplar | undefined): Exemplar | undefined {
  return exemplar && { labels: Object.entries(exemplar.labels).flat(), value: numberOf(exemplar.value) };
}

function seriesOf(vector: VectorSeries): Series {
  const base = { labels: vector.labels.flat(), text: undefined, timestampMs: vector.ts };
  const { buckets, quantiles, count = 0 } = vector;
  if (buckets) {
    const cumulative = buckets.filter(({ le }) => le !== "+Inf").map((bucket) => bucket.count);
    const counts = [...cumulative, count].map((upTo, index, all) => upTo - (all[index - 1] ?? 0));
    const upperBounds = buckets.slice(0, cumulative.length).map(({ le }) => numberOf(le));
    const exemplars = buckets.map(({ exemplar }) => exemplarOf(exemplar));
    return { ...base, counts, upperBounds, exemplars, sum: numberOf(vector.sum) };
  }
  if (quantiles) {
    const quantileValues = quantiles.map(({ v }) => numberOf(v));
    return { ...base, quantiles: quantiles.map(({ q }) => q), quantileValues, sum: numberOf(vector.sum), count };
  }
  return { ...base, value: numberOf(vector.value), exemplar: exemplarOf(vector.exemplar) };
}

function familyOf({ name, type, help, metrics }: VectorFamily): Family {
  return { name, type: type === "untyped" ? "unknown" : type, help, unit: undefined, series: metrics.map(seriesOf) };
}

const path = new URL("../../../shared/exposition/families.jsonl", import.meta.url);
const skip = existsSync(path) ? false : "../shared/exposition/families.jsonl is not here";
const vectors = skip
  ? []
  : readFileSync(path, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Vector);

test("there are vectors of every type", { skip }, () => {
  const types = new Set(vectors.flatMap(({ families }) => families.map(({ type }) => type)));
  assert.deepEqual([...types].sort(), ["counter", "gauge", "histogram", "summary", "untyped"]);
  assert.equal(vectors.length, 200);
});

for (const pieceChars of [1, 65_536]) {
  test(`text, byte for byte, in pieces of ${pieceChars}`, { skip }, () => {
    for (const [index, { families, text }] of vectors.entries()) {
      const pieces = encodeFamilies(families.map(familyOf), { format: "text", bounds: "go", pieceChars });
      assert.equal([...pieces].join(""), text, `document ${index}`);
    }
  });

  test(`OpenMetrics, byte for byte, in pieces of ${pieceChars}`, { skip }, () => {
    for (const [index, { families, om }] of vectors.entries()) {
      const pieces = encodeFamilies(families.map(familyOf), { format: "openmetrics", pieceChars });
      assert.equal([...pieces].join(""), om, `document ${index}`);
    }
  });
}
