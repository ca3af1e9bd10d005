/** The real spawn, with what a test seldom cares about filled in, and a look at who lives. */
import type { TestContext } from "node:test";
import { systemClock } from "../../src/system/clock.ts";
import { listProcesses, readRunId } from "../../src/system/process-table.ts";
import { createSpawn, type SpawnedProcess, type SpawnOptions } from "../../src/system/spawn.ts";

let runs = 0;

/** A run id that no other test uses. */
export function nextRunId(): string {
  runs += 1;
  return `test-${process.pid}-${runs}`;
}

/** Starts a line of shell (or `argv`); what a failing test leaves behind is ended with it. */
export function startShell(t: TestContext, line: string, more: Partial<SpawnOptions> = {}): SpawnedProcess {
  const child = createSpawn({ clock: systemClock })({
    argv: ["/bin/sh", "-c", line],
    cwd: "/",
    env: { PATH: process.env["PATH"]! },
    runId: nextRunId(),
    // No test lasts this long: one that hangs ends with a wrong outcome.
    timeoutMs: 20_000,
    graceMs: 2_000,
    outputBytes: 65_536,
    ...more,
  });
  t.after(() => child.terminate());
  return child;
}

/** The processes that bear the mark of a run and live. */
export function processesOf(runId: string): number[] {
  return listProcesses()
    .filter(({ pid, isZombie }) => !isZombie && readRunId(pid) === runId)
    .map(({ pid }) => pid);
}

/** Resolves with the first `count` lines of what a program prints, while it goes on. */
export function linesOf(count: number): { readStdout: (chunk: Uint8Array) => string; lines: Promise<string[]> } {
  const { promise: lines, resolve } = Promise.withResolvers<string[]>();
  let text = "";
  return {
    lines,
    readStdout(chunk) {
      text += new TextDecoder().decode(chunk);
      const whole = text.split("\n").slice(0, -1);
      if (whole.length >= count) resolve(whole.slice(0, count));
      return "";
    },
  };
}
