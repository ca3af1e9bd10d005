/** Programs that print without end: memory stays flat, the loop turns, and the processor is left to others. */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { test } from "node:test";
import { startShell } from "../support/spawn.ts";
import { tempDir } from "../support/temp-dir.ts";

const FLOODS = 4;
const SECONDS = 6;
const KEPT_BYTES = 1_048_576;

test(`${FLOODS} floods at once for ${SECONDS} s`, async (t) => {
  const folder = tempDir(t);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const options = { argv: ["yes"], timeoutMs: SECONDS * 1_000, outputBytes: KEPT_BYTES };
  const toLog = (_: unknown, index: number) => ({ path: join(folder, `${index}.log`), maxBytes: 4_000_000 });
  const logs = Array.from({ length: FLOODS }, toLog);
  const rss: number[] = [];
  const startCpu = process.cpuUsage();
  const sampling = setInterval(() => rss.push(process.memoryUsage.rss()), 100);
  delay.enable();
  const outcomes = await Promise.all(logs.map((logFile) => startShell(t, "", { ...options, logFile }).done));
  delay.disable();
  clearInterval(sampling);
  const { user, system } = process.cpuUsage(startCpu);

  const megabytes = outcomes.map(({ stdout }) => Math.round(stdout.sizeBytes / 1e6));
  // The logs are written and the buffers fill in the first half; from then on nothing may grow.
  const half = Math.floor(rss.length / 2);
  const growth = Math.max(...rss.slice(half)) - Math.max(...rss.slice(0, half));
  const share = (user + system) / 1e6 / SECONDS;
  t.diagnostic(`${megabytes.join(" + ")} MB came; memory grew by ${Math.round(growth / 1e6)} MB in the second half;`);
  t.diagnostic(`the loop was late by ${Math.round(delay.percentile(99) / 1e6)} ms (p99)`);
  t.diagnostic(`${share.toFixed(2)} of a core was used`);
  for (const { stdout, end } of outcomes) {
    assert.equal(end, "deadline");
    assert.ok(stdout.sizeBytes > 20e6);
    assert.ok(stdout.text.length < KEPT_BYTES + 100);
  }
  for (const { path, maxBytes } of logs) assert.ok(statSync(path).size <= maxBytes);
  assert.ok(growth < 64e6, `memory grew by ${growth} bytes in the second half`);
  assert.ok(delay.percentile(99) < 250e6, `the loop was late by ${delay.percentile(99) / 1e6} ms`);
  assert.ok(share < 0.9, `${share} of a core was used`);
});
