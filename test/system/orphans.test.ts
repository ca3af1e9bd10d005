import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/system/clock.ts";
import { createEndOrphans, type EndedOrphans, findOrphans, type RunMark } from "../../src/system/orphans.ts";
import { readRunId, readStartMark } from "../../src/system/process-table.ts";
import { nextRunId, processesOf } from "../support/spawn.ts";

const PARENT = fileURLToPath(new URL("../support/dying-parent.ts", import.meta.url));
const endAll = createEndOrphans({ clock: systemClock });

/** Ends orphans once it is sure that they are this test's: a fault must not end what others run on the machine. */
async function endOrphans(marks: readonly RunMark[], graceMs: number): Promise<EndedOrphans> {
  const runIds = marks.map(({ runId }) => runId);
  const noted = marks.filter(({ startTime }) => startTime !== undefined).map(({ pid }) => pid);
  for (const { pid } of findOrphans(marks)) {
    const runId = readRunId(pid);
    const isMarked = runId !== undefined && runId !== "" && runIds.includes(runId);
    const isOurs = isMarked || noted.includes(pid) || readStartMark(pid) === undefined;
    assert.ok(isOurs, `${pid} is not this test's`);
  }
  return endAll(marks, graceMs);
}

/** Starts `line` from a process that is then killed; gives what that process knew of the run. */
async function orphan(t: TestContext, line: string, runId: string): Promise<RunMark> {
  const node = [...process.execArgv.filter((option) => !option.startsWith("--test")), PARENT];
  const parent = spawn(process.execPath, [...node, line, runId], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => endOrphans([{ runId }], 0));
  const [said] = (await once(parent.stdout!, "data")) as [Buffer];
  parent.kill("SIGKILL");
  await once(parent, "exit");
  return JSON.parse(String(said)) as RunMark;
}

/** A process that has nothing to do with any run. */
function bystander(t: TestContext): ChildProcess {
  const child = spawn("sleep", ["300"], { stdio: "ignore", detached: true });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

describe("the processes of a run whose daemon was killed", { concurrency: true }, () => {
  test("are found by the mark in their environment, also those in other groups, and ended", async (t) => {
    const runId = nextRunId();
    const mark = await orphan(t, "setsid sleep 300 & sleep 300 & echo; wait", runId);
    const found = findOrphans([mark]);
    assert.deepEqual(found.map(({ pid }) => pid).sort(), processesOf(runId).sort());
    assert.ok(found.some(({ pid }) => pid === mark.pid) && found.length >= 3);
    const { ended, left } = await endOrphans([mark], 2_000);
    assert.deepEqual([ended.length, left.length, processesOf(runId)], [found.length, 0, []]);
  });

  test("are found without what was noted of the run but its id", async (t) => {
    const { runId, pid } = await orphan(t, "echo; exec sleep 300", nextRunId());
    assert.deepEqual(
      findOrphans([{ runId }]).map((found) => found.pid),
      [pid],
    );
  });

  test("are found by what was noted where they have wiped their environment", async (t) => {
    const mark = await orphan(t, "echo; exec env -i sleep 300", nextRunId());
    while (processesOf(mark.runId).length > 0) await new Promise(setImmediate);
    assert.deepEqual(
      findOrphans([mark]).map(({ pid }) => pid),
      [mark.pid],
    );
    assert.deepEqual(findOrphans([{ ...mark, startTime: `${mark.startTime}0` }]), []);
    assert.equal((await endOrphans([mark], 2_000)).ended.length, 1);
  });

  test("end by force when they ignore SIGTERM", async (t) => {
    const mark = await orphan(t, "trap '' TERM; echo; while :; do sleep 0.05; done", nextRunId());
    const { left } = await endOrphans([mark], 100);
    assert.deepEqual([left, processesOf(mark.runId)], [[], []]);
  });
});

describe("a process that is not a run's", () => {
  test("is not found by the id that the run's process had", (t) => {
    const { pid } = bystander(t);
    const runId = nextRunId();
    const startTime = readStartMark(pid!);
    const noted = [startTime, undefined, `${startTime}0`, "1@another-boot"];
    const found = noted.map((start) => findOrphans([{ runId, pid, startTime: start }]).map((orphan) => orphan.pid));
    assert.deepEqual(found, [[pid], [], [], []]);
  });

  test("is not found by a run id that no run could have", (t) => {
    const { pid } = bystander(t);
    const startTime = readStartMark(pid!);
    assert.deepEqual(findOrphans([{ runId: "" }, { runId: "", pid, startTime }, { runId: "1", pid, startTime }]), []);
    assert.deepEqual(findOrphans([{ runId: nextRunId() }]), []);
    assert.deepEqual(findOrphans([]), []);
  });

  test("this process and those above it are never found", () => {
    const pids = [process.pid, process.ppid];
    const marks = pids.map((pid) => ({ runId: nextRunId(), pid, startTime: readStartMark(pid) }));
    assert.deepEqual(findOrphans(marks), []);
  });

  test("its group is let live though a process of the run is in it", async (t) => {
    const runId = nextRunId();
    const leader = spawn("/bin/sh", ["-c", `PI_DAEMON_RUN_ID=${runId} sleep 300 & echo; wait; exec sleep 300`], {
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
    t.after(() => process.kill(-leader.pid!, "SIGKILL"));
    await once(leader.stdout!, "data");
    while (processesOf(runId).length === 0) await new Promise(setImmediate);
    const { ended } = await endOrphans([{ runId }], 2_000);
    assert.deepEqual([ended.length, processesOf(runId)], [1, []]);
    assert.notEqual(readStartMark(leader.pid!), undefined);
  });
});
