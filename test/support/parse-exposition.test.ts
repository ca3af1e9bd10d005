import assert from "node:assert/strict";
import { test } from "node:test";
import { parseExposition } from "./parse-exposition.ts";

const refused: readonly (readonly [why: string, format: "text" | "openmetrics", document: string])[] = [
  ["no end of line", "text", "# TYPE a gauge\na 1"],
  ["no # EOF", "openmetrics", "# TYPE a gauge\na 1\n"],
  ["something after # EOF", "openmetrics", "# EOF\n# TYPE a gauge\n"],
  ["a blank line", "text", "\n"],
  ["a carriage return", "text", "# TYPE a gauge\r\na 1\r\n"],
  ["a sample without a type", "text", "a 1\n"],
  ["a type of the other format", "text", "# TYPE a unknown\na 1\n"],
  ["a type of the other format", "openmetrics", "# TYPE a untyped\na 1\n# EOF\n"],
  ["a type twice", "text", "# TYPE a gauge\n# TYPE a gauge\n"],
  ["metadata after samples", "text", "# TYPE a gauge\na 1\n# HELP a b\n"],
  ["a family in two places", "text", "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\n"],
  ["a sample of another family", "text", "# TYPE a gauge\nb 1\n"],
  ["a suffix of another type", "text", "# TYPE a gauge\na_sum 1\n"],
  ["a counter without _total", "openmetrics", "# TYPE a counter\na 1\n# EOF\n"],
  ["a sample twice", "text", '# TYPE a gauge\na{b="1",c="2"} 1\na{c="2",b="1"} 1\n'],
  ["a label twice", "text", '# TYPE a gauge\na{b="1",b="2"} 1\n'],
  ["a bare quote in a label", "text", '# TYPE a gauge\na{b="""} 1\n'],
  ["an unknown escape in a label", "text", '# TYPE a gauge\na{b="\\t"} 1\n'],
  ["an unknown escape in HELP", "text", "# HELP a \\t\n"],
  ["a bare quote in HELP", "openmetrics", '# HELP a "\n# EOF\n'],
  ["a number of JavaScript's own", "text", "# TYPE a gauge\na 1e+6\n"],
  ["a number of JavaScript's own", "text", "# TYPE a gauge\na Infinity\n"],
  ["an exemplar in text", "text", "# TYPE a_total counter\na_total 1 # {} 1\n"],
  ["an exemplar without braces", "openmetrics", "# TYPE a counter\na_total 1 # 1\n# EOF\n"],
  ["an exemplar of a gauge", "openmetrics", "# TYPE a gauge\na 1 # {} 1\n# EOF\n"],
  ["a unit in text", "text", "# TYPE a_s gauge\n# UNIT a_s s\na_s 1\n"],
  ["a unit that is not the suffix", "openmetrics", "# TYPE a_s gauge\n# UNIT a_s m\na_s 1\n# EOF\n"],
];

for (const [why, format, document] of refused) {
  test(`${format}: refuses ${why}: ${JSON.stringify(document)}`, () => {
    assert.throws(() => parseExposition(document, format), SyntaxError);
  });
}

test("reads what it is given", () => {
  const metadata = '# HELP a_s x\\n\\"\n# TYPE a_s counter\n# UNIT a_s s\n';
  const document = metadata + 'a_s_total{b="\\"\\n"} 1e+06 2.5 # {c="d"} 0.5 1\n# EOF\n';
  const exemplar = { labels: [["c", "d"]], value: 0.5 };
  const sample = { name: "a_s_total", labels: [["b", '"\n']], value: 1e6, number: "1e+06", timestamp: "2.5", exemplar };
  const family = { name: "a_s", type: "counter", help: 'x\n"', unit: "s", samples: [sample] };
  assert.deepEqual(parseExposition(document, "openmetrics"), [family]);
});
