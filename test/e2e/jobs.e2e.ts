/**
 * Jobs by the real daemon and real programs: a schedule for real, kill -9 in mid-run, SIGSTOP, a wall clock that jumps
 * a day.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createClient, type JobShown, type RunShown } from "../../src/client.ts";
import { type Program, type ProgramOptions, startProgram, writeProgramConfig } from "../support/program.ts";
import { until } from "../support/tally.ts";
import { tempDir } from "../support/temp-dir.ts";

const isThere = (program: string): boolean => spawnSync(program, ["--version"]).status === 0;

interface Place {
  readonly directory: string;
  start(jobs: readonly object[], options?: ProgramOptions): Promise<Stand>;
}

interface Stand {
  readonly daemon: Program;
  /** Oldest first. */
  runs(job: string): Promise<RunShown[]>;
  job(name: string): Promise<JobShown>;
  problems(): Promise<readonly string[]>;
  post(path: string): Promise<void>;
}

/** A data directory and the daemons that come and go on it. */
function place(t: TestContext): Place {
  const directory = tempDir(t);
  const dataDir = join(directory, "data");
  return {
    directory,
    async start(jobs, options) {
      const configPath = writeProgramConfig(join(directory, "config.json"), { dataDir, jobs: { jobs } });
      const daemon = await startProgram(t, configPath, options);
      const client = createClient({ socketPath: join(dataDir, "daemon.sock") });
      return {
        daemon,
        runs: async (job) =>
          (await client.json<{ runs: RunShown[] }>("GET", `/api/jobs/${job}/runs?limit=1000`)).runs.reverse(),
        job: (name) => client.json<JobShown>("GET", `/api/jobs/${name}`),
        problems: async () => (await client.health()).reasons ?? [],
        post: async (path) => void (await client.json("POST", path)),
      };
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    // Not one that is dead and only not collected yet.
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

const states = (runs: readonly RunShown[]): string[] => runs.map(({ state }) => state);

test("@every 1s for real: a run for every second, none early, none twice", async (t) => {
  const at = await place(t).start([{ name: "tick", schedule: "@every 1s", command: ["true"] }]);
  await until(async () => (await at.runs("tick")).filter(({ state }) => state === "ok").length >= 6);
  const runs = (await at.runs("tick")).filter(({ state }) => state === "ok");
  for (const [index, run] of runs.entries()) {
    assert.ok(run.startedMs! >= run.slotMs!, "not early");
    if (index > 0) assert.equal(run.slotMs! - runs[index - 1]!.slotMs!, 1000, JSON.stringify(runs));
  }
  assert.equal((await at.daemon.end("SIGTERM")).code, 0);
});

test("kill -9 in mid-run: the run is interrupted, its whole family has ended, and the job goes on", async (t) => {
  const here = place(t);
  const pids = join(here.directory, "pids");
  const shell = `echo $$ >> ${pids}; sleep 300 & echo $! >> ${pids}; wait`;
  const jobs = [
    { name: "long", shell, timeoutMs: 600_000 },
    { name: "tick", schedule: "@every 1s", command: ["true"] },
  ];
  const before = await here.start(jobs);
  await before.post("/api/jobs/long/run");
  const read = (): number[] => (existsSync(pids) ? readFileSync(pids, "utf8").trim().split("\n").map(Number) : []);
  await until(() => read().length === 2);
  await until(async () => (await before.runs("tick")).length >= 2);
  await before.daemon.end("SIGKILL");
  const family = read();
  assert.deepEqual(family.map(isAlive), [true, true], "a daemon that dies at once cannot take them along");

  await pause(2500);
  const after = await here.start(jobs);
  const [run] = await after.runs("long");
  assert.deepEqual([run!.state, run!.reason], ["interrupted", "the daemon died while it ran"]);
  assert.deepEqual(family.map(isAlive), [false, false]);
  const last = (await after.runs("tick")).at(-1)!.id;
  await until(async () => (await after.runs("tick")).some(({ id, state }) => id > last && state === "ok"));
  const missed = (await after.runs("tick")).filter(({ state }) => state === "missed");
  assert.ok(
    missed.some(({ reason }) => reason === "the daemon was not running"),
    JSON.stringify(await after.runs("tick")),
  );
  assert.ok(!states(await after.runs("tick")).includes("running") || (await after.job("tick")).running.length > 0);
});

test("a stop in mid-run: the run is ended, and says so at the next start", async (t) => {
  const here = place(t);
  const jobs = [{ name: "long", shell: "trap 'exit 5' TERM; sleep 300 & wait" }];
  const before = await here.start(jobs);
  await before.post("/api/jobs/long/run");
  await until(async () => (await before.job("long")).running.length === 1);
  assert.equal((await before.daemon.end("SIGTERM")).code, 0);
  const [run] = await (await here.start(jobs)).runs("long");
  assert.deepEqual([run!.state, run!.reason], ["interrupted", "the daemon was stopped"]);
});

test("SIGSTOP for longer than several periods: what passed is missed, not run in a storm", async (t) => {
  const at = await place(t).start([{ name: "tick", schedule: "@every 1s", command: ["true"] }]);
  await until(async () => (await at.runs("tick")).length >= 2);
  at.daemon.process.kill("SIGSTOP");
  await pause(4500);
  at.daemon.process.kill("SIGCONT");
  const missed = async (): Promise<RunShown | undefined> =>
    (await at.runs("tick")).find(({ state }) => state === "missed");
  await until(async () => (await missed()) !== undefined);
  const row = (await missed())!;
  assert.equal(row.reason, "the daemon was held up");
  assert.ok(row.count! >= 2 && row.count! <= 5, `${row.count} slots`);
  const storm = (await at.runs("tick")).filter(
    ({ startedMs, slotMs }) => startedMs !== undefined && startedMs - slotMs! > 2000,
  );
  assert.deepEqual(storm, []);
});

describe(
  "the wall clock jumps a day while the daemon runs",
  { skip: isThere("faketime") ? false : "needs faketime" },
  () => {
    const jobs = ["last", "none", "all"].map((catchUp) => ({
      name: catchUp,
      schedule: "*/2 * * * * *",
      command: ["true"],
      catchUp,
      ...(catchUp === "all" && { catchUpMax: 3 }),
    }));

    async function start(t: TestContext): Promise<Stand & { jump(offset: string): void }> {
      const here = place(t);
      const offset = join(here.directory, "offset");
      writeFileSync(offset, "+0");
      const env = {
        LD_PRELOAD: spawnSync("faketime", ["-f", "+0", "printenv", "LD_PRELOAD"], { encoding: "utf8" }).stdout.trim(),
        FAKETIME_TIMESTAMP_FILE: offset,
        FAKETIME_NO_CACHE: "1",
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
      };
      const at = await here.start(jobs, { env });
      await until(async () =>
        (await Promise.all(jobs.map(({ name }) => at.runs(name)))).every((runs) => runs.length >= 2),
      );
      return { ...at, jump: (to) => writeFileSync(offset, to) };
    }

    const DAY_MS = 86_400_000;
    const isTomorrow = ({ slotMs = 0 }: RunShown): boolean => slotMs > Date.now() + DAY_MS / 2;

    test("ahead: each policy does with what was missed as it says, and goes on by the new time", async (t) => {
      const at = await start(t);
      at.jump("+1d");
      for (const { name } of jobs)
        await until(
          async () => (await at.runs(name)).filter((run) => isTomorrow(run) && run.state === "ok").length >= 5,
        );
      for (const { name } of jobs) {
        const runs = await at.runs(name);
        const missed = runs.filter(({ state }) => state === "missed");
        assert.equal(missed.length, 1, JSON.stringify(missed));
        // 43 200 slots in a day: counted up to ten thousand.
        assert.deepEqual([missed[0]!.count, missed[0]!.isAtLeast], [10_000, true]);
        assert.equal(missed[0]!.reason, "the machine slept, or its clock went forward");
      }
    });

    test("back: no slot is run twice, health says why nothing runs, and resume goes on", async (t) => {
      const at = await start(t);
      at.jump("-1d");
      await until(async () => (await at.problems()).some((problem) => problem.startsWith("the clock has gone back")));
      const before = await Promise.all(jobs.map(({ name }) => at.runs(name)));
      await pause(5000);
      for (const [index, { name }] of jobs.entries()) {
        const runs = await at.runs(name);
        assert.equal(runs.length, before[index]!.length, `${name} ran`);
        assert.equal(new Set(runs.map(({ slotMs }) => slotMs)).size, runs.length, "no slot twice");
      }
      await at.post("/api/jobs/last/resume");
      const count = (await at.runs("last")).length;
      await until(async () => (await at.runs("last")).length > count);
    });

    test("ahead and back again: what was run is not run again", async (t) => {
      const at = await start(t);
      at.jump("+1d");
      await until(async () => (await at.runs("none")).some((run) => isTomorrow(run) && run.state === "ok"));
      at.jump("+0");
      await pause(6000);
      const slots = (await at.runs("none")).filter(({ state }) => state === "ok").map(({ slotMs }) => slotMs);
      assert.equal(new Set(slots).size, slots.length);
    });
  },
);
