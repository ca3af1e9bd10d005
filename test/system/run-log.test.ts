import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type CutEnds, redact } from "../../src/core/redact.ts";
import { OutputBuffer } from "../../src/system/output-tail.ts";
import { type OutputStream, RunLog, type RunLogOptions } from "../../src/system/run-log.ts";
import type { SpawnOutcome } from "../../src/system/spawn.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { startShell } from "../support/spawn.ts";
import { tempDir } from "../support/temp-dir.ts";

const TIME = new Date(1_700_000_000_000).toISOString();

/** Writes the chunks, each to the stream that its first word names, and gives the file's text without the times. */
async function writeLog(path: string, chunks: readonly string[], given: Partial<RunLogOptions> = {}): Promise<string> {
  const buffers = { out: new OutputBuffer(4_096), err: new OutputBuffer(4_096) };
  const options = { path, maxBytes: 100_000, redact: (text: string) => text, onCaughtUp: () => undefined, ...given };
  const log = new RunLog(fakeClock(), options);
  for (const chunk of chunks) {
    const stream = chunk.slice(0, 3) as OutputStream;
    const bytes = Buffer.from(chunk.slice(4), "latin1");
    buffers[stream].push(bytes);
    log.write(stream, bytes);
  }
  assert.equal(await log.close(buffers), undefined);
  return readFileSync(path, "utf8").replaceAll(`${TIME} `, "");
}

describe("the log of a run", () => {
  const rows: readonly [string, readonly string[], string][] = [
    ["each line has its stream", ["out a\nb\n", "err c\n", "out d\n"], "out a\nout b\nerr c\nout d\n"],
    ["a line that comes in pieces is one", ["out a", "err x\n", "out b\n"], "err x\nout ab\n"],
    ["a last line without an end is there", ["out a\nb"], "out a\nout b\n"],
    ["empty lines are lines", ["out \n\n"], "out \nout \n"],
    ["characters that come in pieces are whole", ["out \xe2\x82", "out \xac\n"], "out €\n"],
    ["no output is no line", [], ""],
  ];
  for (const [name, chunks, text] of rows) {
    test(name, async (t) => assert.equal(await writeLog(join(tempDir(t), "run.log"), chunks), text));
  }

  test("a line without end is written in parts", async (t) => {
    const text = await writeLog(join(tempDir(t), "run.log"), [`out ${"x".repeat(40_000)}`, "out \n"]);
    assert.deepEqual(
      text.split("\n").map((line) => [line.slice(0, 4), line.length]),
      [
        ["out+", 5 + 16_384],
        ["out+", 5 + 16_384],
        ["out ", 4 + 40_000 - 2 * 16_384],
        ["", 0],
      ],
    );
  });

  test("is for its owner alone, and hides secrets", async (t) => {
    const path = join(tempDir(t), "run.log");
    const redact = (text: string): string => text.replaceAll("secret", "***");
    assert.equal(await writeLog(path, ["out a secret\n"], { redact }), "out a ***\n");
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test("hides a secret that the parts of a long line would halve", async (t) => {
    const path = join(tempDir(t), "run.log");
    const hide = (text: string, cut?: CutEnds): string => redact(text, ["canary-secret"], cut);
    for (let before = 16_384 - 13; before <= 16_384; before++) {
      const line = `${"x".repeat(before)}canary-secret${"y".repeat(20_000)}`;
      const text = await writeLog(path, ["out start\n", `out ${line}`, "out canary-secret\n"], { redact: hide });
      assert.doesNotMatch(text.replaceAll(/\nout\+? /g, ""), /anar|secr|cret/, `after ${before}`);
      rmSync(path);
    }
  });

  test("of more than fits the beginning and the end are there, and how much is not is said", async (t) => {
    const path = join(tempDir(t), "run.log");
    const lines = Array.from({ length: 2_000 }, (_, index) => `out line ${index}\n`);
    const text = await writeLog(path, lines, { maxBytes: 10_000 });
    assert.ok(statSync(path).size <= 10_000);
    assert.match(text, /^out line 0\nout line 1\n/);
    assert.match(text, /\n\[\.{3} the log is full: \d+ bytes of out follow, .*\]\nout line 1\d+\n/);
    assert.match(text, /out line 1998\nout line 1999\n$/);
  });

  test("of one line that is longer than the log the end is there", async (t) => {
    const chunks = ["out a\n".repeat(400), `out ${"x".repeat(9_000)}end`];
    const text = await writeLog(join(tempDir(t), "run.log"), chunks, { maxBytes: 4_000 });
    assert.match(text, /x+end\n$/);
  });

  test("one that cannot be written says so, and the run goes on", async (t) => {
    const path = tempDir(t);
    const log = (file: string): Promise<SpawnOutcome> => {
      return startShell(t, "echo a", { logFile: { path: file, maxBytes: 1_000 } }).done;
    };
    const { exitCode, logFault, stdout } = await log(path);
    assert.deepEqual([exitCode, stdout.text], [0, "a\n"]);
    assert.match(logFault!, /^the log .* cannot be written: EISDIR/);
    const missing = join(path, "folder", "run.log");
    assert.match((await log(missing)).logFault!, /ENOENT/);
    mkdirSync(join(path, "folder"));
    assert.equal((await log(missing)).logFault, undefined);
  });
});
