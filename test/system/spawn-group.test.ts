import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "../../src/system/clock.ts";
import { createSpawn } from "../../src/system/spawn.ts";
import { linesOf, nextRunId, processesOf, startShell } from "../support/spawn.ts";

const IGNORES_TERM = "trap '' TERM; echo ready; while :; do sleep 0.05; done";

describe("a program that we end", () => {
  test("its children end with it", async (t) => {
    const runId = nextRunId();
    const { readStdout, lines } = linesOf(1);
    const child = startShell(t, "sleep 300 & sleep 300 & (sleep 300) & echo ready; wait", { runId, readStdout });
    await lines;
    assert.ok(processesOf(runId).length >= 4, "the processes are there");
    child.terminate();
    const { end, signal, error } = await child.done;
    assert.deepEqual([end, signal, error], ["terminated", "SIGTERM", undefined]);
    assert.deepEqual(processesOf(runId), []);
  });

  test("at its deadline, whatever its exit status then is", async (t) => {
    const line = "trap 'exit 0' TERM; sleep 300 & wait";
    const { end, exitCode, signal } = await startShell(t, line, { timeoutMs: 150 }).done;
    assert.deepEqual([end, exitCode, signal], ["deadline", 0, undefined]);
  });

  test("one that ignores SIGTERM is ended after the grace, no sooner", async (t) => {
    const { readStdout, lines } = linesOf(1);
    const child = startShell(t, IGNORES_TERM, { graceMs: 250, readStdout });
    await lines;
    const termMs = performance.now();
    child.terminate();
    const { end, signal } = await child.done;
    assert.deepEqual([end, signal], ["terminated", "SIGKILL"]);
    assert.ok(performance.now() - termMs >= 250);
  });

  test("a child that ignores SIGTERM is ended though its parent was not so stubborn", async (t) => {
    const runId = nextRunId();
    const { readStdout, lines } = linesOf(1);
    const child = startShell(t, `sh -c "${IGNORES_TERM}" & wait`, { runId, graceMs: 150, readStdout });
    await lines;
    child.terminate();
    assert.equal((await child.done).signal, "SIGTERM");
    assert.deepEqual(processesOf(runId), []);
  });

  test("a stopped one hears SIGTERM too", async (t) => {
    const { end, signal } = await startShell(t, "kill -STOP $$", { timeoutMs: 150, graceMs: 30_000 }).done;
    assert.deepEqual([end, signal], ["deadline", "SIGTERM"]);
  });

  test("those that have left its group and session are found by the mark of the run", async (t) => {
    const runId = nextRunId();
    const { readStdout, lines } = linesOf(2);
    const escape = "setsid sh -c 'echo ready; sleep 300 & wait' & echo ready; wait";
    const child = startShell(t, escape, { runId, readStdout });
    await lines;
    child.terminate();
    assert.equal((await child.done).end, "terminated");
    assert.deepEqual(processesOf(runId), []);
  });

  test("several at once are told apart by their marks", async (t) => {
    const spawn = createSpawn({ clock: systemClock });
    const runIds = [nextRunId(), nextRunId(), nextRunId()];
    const [first, second, bystander] = runIds.map((runId) => {
      const { readStdout, lines } = linesOf(1);
      const options = { argv: ["/bin/sh", "-c", "setsid sleep 300 & echo ready; wait"], cwd: "/", outputBytes: 1_000 };
      const child = spawn({ ...options, env: { PATH: process.env["PATH"]! }, graceMs: 2_000, runId, readStdout });
      t.after(() => child.terminate());
      return { ...child, lines };
    });
    await Promise.all([first!.lines, second!.lines, bystander!.lines]);
    first!.terminate();
    second!.terminate();
    await Promise.all([first!.done, second!.done]);
    assert.deepEqual(
      runIds.map((runId) => processesOf(runId).length),
      [0, 0, 2],
    );
    bystander!.terminate();
    await bystander!.done;
    assert.deepEqual(processesOf(runIds[2]!), []);
  });

  test("ending it twice, or when it has ended, does nothing", async (t) => {
    const child = startShell(t, "sleep 300");
    child.terminate();
    child.terminate();
    assert.equal((await child.done).end, "terminated");
    child.terminate();
    const other = startShell(t, "exit 4");
    await other.done;
    other.terminate();
    assert.equal((await other.done).exitCode, 4);
  });
});

// At the same time, because most of it is waiting.
describe("what outlives a program that ends by itself", { concurrency: true }, () => {
  test("a child that soon ends is waited for, and its output is read", async (t) => {
    const { stdout, hadLeftovers } = await startShell(t, "(sleep 0.3; echo late) & echo soon").done;
    assert.deepEqual([stdout.text, hadLeftovers], ["soon\nlate\n", false]);
  });

  test("a child that holds the pipe is ended after 2 s", async (t) => {
    const runId = nextRunId();
    const startMs = performance.now();
    const { exitCode, stdout, hadLeftovers } = await startShell(t, "sleep 300 & echo done", { runId }).done;
    assert.deepEqual([exitCode, stdout.text, hadLeftovers], [0, "done\n", true]);
    assert.ok(performance.now() - startMs >= 2_000);
    assert.deepEqual(processesOf(runId), []);
  });

  test("a process that has made itself independent lives on, without the pipe", async (t) => {
    const runId = nextRunId();
    const escape = "setsid sleep 300 & echo done";
    const { exitCode, hadLeftovers } = await startShell(t, escape, { runId }).done;
    const left = processesOf(runId);
    for (const pid of left) process.kill(pid, "SIGKILL");
    assert.deepEqual([exitCode, hadLeftovers, left.length], [0, false, 1]);
  });

  test("unless the run is to leave nobody behind", async (t) => {
    const runId = nextRunId();
    const escape = "setsid sleep 300 >/dev/null 2>&1 & echo done";
    const { exitCode } = await startShell(t, escape, { runId, endsEscapees: true }).done;
    assert.deepEqual([exitCode, processesOf(runId)], [0, []]);
  });
});
