import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { startShell } from "../support/spawn.ts";
import { tempDir } from "../support/temp-dir.ts";

const FLOOD_BYTES = 20_000_000;

describe("many programs, and loud ones", () => {
  test("fifty at once each have their own output and status", async (t) => {
    const children = Array.from({ length: 50 }, (_, index) => startShell(t, `echo run ${index}; exit ${index}`));
    const outcomes = await Promise.all(children.map(({ done }) => done));
    const seen = outcomes.map(({ exitCode, stdout }) => [exitCode, stdout.text]);
    assert.deepEqual(
      seen,
      children.map((_, index) => [index, `run ${index}\n`]),
    );
  });

  test("a flood is read, the loop turns, and only what was asked for is kept", async (t) => {
    let ticks = 0;
    const ticking = setInterval(() => (ticks += 1), 5);
    const logFile = { path: join(tempDir(t), "run.log"), maxBytes: 200_000 };
    // Ended by what has come, not by the time that it took: other tests may hold the processor.
    let cameBytes = 0;
    const readStdout = (chunk: Uint8Array): string => {
      cameBytes += chunk.length;
      if (cameBytes > FLOOD_BYTES) child.terminate();
      return Buffer.from(chunk).toString();
    };
    const child = startShell(t, "", { argv: ["yes"], logFile, readStdout });
    const { end, stdout } = await child.done;
    clearInterval(ticking);
    assert.equal(end, "terminated");
    assert.ok(stdout.sizeBytes > FLOOD_BYTES);
    assert.ok(stdout.text.length < 65_700, `${stdout.text.length} characters are kept`);
    assert.ok(ticks > 3, `the loop turned only ${ticks} times`);
    assert.ok(statSync(logFile.path).size <= logFile.maxBytes);
    assert.match(readFileSync(logFile.path, "utf8"), /Z out y\n$/);
  });

  test("output is whole when it comes in a rush before the end", async (t) => {
    const { stdout } = await startShell(t, "head -c 20000000 /dev/zero | tr '\\0' x", { outputBytes: 1_000 }).done;
    assert.equal(stdout.sizeBytes, 20_000_000);
  });
});
