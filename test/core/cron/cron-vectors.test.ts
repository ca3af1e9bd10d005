/**
 * Facts taken from the tests of nine other projects (expression, zone, instant, runs), kept beside the repository in
 * `../shared/cron`.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { equalSchedules, findTimeZone, matches, nextRun, parseSchedule, previousRun } from "../../../src/core/cron.ts";
import type { Schedule } from "../../../src/core/cron.ts";

type Expected = "error" | "never" | readonly string[];

interface Vector {
  readonly expr: string;
  readonly tz: string;
  readonly from: string;
  readonly expected: Expected;
  readonly recommended?: Expected;
  readonly source: string;
}

const FOLDER = new URL("../../../../shared/cron/", import.meta.url);
const skip = existsSync(FOLDER) ? false : `the vectors are not here: ${fileURLToPath(FOLDER)} is missing`;

function readLines<Row>(name: string): Row[] {
  const lines = readFileSync(new URL(name, FOLDER), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Row);
}

function parse(text: string): Schedule {
  const result = parseSchedule(text);
  assert.ok(result.ok, `${text} was refused`);
  return result.schedule;
}

/** What our parser and search make of a vector, in the words of the file. */
function solve({ expr, tz, from }: Vector, count: number): Expected {
  const result = parseSchedule(expr);
  // `@reboot` is no time of day: those projects refuse it, and here it gives a schedule that no clock decides.
  if (!result.ok || result.schedule.kind === "reboot") return "error";
  const { schedule } = result;
  if (schedule.kind === "cron" && schedule.never) return "never";
  const runs: string[] = [];
  for (let atMs: number | null = Date.parse(from); runs.length < count;) {
    atMs = nextRun(schedule, findTimeZone(tz)!, atMs);
    if (atMs === null) break;
    runs.push(writeInstant(atMs));
  }
  return runs;
}

function writeInstant(atMs: number): string {
  return new Date(atMs).toISOString().replace(".000Z", "Z");
}

/** The vectors that come out differently; the zone's data may say otherwise of years to come. */
function findMismatches(vectors: readonly Vector[]): object[] {
  return vectors.flatMap((vector) => {
    const expected = vector.recommended ?? vector.expected;
    const actual = solve(vector, Array.isArray(expected) ? expected.length : 1);
    return JSON.stringify(actual) === JSON.stringify(expected) ? [] : [{ ...vector, actual }];
  });
}

function groupBy<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  return groups;
}

const vectors = skip === false ? readLines<Vector>("vectors.jsonl") : [];

test("the vectors are all there", { skip }, () => assert.equal(vectors.length, 2666));

for (const [project, rows] of groupBy(vectors, ({ source }) => source.split(/[ /]/)[0]!)) {
  test(`${rows.length} vectors of ${project}`, () => assert.deepEqual(findMismatches(rows), []));
}

test("243 expressions over which projects disagree, by the recommended value", { skip }, () => {
  const rows = readLines<Vector>("ambiguous.jsonl");
  assert.equal(rows.length, 243);
  assert.deepEqual(findMismatches(rows), []);
});

test("the runs of the vectors, found backwards", { skip }, () => {
  for (const { expr, tz, expected } of vectors) {
    if (!Array.isArray(expected)) continue;
    for (let index = expected.length - 1; index > 0; index--) {
      const before = previousRun(parse(expr), findTimeZone(tz)!, Date.parse(expected[index]!));
      assert.equal(before === null ? null : writeInstant(before), expected[index - 1], `${expr} in ${tz}`);
    }
  }
});

test("instants that match or do not", { skip }, () => {
  for (const row of readLines<{ expr: string; tz: string; at: string; match: boolean }>("matches.jsonl")) {
    // robfig/cron lets a Sunday match */10 or Sunday; ambiguous.jsonl recommends that both must, as Vixie cron has it.
    const expected = row.expr === "* * */10 * Sun" ? false : row.match;
    assert.equal(
      matches(parse(row.expr), findTimeZone(row.tz)!, Date.parse(row.at)),
      expected,
      `${row.expr} ${row.at}`,
    );
  }
});

test("expressions that are the same schedule or not", { skip }, () => {
  for (const { a, b, equal } of readLines<{ a: string; b: string; equal: boolean }>("equivalences.jsonl")) {
    assert.equal(equalSchedules(parse(a), parse(b)), equal, `${a} and ${b}`);
  }
});
