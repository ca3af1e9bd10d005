/** Slots are followed one by one, also where the clocks change and where the disk refuses. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { job, MIDNIGHT, startTestJobs } from "../../support/jobs.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("a schedule is followed slot by slot, each with its row", () => {
  test("a cron schedule", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "*/5 * * * *" })] } });
    await jobs.passTo("00:15:00");
    assert.deepEqual(jobs.history(), ["ok schedule 00:05:00", "ok schedule 00:10:00", "ok schedule 00:15:00"]);
    assert.deepEqual(
      jobs.runner.runs.map(({ startedMs }) => startedMs - MIDNIGHT),
      [5 * MINUTE, 10 * MINUTE, 15 * MINUTE],
    );
    assert.equal(jobs.engine.agenda.nextRunMs("a"), MIDNIGHT + 20 * MINUTE);
  });

  test("@every keeps in step with the birth of the job, over restarts too", async () => {
    const jobs = await startTestJobs({
      startMs: MIDNIGHT + 7_000,
      config: { jobs: [job("a", { schedule: "@every 20s" })] },
    });
    await jobs.passTo("00:00:50");
    const later = await jobs.restart({ afterMs: 3_000 });
    await later.passTo("00:01:30");
    assert.deepEqual(later.history(), [
      "ok schedule 00:00:27",
      "ok schedule 00:00:47",
      "ok schedule 00:01:07",
      "ok schedule 00:01:27",
    ]);
  });

  test("@in runs once, counted from when the job came; @at once at its time", async () => {
    const config = { jobs: [job("a", { schedule: "@in 90s" }), job("b", { schedule: "@at 2026-03-10T00:01:00Z" })] };
    const jobs = await startTestJobs({ config });
    await jobs.passTo("00:01:10");
    const later = await jobs.restart();
    await later.passTo("00:10:00");
    assert.deepEqual([later.history("a"), later.history("b")], [["ok schedule 00:01:30"], ["ok schedule 00:01:00"]]);
    assert.equal(later.engine.agenda.nextRunMs("a"), undefined);
  });

  test("a job without a schedule waits to be asked", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a")] } });
    await jobs.pass(DAY, HOUR);
    assert.deepEqual(jobs.history(), []);
  });

  test("@reboot once a boot of the machine, @start at every start of the daemon", async () => {
    const config = { jobs: [job("a", { schedule: "@reboot" }), job("b", { schedule: "@start" })] };
    const jobs = await startTestJobs({ config });
    const again = await jobs.restart();
    assert.deepEqual([again.history("a"), again.history("b")], [["ok boot -"], ["ok start -", "ok start -"]]);
    const host = { ...again.services.host, bootId: "boot-2" };
    const rebooted = await startTestJobs({
      config,
      clock: again.clock,
      state: again.store.reopen(),
      services: { host },
    });
    assert.deepEqual(rebooted.history("a"), ["ok boot -", "ok boot -"]);
    await rebooted.follow({
      jobs: [...config.jobs, job("c", { schedule: "@reboot" }), job("d", { schedule: "@start" })],
    });
    assert.deepEqual([rebooted.history("c"), rebooted.history("d")], [[], []], "not because the config is reloaded");
  });
});

describe("changes of the clocks, through the scheduler", () => {
  for (const [name, zone, start, schedule, expected] of [
    [
      "Berlin, spring: 02:30 does not exist and runs at 03:00",
      "Europe/Berlin",
      "2026-03-29T00:00:00Z",
      "30 2 * * *",
      ["ok schedule 01:00:00"],
    ],
    [
      "Berlin, autumn: 02:30 comes twice and runs once",
      "Europe/Berlin",
      "2026-10-24T23:00:00Z",
      "30 2 * * *",
      ["ok schedule 00:30:00"],
    ],
    [
      "Berlin, autumn: every half hour follows real time",
      "Europe/Berlin",
      "2026-10-24T23:45:00Z",
      "*/30 * * * *",
      [
        "ok schedule 00:00:00",
        "ok schedule 00:30:00",
        "ok schedule 01:00:00",
        "ok schedule 01:30:00",
        "ok schedule 02:00:00",
      ],
    ],
    [
      "Lord Howe, spring: half an hour",
      "Australia/Lord_Howe",
      "2026-10-03T14:00:00Z",
      "15 2 * * *",
      ["ok schedule 15:30:00"],
    ],
  ] as const) {
    test(name, async () => {
      const jobs = await startTestJobs({
        startMs: Date.parse(start),
        config: { jobs: [job("a", { schedule, timeZone: zone })] },
      });
      await jobs.pass(2 * HOUR + 15 * MINUTE, 5_000);
      assert.deepEqual(jobs.history(), expected);
    });
  }

  test("a restart within the second pass does not run a fixed slot again", async () => {
    const jobs = await startTestJobs({
      startMs: Date.parse("2026-10-25T00:00:00Z"),
      config: { jobs: [job("a", { schedule: "30 2 * * *", timeZone: "Europe/Berlin" })] },
    });
    await jobs.pass(31 * MINUTE, 5_000);
    const later = await jobs.restart({ afterMs: 40 * MINUTE });
    await later.pass(2 * HOUR, 5_000);
    assert.deepEqual(later.history(), ["ok schedule 00:30:00"]);
  });
});

describe("a disk that refuses", () => {
  test("a slot that cannot be written down is decided when it can, and no run goes unrecorded", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "* * * * *" })] } });
    jobs.store.hold = true;
    await jobs.passTo("00:01:00");
    jobs.store.settle("failed");
    await jobs.pass(1);
    assert.deepEqual([jobs.history(), jobs.runner.runs.length], [[], 0]);
    jobs.store.hold = false;
    await jobs.pass(6_000, 1_000);
    assert.deepEqual(jobs.history(), ["ok schedule 00:01:00"]);
    await jobs.passTo("00:02:00");
    assert.deepEqual(jobs.history(), ["ok schedule 00:01:00", "ok schedule 00:02:00"]);
  });

  test("slots that passed meanwhile are missed for that reason, and no longer once it is over", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "* * * * *" })] } });
    jobs.store.hold = true;
    for (const time of ["00:01:00", "00:02:00", "00:03:00"]) {
      await jobs.passTo(time);
      jobs.store.settle("failed");
      await jobs.pass(1);
    }
    jobs.store.hold = false;
    await jobs.pass(6_000, 1_000);
    assert.deepEqual(jobs.history(), [
      "missed schedule 00:01:00 to 00:02:00 (2): what was due could not be written down",
      "ok schedule 00:03:00",
    ]);
    jobs.clock.holdUp(150_000);
    await jobs.pass(1);
    assert.match(jobs.history().at(-2)!, /^missed schedule 00:04:00.*: the daemon was held up$/);
  });

  test("the end of a run is written as soon as the disk takes it", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a")] }, prepare: (runner) => (runner.takesMs = 1_000) });
    await jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find("a")!, trigger: "manual" });
    jobs.store.hold = true;
    await jobs.pass(1_000);
    jobs.store.settle("failed");
    await jobs.pass(500);
    assert.deepEqual(jobs.history(), ["running manual -"]);
    jobs.store.hold = false;
    await jobs.pass(1_000);
    assert.deepEqual(jobs.history(), ["ok manual -"]);
  });
});
