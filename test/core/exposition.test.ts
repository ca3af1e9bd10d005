import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { encodeFamilies, type ExpositionOptions } from "../../src/core/exposition.ts";
import type { Family, FamilyType, Series, ValueSeries } from "../../src/core/family.ts";
import { goldenFamilies } from "../golden/exposition-families.ts";

function encode(families: Iterable<Family>, options: Partial<ExpositionOptions> = {}): string {
  return [...encodeFamilies(families, { format: "text", ...options })].join("");
}

function readGolden(name: string): string {
  return readFileSync(new URL(`../golden/${name}`, import.meta.url), "utf8");
}

function familyOf(name: string, type: FamilyType, ...series: Series[]): Family {
  return { name, type, help: undefined, unit: undefined, series };
}

function valueOf(value: number, ...labels: string[]): ValueSeries {
  return { labels, text: undefined, value };
}

test("the example of the first documentation, byte for byte", () => {
  const name = "pi_compaction_tokens_before";
  const series = valueOf(5000, "session", "abc123", "model", "claude-sonnet-4");
  const family = { ...familyOf(name, "counter", series), help: `Counter metric: ${name}` };
  assert.equal(encode([family]), readGolden("first-example.txt"));
});

test("every kind and oddity, as text", () => {
  assert.equal(encode(goldenFamilies()), readGolden("exposition.txt"));
});

test("every kind and oddity, as OpenMetrics with births", () => {
  const document = encode(goldenFamilies(), { format: "openmetrics", created: true });
  assert.equal(document, readGolden("exposition.openmetrics.txt"));
});

test("a counter that is all suffix has no family name in OpenMetrics, and prints as unknown", () => {
  const document = encode([familyOf("_total", "counter", valueOf(1))], { format: "openmetrics", created: true });
  assert.equal(document, "# TYPE _total unknown\n_total 1.0\n# EOF\n");
});

test("births are left out unless asked for, and leave the rest as it is", () => {
  const withBirths = encode(goldenFamilies(), { format: "openmetrics", created: true });
  const lines = withBirths.split("\n").filter((line) => !/^\w+_created[ {]/.test(line));
  assert.equal(encode(goldenFamilies(), { format: "openmetrics" }), lines.join("\n"));
  assert.equal(encode(goldenFamilies(), { created: true }), readGolden("exposition.txt"));
});

test("Go's own bounds differ from the canonical ones in whole numbers of the text format only", () => {
  const canonical = encode(goldenFamilies());
  const shortened = canonical.replace(/((?:le|quantile)="-?\d+)\.0"/g, '$1"');
  assert.notEqual(shortened, canonical);
  assert.equal(encode(goldenFamilies(), { bounds: "go" }), shortened);
  const openMetrics = encode(goldenFamilies(), { format: "openmetrics" });
  assert.equal(encode(goldenFamilies(), { format: "openmetrics", bounds: "go" }), openMetrics);
});

test("the same state is the same bytes, whichever format filled the cached text", () => {
  const families = goldenFamilies();
  encode(families, { format: "openmetrics" });
  assert.equal(encode(families), readGolden("exposition.txt"));
  assert.equal(encode(families, { format: "openmetrics", created: true }), readGolden("exposition.openmetrics.txt"));
});

test("both formats name the same series", () => {
  const identities = (document: string): string[] =>
    document
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("# "))
      .map((line) => /^[\w:]+(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?/.exec(line)![0])
      .sort();
  const text = identities(encode(goldenFamilies()));
  assert.equal(text.length, 38);
  assert.deepEqual(identities(encode(goldenFamilies(), { format: "openmetrics" })), text);
});

test("nothing to show is an empty document, or its ending alone", () => {
  assert.equal(encode([]), "");
  assert.equal(encode([familyOf("a", "gauge")]), "");
  assert.equal(encode([familyOf("a", "gauge")], { format: "openmetrics" }), "# EOF\n");
});

const signed: readonly (readonly [name: string, family: Family])[] = [
  ["a sum that is negative", familyOf("x", "summary", { ...valueOf(0), quantileValues: [], sum: -1, count: 1 })],
  ["a sum that is not a number", familyOf("x", "histogram", { ...valueOf(0), counts: [1], sum: NaN })],
  ["a negative bound", familyOf("x", "histogram", { ...valueOf(0), upperBounds: [-1], counts: [0, 1], sum: 1 })],
  [
    "a negative quantile",
    familyOf("x", "summary", { ...valueOf(0), quantiles: [0.5], quantileValues: [-1], sum: 1, count: 3 }),
  ],
];

for (const [name, family] of signed) {
  test(`${name} makes a family unknown in OpenMetrics, with the samples of the text format`, () => {
    const samples = (document: string): string[] => document.split("\n").filter((line) => /^x/.test(line));
    const document = encode([family], { format: "openmetrics" });
    assert.match(document, /^# TYPE x_sum unknown$/m);
    assert.doesNotMatch(document, /^# TYPE x (?:histogram|summary)$/m);
    assert.deepEqual(samples(document).map(dropNumber), samples(encode([family])).map(dropNumber));
  });
}

function dropNumber(line: string): string {
  return line.slice(0, line.lastIndexOf(" "));
}

test("where isSigned is given, it decides, and quantiles are read only when their series prints", () => {
  let reads = 0;
  const series = {
    ...{ labels: [], text: undefined, quantiles: [0.5], sum: 1, count: 1, isSigned: false },
    get quantileValues() {
      reads++;
      return [1];
    },
  };
  assert.match(encode([familyOf("x", "summary", series)], { format: "openmetrics" }), /^# TYPE x summary$/m);
  assert.equal(reads, 1);
  const signedSeries = { ...series, isSigned: true };
  assert.match(encode([familyOf("x", "summary", signedSeries)], { format: "openmetrics" }), /^# TYPE x unknown$/m);
  const histogram = { labels: [], text: undefined, counts: [1], sum: 1, isSigned: true };
  assert.match(encode([familyOf("x", "histogram", histogram)], { format: "openmetrics" }), /^# TYPE x_sum unknown$/m);
});

test("pieces are as long as asked for, or one series longer, and make the same document", () => {
  const family = familyOf("a", "gauge", ...Array.from({ length: 5000 }, (_, index) => valueOf(index, "n", `${index}`)));
  const pieces = [...encodeFamilies([family], { format: "text", pieceChars: 1000 })];
  assert.ok(pieces.length > 50);
  for (const piece of pieces.slice(0, -1)) assert.ok(piece.length >= 1000 && piece.length < 1030, `${piece.length}`);
  assert.equal(pieces.join(""), encode([family], { pieceChars: Infinity }));
  assert.equal(pieces.join(""), encode([family], { pieceChars: 1 }));
});

test("a series that goes, comes back or appears between two pieces breaks nothing and is not printed twice", () => {
  const series = new Map(Array.from({ length: 6 }, (_, index) => [index, valueOf(index, "n", `${index}`)]));
  const family: Family = { ...familyOf("a", "gauge"), series: { [Symbol.iterator]: () => series.values() } };
  const families = new Map([["a", family]]);
  const pieces = encodeFamilies(families.values(), { format: "text", pieceChars: 1 });
  const lines = [pieces.next().value];
  series.delete(0);
  series.set(0, valueOf(0, "n", "0"));
  series.delete(5);
  series.set(6, valueOf(6, "n", "6"));
  families.delete("a");
  families.set("a", family);
  const document = [...lines, ...pieces].join("");
  assert.deepEqual(document.match(/(?<=n=")\d/g), ["0", "1", "2", "3", "4", "5"]);
  assert.equal(document.match(/# TYPE/g)?.length, 1);
});

test("a series prints the number that it has when its turn comes", () => {
  const late = { labels: ["n", "2"], text: undefined, value: 1 };
  const family = familyOf("a", "gauge", valueOf(1, "n", "1"), late);
  const pieces = encodeFamilies([family], { format: "text", pieceChars: 1 });
  assert.equal(pieces.next().value, '# TYPE a gauge\na{n="1"} 1\n');
  late.value = 3;
  assert.equal(pieces.next().value, 'a{n="2"} 3\n');
});

test("a cached text is used as it is", () => {
  const series = valueOf(1, "n", "1");
  encode([familyOf("a", "gauge", series)]);
  assert.equal(series.text, 'a{n="1"} ');
  series.text = "kept ";
  assert.equal(encode([familyOf("a", "gauge", series)]), "# TYPE a gauge\nkept 1\n");
});
