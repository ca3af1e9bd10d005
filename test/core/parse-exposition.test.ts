import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { parseExposition } from "../../src/core/parse-exposition.ts";
import { forEachSeed } from "../support/random.ts";

const shown = (text: string) =>
  parseExposition(text).map(({ samples, ...family }) => ({
    ...family,
    samples: samples.map(({ name, labels, value }) => [name, Object.fromEntries(labels), value]),
  }));

describe("the text format, read back", () => {
  test("families with their samples", () => {
    const text = [
      "# HELP a_total What \\\\ it\\nis",
      "# TYPE a_total counter",
      'a_total{x="1",y="q\\"b\\\\n\\n"} 3',
      "a_total 4e3 1700000000000",
      "# a remark",
      "",
      "# TYPE h histogram",
      'h_bucket{le="0.5"} 1',
      'h_bucket{le="+Inf"} 2',
      "h_sum 7",
      "h_count 2",
      "bare +Inf",
    ].join("\n");
    assert.deepEqual(shown(text), [
      {
        name: "a_total",
        type: "counter",
        help: "What \\ it\nis",
        samples: [
          ["a_total", { x: "1", y: 'q"b\\n\n' }, 3],
          ["a_total", {}, 4000],
        ],
      },
      {
        name: "h",
        type: "histogram",
        help: "",
        samples: [
          ["h_bucket", { le: "0.5" }, 1],
          ["h_bucket", { le: "+Inf" }, 2],
          ["h_sum", {}, 7],
          ["h_count", {}, 2],
        ],
      },
      { name: "bare", type: "untyped", help: "", samples: [["bare", {}, Infinity]] },
    ]);
  });

  test("a family without samples, and one whose TYPE comes first", () => {
    assert.deepEqual(shown("# TYPE a gauge\n# HELP a x\n# HELP b y\n"), [
      { name: "a", type: "gauge", help: "x", samples: [] },
      { name: "b", type: "untyped", help: "y", samples: [] },
    ]);
  });

  for (const line of ["1a 3", "a{x=1} 3", 'a{x="1} 3', 'a{x="1"}', 'a{x="1" 3', "a three", "a{", 'a{x="1"y="2"} 3']) {
    test(`refuses ${line}`, () => {
      assert.throws(() => parseExposition("ok 1\n" + line), { name: "SyntaxError", message: /line 2/ });
    });
  }

  test("what Prometheus' own encoder wrote is what it was given", (t) => {
    const path = "../shared/exposition/families.jsonl";
    if (!existsSync(path)) return t.skip("the documents that Prometheus wrote are not there");
    for (const line of readFileSync(path, "utf8").trim().split("\n")) {
      const { families, text } = JSON.parse(line) as { families: GivenFamily[]; text: string };
      const parsed = parseExposition(text);
      assert.deepEqual(parsed.map(describeFamily), families.map(describeGiven));
    }
    return undefined;
  });

  test("never anything but a SyntaxError, whatever it is given", () => {
    const pieces = ["# TYPE ", "# HELP ", "a", "_b", "{", "}", '"', "=", ",", "\\", "\n", " ", "1", "NaN", "😀"];
    forEachSeed(300, (random) => {
      const text = Array.from({ length: random.int(1, 30) }, () => random.pick(pieces)).join("");
      try {
        parseExposition(text);
      } catch (error) {
        assert.equal((error as Error).name, "SyntaxError", text);
      }
    });
  });
});

interface GivenFamily {
  name: string;
  type: string;
  help?: string;
  metrics: { labels: [string, string][]; value?: number | string }[];
}

/** Of histograms and summaries only the name and the type: their samples are named by suffixes. */
function describeFamily({ name, type, help, samples }: ReturnType<typeof parseExposition>[number]) {
  const isPlain = type !== "histogram" && type !== "summary";
  return { name, type, help, samples: isPlain ? samples.map(({ labels, value }) => [[...labels], String(value)]) : [] };
}

function describeGiven({ name, type, help = "", metrics }: GivenFamily) {
  const isPlain = type !== "histogram" && type !== "summary";
  const show = (value: unknown): string => String(Number(String(value).replace("Inf", "Infinity")));
  return { name, type, help, samples: isPlain ? metrics.map(({ labels, value }) => [labels, show(value)]) : [] };
}
