import assert from "node:assert/strict";
import { appendFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { followLines, readLastLines, readLinesFrom, sizeOf } from "../../src/system/log-reader.ts";
import { tempDir } from "../support/temp-dir.ts";

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`);
const asText = (lines: string[]): string => lines.map((line) => line + "\n").join("");

describe("the last lines", () => {
  test("of a file that is not there", (t) => {
    const path = join(tempDir(t), "log");
    assert.equal(readLastLines(path, 5), undefined);
    assert.equal(sizeOf(path), 0);
  });

  for (const [name, text, count, expected] of [
    ["of an empty file", "", 5, []],
    ["fewer than asked for", "a\nb\n", 5, ["a", "b"]],
    ["as many as asked for", "a\nb\n", 2, ["a", "b"]],
    ["the last of several", "a\nb\nc\n", 2, ["b", "c"]],
    ["with one that is not ended", "a\nb", 2, ["a", "b"]],
    ["none", "a\n", 0, []],
    ["with an empty one", "a\n\nb\n", 2, ["", "b"]],
  ] as const) {
    test(name, (t) => {
      const path = join(tempDir(t), "log");
      writeFileSync(path, text);
      assert.deepEqual(readLastLines(path, count), expected);
    });
  }

  test("across blocks, also where a character is cut", (t) => {
    const path = join(tempDir(t), "log");
    const lines = numbered(1, 20_000).map((line) => line + " é日");
    writeFileSync(path, asText(lines));
    assert.deepEqual(readLastLines(path, 15_000), lines.slice(-15_000));
    assert.deepEqual(readLastLines(path, 99_999), lines);
  });

  test("go on in the files that were set aside", (t) => {
    const path = join(tempDir(t), "log");
    writeFileSync(path + ".2", asText(numbered(1, 3)));
    writeFileSync(path + ".1", asText(numbered(4, 5)));
    writeFileSync(path, asText(numbered(6, 6)));
    assert.deepEqual(readLastLines(path, 4), numbered(3, 6));
    assert.deepEqual(readLastLines(path, 1), numbered(6, 6));
  });
});

test("the lines from an offset on", (t) => {
  const path = join(tempDir(t), "log");
  assert.deepEqual(readLinesFrom(path, 0), []);
  writeFileSync(path, "a\nb\nc\n");
  assert.deepEqual(readLinesFrom(path, 2), ["b", "c"]);
  assert.deepEqual(readLinesFrom(path, 6), []);
});

test("following: new lines, half lines, a file set aside, a file cut, a file that comes later", async (t) => {
  const path = join(tempDir(t), "log");
  const seen: string[] = [];
  const stop = new AbortController();
  const steps: [() => void, string[]][] = [
    [() => writeFileSync(path, "a\n"), ["a"]],
    [() => appendFileSync(path, "b\nhal"), ["b"]],
    [() => appendFileSync(path, "f\n"), ["half"]],
    [() => (appendFileSync(path, "last\n"), renameSync(path, path + ".1")), ["last"]],
    [() => writeFileSync(path, "new\n"), ["new"]],
    [() => truncateSync(path, 0), []],
    [() => appendFileSync(path, "x\n"), ["x"]],
    [() => (renameSync(path, path + ".1"), appendFileSync(path + ".1", "late\n")), ["late"]],
    [() => writeFileSync(path, "other\n"), ["other"]],
    [() => {}, []],
  ];
  let expected: string[] = [];
  // Each pause is the moment in which the writer takes its next step.
  const pause = async (): Promise<void> => {
    assert.deepEqual(seen.splice(0), expected);
    const step = steps.shift();
    if (!step) return stop.abort();
    step[0]();
    expected = step[1];
  };
  await followLines(path, { from: 0, signal: stop.signal, pause, onLines: (lines) => void seen.push(...lines) });
  assert.equal(steps.length, 0);
});
