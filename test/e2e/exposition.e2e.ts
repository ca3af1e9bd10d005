/** Prometheus' checker on documents of the encoder: its lint (exit 3) may speak of names, its parser (exit 1) never. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { encodeFamilies } from "../../src/core/exposition.ts";
import type { Family, Series } from "../../src/core/family.ts";
import { goldenFamilies } from "../golden/exposition-families.ts";

const { status: promtoolStatus } = spawnSync("promtool", ["--version"]);
const skip = promtoolStatus === 0 ? false : "promtool (Debian package prometheus) is not here";

function check(families: Iterable<Family>): { status: number | null; output: string } {
  const input = [...encodeFamilies(families, { format: "text" })].join("");
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });
  return { status, output: stdout + stderr };
}

function manyFamilies(count: number): Family[] {
  const series = Array.from({ length: count }, (_, index): Series => {
    return { labels: ["n", `${index}`, "odd", '\n"\\💩\t'], text: undefined, value: index * 1234.5 };
  });
  return [{ name: "many_things_total", type: "counter", help: "Many", unit: undefined, series }];
}

test("promtool takes an empty document", { skip }, () => {
  assert.equal(check([]).status, 0);
});

test("promtool takes 20 000 series with odd label values without a word", { skip }, () => {
  assert.deepEqual(check(manyFamilies(20_000)), { status: 0, output: "" });
});

test("promtool takes every kind, and complains of names and missing helps only", { skip }, () => {
  const { status, output } = check(goldenFamilies());
  assert.equal(status, 3);
  assert.deepEqual(output.trim().split("\n").sort(), [
    "context_used_ratio no help text",
    "odd:thing metric names should not contain ':'",
    "odd:thing no help text",
    'visits counter metrics should have "_total" suffix',
  ]);
});
