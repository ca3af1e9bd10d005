/**
 * What becomes of slots that pass while the daemon is down, the machine sleeps, the clock is set, the process held up.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { job, startTestJobs, type TestJobs } from "../../support/jobs.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Four slots pass without the daemon; the job has run before. The last one is 30 minutes old when it is back. */
async function afterDowntime(rest: Record<string, unknown>): Promise<TestJobs> {
  const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "0 * * * *", ...rest })] } });
  await jobs.passTo("01:00:00");
  const later = await jobs.restart({ afterMs: 4 * HOUR + 30 * MINUTE });
  await later.passTo("06:00:30");
  return later;
}

const DOWN = "the daemon was not running";

describe("slots that pass while the daemon is not running", () => {
  for (const [name, rest, expected] of [
    [
      "last (the default): one late run, the others are missed",
      {},
      [`missed schedule 02:00:00 to 04:00:00 (3): ${DOWN}`, "ok catch-up 05:00:00"],
    ],
    ["none: all are missed", { catchUp: "none" }, [`missed schedule 02:00:00 to 05:00:00 (4): ${DOWN}`]],
    [
      "all: each is run late",
      { catchUp: "all" },
      ["ok catch-up 02:00:00", "ok catch-up 03:00:00", "ok catch-up 04:00:00", "ok catch-up 05:00:00"],
    ],
    [
      "all, at most two",
      { catchUp: "all", catchUpMax: 2 },
      [`missed schedule 02:00:00 to 03:00:00 (2): ${DOWN}`, "ok catch-up 04:00:00", "ok catch-up 05:00:00"],
    ],
    ["last, outside of the window", { catchUpWindow: "10m" }, [`missed schedule 02:00:00 to 05:00:00 (4): ${DOWN}`]],
    [
      "all, some outside of the window",
      { catchUp: "all", catchUpWindow: "100m" },
      [`missed schedule 02:00:00 to 03:00:00 (2): ${DOWN}`, "ok catch-up 04:00:00", "ok catch-up 05:00:00"],
    ],
  ] as const) {
    test(name, async () => {
      const jobs = await afterDowntime(rest);
      assert.deepEqual(jobs.history(), ["ok schedule 01:00:00", ...expected, "ok schedule 06:00:00"]);
    });
  }

  test("a job that never ran has nothing to catch up, and yet its slots are recorded", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "0 * * * *" })] } });
    const later = await jobs.restart({ afterMs: 2 * HOUR + MINUTE });
    assert.deepEqual(later.history(), [`missed schedule 01:00:00 to 02:00:00 (2): ${DOWN}`]);
    assert.deepEqual(later.heard, ["job.missed a"]);
  });

  test("a single instant is run late within the window, even though the job never ran, and not beyond", async () => {
    const config = {
      jobs: [
        job("a", { schedule: "@at 2026-03-10T01:00:00Z" }),
        job("b", { schedule: "@at 2026-03-10T01:00:00Z", catchUpWindow: "10m" }),
      ],
    };
    const jobs = await startTestJobs({ config });
    const later = await jobs.restart({ afterMs: 2 * HOUR });
    assert.deepEqual(later.history("a"), ["ok catch-up 01:00:00"]);
    assert.deepEqual(later.history("b"), [`missed schedule 01:00:00 to 01:00:00 (1): ${DOWN}`]);
    const again = await later.restart({ afterMs: HOUR });
    assert.deepEqual([again.history("a").length, again.history("b").length], [1, 1], "decided is decided");
  });

  test("counting weeks of seconds is bounded and says so", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "* * * * * *" })] } });
    await jobs.pass(1_000);
    const later = await jobs.restart({ afterMs: 20 * DAY });
    const [, missed, late] = later.rows();
    assert.deepEqual([missed!.count, missed!.isAtLeast, late!.state, late!.trigger], [10_000, true, "ok", "schedule"]);
  });

  test("slots missed at the next stop too are one row with those before", async () => {
    const config = { jobs: [job("a", { schedule: "0 * * * *", catchUp: "none" })] };
    const jobs = await startTestJobs({ config });
    const later = await (await jobs.restart({ afterMs: 90 * MINUTE })).restart({ afterMs: 2 * HOUR });
    assert.deepEqual(later.history(), [`missed schedule 01:00:00 to 03:00:00 (3): ${DOWN}`]);
  });
});

const SLEPT = "the machine slept, or its clock went forward";

describe("the clock goes forward, or the machine sleeps (its monotonic clock stands still)", () => {
  for (const [name, rest, expected] of [
    ["last", {}, [`missed schedule 02:00:00 to 04:00:00 (3): ${SLEPT}`, "ok catch-up 05:00:00"]],
    ["none", { catchUp: "none" }, [`missed schedule 02:00:00 to 05:00:00 (4): ${SLEPT}`]],
    [
      "all",
      { catchUp: "all" },
      ["ok catch-up 02:00:00", "ok catch-up 03:00:00", "ok catch-up 04:00:00", "ok catch-up 05:00:00"],
    ],
  ] as const) {
    test(name, async () => {
      const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "0 * * * *", ...rest })] } });
      await jobs.passTo("01:00:00");
      jobs.clock.stepWall(4 * HOUR + 30 * MINUTE);
      await jobs.pass(5_000);
      assert.deepEqual(jobs.history(), ["ok schedule 01:00:00", ...expected], "within 5 s of going on");
      await jobs.passTo("06:00:00");
      assert.deepEqual(jobs.history().at(-1), "ok schedule 06:00:00");
      assert.ok(jobs.log.lines.some(({ message }) => message === "the clock was set, or the machine has slept"));
    });
  }

  test("a day forward: one late run of a daily job", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "0 12 * * *" })] } });
    await jobs.passTo("12:00:00");
    jobs.clock.stepWall(DAY);
    await jobs.pass(5_000);
    assert.deepEqual(jobs.history(), ["ok schedule 12:00:00", "ok schedule 12:00:00"]);
    assert.equal(jobs.rows()[1]!.slotMs! - jobs.rows()[0]!.slotMs!, DAY);
  });

  test("less than a period: nothing is lost and nothing is doubled", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "* * * * *" })] } });
    await jobs.passTo("00:02:30");
    jobs.clock.stepWall(10_000);
    await jobs.passTo("00:04:00");
    assert.deepEqual(
      jobs.history(),
      ["00:01:00", "00:02:00", "00:03:00", "00:04:00"].map((time) => `ok schedule ${time}`),
    );
  });
});

describe("the clock goes back", () => {
  for (const catchUp of ["last", "none", "all"]) {
    test(`a slot that was run is not run again (${catchUp})`, async () => {
      const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "0 * * * *", catchUp })] } });
      await jobs.passTo("03:00:30");
      jobs.clock.stepWall(-90 * MINUTE);
      await jobs.pass(4 * HOUR, 5_000 * 12);
      assert.deepEqual(
        jobs.history(),
        ["01", "02", "03", "04", "05"].map((hour) => `ok schedule ${hour}:00:00`),
      );
      assert.equal(jobs.runner.runs.length, 5);
    });
  }

  test("a day back: health says that jobs wait, and resume ends that", async () => {
    const jobs = await startTestJobs({
      config: { jobs: [job("a", { schedule: "* * * * *" }), job("b", { schedule: "@every 1m" })] },
    });
    await jobs.passTo("00:02:00");
    jobs.clock.stepWall(-DAY);
    await jobs.pass(10 * MINUTE, 5_000);
    assert.deepEqual([jobs.rows("a").length, jobs.rows("b").length], [2, 2]);
    assert.match(jobs.engine.problems().join(), /^the clock has gone back: a, b will run again when /);
    await jobs.engine.agenda.resume("a");
    await jobs.engine.agenda.resume("b");
    assert.deepEqual(jobs.engine.problems(), []);
    await jobs.pass(3 * MINUTE, 5_000);
    assert.deepEqual([jobs.rows("a").length, jobs.rows("b").length], [5, 5]);
  });

  test("and forward again: the slots between were run already", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "0 * * * *" })] } });
    await jobs.passTo("02:00:00");
    jobs.clock.stepWall(-HOUR);
    await jobs.pass(MINUTE, 5_000);
    jobs.clock.stepWall(HOUR);
    await jobs.passTo("03:00:00");
    assert.deepEqual(
      jobs.history(),
      ["01", "02", "03"].map((hour) => `ok schedule ${hour}:00:00`),
    );
  });

  test("a job that has decided no slot yet goes by the new time at once", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "*/10 * * * *" })] } });
    await jobs.pass(MINUTE, 5_000);
    jobs.clock.stepWall(-DAY);
    await jobs.pass(10 * MINUTE, 5_000);
    assert.deepEqual(jobs.history(), ["ok schedule 00:10:00"]);
    assert.deepEqual(jobs.engine.problems(), []);
  });

  test("a restart after it: the last slot still counts", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "0 * * * *" })] } });
    await jobs.passTo("03:00:00");
    jobs.clock.stepWall(-2 * HOUR);
    const later = await jobs.restart({ afterMs: 1_000 });
    await later.pass(2 * HOUR + MINUTE, 5_000);
    assert.deepEqual(
      later.history(),
      ["01", "02", "03"].map((hour) => `ok schedule ${hour}:00:00`),
    );
  });
});

describe("the process is held up (both clocks go on)", () => {
  for (const [name, rest, expected] of [
    [
      "last: the newest runs, the others are missed",
      {},
      ["missed schedule 00:00:03 to 00:00:19 (17): the daemon was held up", "ok schedule 00:00:20"],
    ],
    [
      "none: the newest is on time still",
      { catchUp: "none" },
      ["missed schedule 00:00:03 to 00:00:19 (17): the daemon was held up", "ok schedule 00:00:20"],
    ],
    [
      "all: the ten newest run, one after the other",
      { catchUp: "all" },
      [
        "missed schedule 00:00:03 to 00:00:10 (8): the daemon was held up",
        "ok schedule 00:00:11",
        "ok schedule 00:00:12",
        "ok schedule 00:00:13",
        "ok schedule 00:00:14",
        "ok schedule 00:00:15",
        "ok schedule 00:00:16",
        "ok schedule 00:00:17",
        "ok schedule 00:00:18",
        "ok schedule 00:00:19",
        "ok schedule 00:00:20",
      ],
    ],
  ] as const) {
    test(name, async () => {
      const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "@every 1s", ...rest })] } });
      await jobs.pass(2_000, 1_000);
      // Time passes without a turn of the event loop: every timer is late.
      jobs.clock.holdUp(18_000);
      await jobs.pass(1, 1);
      assert.deepEqual(jobs.history(), ["ok schedule 00:00:01", "ok schedule 00:00:02", ...expected]);
    });
  }
});
