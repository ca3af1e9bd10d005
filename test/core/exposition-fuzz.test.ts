/** Random families through the encoder and back through a strict parser: nothing is lost, and nothing comes twice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFamilies, type ExpositionFormat } from "../../src/core/exposition.ts";
import type {
  Exemplar,
  Family,
  FamilyType,
  HistogramSeries,
  Series,
  SummarySeries,
  ValueSeries,
} from "../../src/core/family.ts";
import { forEachSeed, type Random } from "../support/random.ts";
import { parseExposition, type ParsedSample } from "../support/parse-exposition.ts";

const pieces = ["", "a", " ", '"', "\\", "\n", "\\n", "{}", "=", ",", " # ", "\t", "\r", "\0", "é", "日本", "💩", '"}'];
const numbers = [0, -0, 1, 0.1, 5000, 999_999, 1e6, 123_456_789.125, 1e-7, 5e-324, 1.7e308, Infinity];

function anyText(random: Random): string {
  return Array.from({ length: random.int(0, 4) }, () => random.pick(pieces)).join("");
}

function anyLabels(random: Random, index: number): string[] {
  const names = ["session", "model", "Zed", "_x"].filter(() => random.next() < 0.5);
  return [...names.flatMap((name) => [name, anyText(random)]), "index", String(index)];
}

function anyNumber(random: Random): number {
  return random.pick([random.pick(numbers), random.int(0, 1e9) / 10 ** random.int(0, 9)]);
}

function anyExemplar(random: Random): Exemplar | undefined {
  if (random.next() < 0.6) return undefined;
  const labels = random.pick([[], ["trace_id", anyText(random)], ["a", "1", "b", anyText(random)]]);
  return { labels, value: anyNumber(random), timestampMs: random.pick([undefined, random.int(0, 2e12)]) };
}

function anySeries(random: Random, type: FamilyType, index: number): Series {
  const createdMs = random.pick([undefined, random.int(1, 2e12)]);
  const base = { labels: anyLabels(random, index), text: undefined, createdMs };
  const sign = random.pick([1, 1, 1, -1]);
  const sum = sign * anyNumber(random);
  if (type === "histogram") {
    const own = random.pick([undefined, [], [1], [-2, 0.5, 10]]);
    const counts = Array.from({ length: (own ?? sharedBounds).length + 1 }, () => random.int(0, 1e6));
    return { ...base, counts, sum, upperBounds: own, exemplars: counts.map(() => anyExemplar(random)) };
  }
  if (type === "summary") {
    const quantileValues = [anyNumber(random), NaN, sign * anyNumber(random)];
    return { ...base, quantileValues, sum, count: random.int(0, 1e9) };
  }
  if (type === "counter") return { ...base, value: anyNumber(random), exemplar: anyExemplar(random) };
  return { ...base, value: random.pick([sum, NaN]) };
}

const sharedBounds = [0.005, 1, 1e6];
const sharedQuantiles = [0, 0.5, 1];

function anyFamily(random: Random, index: number): Family {
  const type = random.pick(["counter", "gauge", "histogram", "summary", "unknown"] as const);
  const name = `f${index}_${random.pick(["x", "x_total", "seconds", "x:y"])}`;
  const series = Array.from({ length: random.int(0, 4) }, (_, at) => anySeries(random, type, at));
  const help = random.pick([undefined, anyText(random)]);
  const unit = random.pick([undefined, "seconds"]);
  return { name, type, help, unit, series, upperBounds: sharedBounds, quantiles: sharedQuantiles };
}

type Expected = readonly [name: string, labels: readonly (readonly [string, string])[], value: number];

function pairsOf(labels: readonly string[], ...more: string[]): [string, string][] {
  const flat = [...labels, ...more];
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index]!, flat[2 * index + 1]!]);
}

const boundTexts = new Map([
  [-2, "-2.0"],
  [0, "0.0"],
  [0.005, "0.005"],
  [0.5, "0.5"],
  [1, "1.0"],
  [10, "10.0"],
  [1e6, "1e+06"],
]);

function expectSamples({ name, type, series }: Family): Expected[] {
  return [...series].flatMap((one): Expected[] => {
    if (type === "histogram") return expectHistogram(name, one as HistogramSeries);
    if (type === "summary") return expectSummary(name, one as SummarySeries);
    return [[name, pairsOf(one.labels), (one as ValueSeries).value]];
  });
}

function expectHistogram(name: string, one: HistogramSeries): Expected[] {
  const counts = Array.from(one.counts);
  const texts = [...(one.upperBounds ?? sharedBounds).map((bound) => boundTexts.get(bound)!), "+Inf"];
  const upTo = counts.map((_, index) => counts.slice(0, index + 1).reduce((sum, count) => sum + count));
  const buckets = texts.map((le, index): Expected => [`${name}_bucket`, pairsOf(one.labels, "le", le), upTo[index]!]);
  const labels = pairsOf(one.labels);
  return [...buckets, [`${name}_sum`, labels, one.sum], [`${name}_count`, labels, upTo.at(-1)!]];
}

function expectSummary(name: string, one: SummarySeries): Expected[] {
  const points = sharedQuantiles.map((quantile, index): Expected => {
    return [name, pairsOf(one.labels, "quantile", boundTexts.get(quantile)!), one.quantileValues[index]!];
  });
  const labels = pairsOf(one.labels);
  return [...points, [`${name}_sum`, labels, one.sum], [`${name}_count`, labels, one.count]];
}

/** Minus zero prints as zero. */
function normalize([name, labels, value]: Expected): string {
  return JSON.stringify([name, labels, `${value + 0}`]);
}

function samplesOf(document: string, format: ExpositionFormat): ParsedSample[] {
  return parseExposition(document, format).flatMap((family) => family.samples);
}

for (const format of ["text", "openmetrics"] as const) {
  test(`${format}: what a strict parser reads is what the families hold`, () => {
    forEachSeed(400, (random) => {
      const families = Array.from({ length: random.int(0, 4) }, (_, index) => anyFamily(random, index));
      const document = [...encodeFamilies(families, { format })].join("");
      const printed = samplesOf(document, format).map(({ name, labels, value }) => normalize([name, labels, value]));
      assert.deepEqual(printed.sort(), families.flatMap(expectSamples).map(normalize).sort());
    });
  });
}

test("births and exemplars stand where OpenMetrics wants them, and text has none", () => {
  let births = 0;
  let exemplars = 0;
  forEachSeed(300, (random) => {
    const families = Array.from({ length: 3 }, (_, index) => anyFamily(random, index));
    const encode = (format: ExpositionFormat): string =>
      [...encodeFamilies(families, { format, created: true })].join("");
    const samples = samplesOf(encode("openmetrics"), "openmetrics");
    births += samples.filter(({ name }) => name.endsWith("_created")).length;
    exemplars += samples.filter(({ exemplar }) => exemplar).length;
    assert.doesNotThrow(() => samplesOf(encode("text"), "text"), "the parser refuses both in text");
  });
  assert.ok(births > 50 && exemplars > 50, `${births} births, ${exemplars} exemplars`);
});

test("help and units come back as they went in", () => {
  forEachSeed(200, (random) => {
    const series = [anySeries(random, "gauge", 0)];
    const family = { ...anyFamily(random, 0), help: anyText(random), series, type: "gauge" as const };
    for (const format of ["text", "openmetrics"] as const) {
      const [parsed] = parseExposition([...encodeFamilies([family], { format })].join(""), format);
      assert.equal(parsed?.help, family.help);
      const hasUnit = format === "openmetrics" && family.unit !== undefined && family.name.endsWith("_seconds");
      assert.equal(parsed?.unit, hasUnit ? "seconds" : undefined);
    }
  });
});
