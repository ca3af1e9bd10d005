/** Which runs begin, wait, make way for others, and are cancelled. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { job, settle, startTestJobs, type TestJobs } from "../../support/jobs.ts";

const MINUTE = 60_000;

/** A job every minute whose runs take two and a half. */
function overlapping(rest: Record<string, unknown>): Promise<TestJobs> {
  return startTestJobs({
    config: { jobs: [job("a", { schedule: "* * * * *", ...rest })] },
    prepare: (runner) => (runner.takesMs = 150_000),
  });
}

const going = "skipped schedule 00:02:00 to 00:03:00 (2): a run is going on";

describe("a slot while a run of the job is going on", () => {
  test("skip: there is no second run, and the slots are one row", async () => {
    const jobs = await overlapping({});
    await jobs.passTo("00:06:35");
    assert.deepEqual(jobs.history(), [
      "ok schedule 00:01:00",
      going,
      "ok schedule 00:04:00",
      "skipped schedule 00:05:00 to 00:06:00 (2): a run is going on",
    ]);
  });

  test("queue: one waits, others are skipped", async () => {
    const jobs = await overlapping({ overlap: "queue" });
    await jobs.passTo("00:03:00");
    assert.deepEqual(jobs.history(), [
      "running schedule 00:01:00",
      "queued schedule 00:02:00",
      "skipped schedule 00:03:00: a run is going on and another waits",
    ]);
    await jobs.passTo("00:03:30");
    assert.deepEqual(jobs.history().slice(0, 2), ["ok schedule 00:01:00", "running schedule 00:02:00"]);
    assert.equal(jobs.runner.going().length, 1);
  });

  test("parallel: as many as it says", async () => {
    const jobs = await overlapping({ overlap: "parallel", maxParallel: 2 });
    await jobs.passTo("00:03:00");
    assert.deepEqual(jobs.history(), [
      "running schedule 00:01:00",
      "running schedule 00:02:00",
      "skipped schedule 00:03:00: 2 runs are going on",
    ]);
    assert.equal(jobs.runner.going().length, 2);
  });

  test("replace: the old one is ended, and dead, before the new one begins", async () => {
    const jobs = await overlapping({ overlap: "replace" });
    jobs.runner.diesAfterMs = 7_000;
    await jobs.passTo("00:02:05");
    assert.deepEqual(jobs.history(), ["running schedule 00:01:00", "queued schedule 00:02:00"]);
    assert.deepEqual([jobs.runner.runs.length, jobs.runner.runs[0]!.cancelled], [1, "replaced"]);
    await jobs.passTo("00:02:10");
    assert.deepEqual(jobs.history(), [
      "cancelled schedule 00:01:00: a newer run took its place",
      "running schedule 00:02:00",
    ]);
    assert.equal(jobs.runner.going().length, 1);
  });

  test("replace: of those that wait, the newest counts", async () => {
    const jobs = await overlapping({ overlap: "replace" });
    Object.assign(jobs.runner, { takesMs: undefined, diesAfterMs: 90_000 });
    await jobs.passTo("00:03:40");
    assert.deepEqual(jobs.history(), [
      "cancelled schedule 00:01:00: a newer run took its place",
      "cancelled schedule 00:02:00: a newer run took its place",
      "running schedule 00:03:00",
    ]);
    assert.equal(jobs.runner.runs.length, 2, "the one between never began");
  });

  test("by hand: refused with a row, unless forced", async () => {
    const jobs = await overlapping({});
    await jobs.passTo("00:01:00");
    const wish = { job: jobs.engine.agenda.find("a")!, trigger: "manual" as const };
    const { row } = await jobs.engine.dispatcher.submit(wish);
    assert.deepEqual([row.state, row.reason], ["skipped", "a run is going on"]);
    await jobs.engine.dispatcher.submit({ ...wish, insistence: "always" });
    await settle();
    assert.equal(jobs.runner.going().length, 2);
  });
});

describe("all jobs together", () => {
  test("maxConcurrent run at once, the others in the order in which they came", async () => {
    const names = ["a", "b", "c", "d", "e"];
    const config = { maxConcurrent: 2, jobs: names.map((name) => job(name, { schedule: "* * * * *" })) };
    const jobs = await startTestJobs({ config, prepare: (runner) => (runner.takesMs = 10_000) });
    await jobs.passTo("00:01:00");
    assert.deepEqual(
      names.map((name) => jobs.rows(name)[0]!.state),
      ["running", "running", "queued", "queued", "queued"],
    );
    await jobs.passTo("00:01:10");
    assert.deepEqual(
      names.map((name) => jobs.rows(name)[0]!.state),
      ["ok", "ok", "running", "running", "queued"],
    );
    await jobs.follow({ ...config, maxConcurrent: 3 });
    assert.equal(jobs.rows("e")[0]!.state, "running", "a reload that allows more is felt at once");
    await jobs.passTo("00:01:25");
    assert.equal(jobs.engine.dispatcher.running, 0);
  });

  test("jitter: a job's scheduled runs begin later by its own constant part of it; runs by hand do not", async () => {
    const config = {
      jobs: [
        job("a", { schedule: "* * * * *", jitterMs: 30_000 }),
        job("b", { schedule: "* * * * *", jitterMs: 30_000 }),
      ],
    };
    const jobs = await startTestJobs({ config });
    await jobs.pass(2 * MINUTE + 30_000, 100);
    const delayOf = (name: string): number[] => jobs.rows(name).map(({ startedMs, slotMs }) => startedMs! - slotMs!);
    const [first, second] = delayOf("a");
    assert.ok(first! > 0 && first! <= 30_100 && Math.abs(first! - second!) < 200, `${first} ${second}`);
    assert.ok(Math.abs(delayOf("b")[0]! - first!) > 200, "jobs differ");
    const { row } = await jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find("a")!, trigger: "manual" });
    assert.equal(row.state, "running");
  });
});

describe("cancel", () => {
  test("one that runs is ended, one that waits never begins, one that is over stays as it is", async () => {
    const jobs = await startTestJobs({
      config: { jobs: [job("a", { overlap: "queue" })] },
      prepare: (runner) => (runner.takesMs = undefined),
    });
    const submit = () => jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find("a")!, trigger: "manual" });
    const first = await submit();
    await submit();
    assert.equal(jobs.engine.dispatcher.cancel("a"), 2);
    await settle();
    assert.deepEqual(jobs.history(), ["cancelled manual -: it was cancelled", "cancelled manual -: it was cancelled"]);
    assert.equal((await first.over()).signal, "SIGTERM");
    assert.deepEqual(
      [jobs.runner.runs.length, jobs.engine.dispatcher.cancel("a"), jobs.engine.dispatcher.cancel("b")],
      [1, 0, 0],
    );
  });

  test("one of two by its number", async () => {
    const jobs = await startTestJobs({
      config: { jobs: [job("a", { overlap: "parallel" })] },
      prepare: (runner) => (runner.takesMs = undefined),
    });
    const submit = () => jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find("a")!, trigger: "manual" });
    await submit();
    const { row } = await submit();
    assert.equal(jobs.engine.dispatcher.cancel("a", row.id), 1);
    await settle();
    assert.deepEqual(
      jobs.rows().map(({ state }) => state),
      ["running", "cancelled"],
    );
  });

  test("a run that succeeded all the same has succeeded", async () => {
    const jobs = await startTestJobs({
      config: { jobs: [job("a")] },
      prepare: (runner) => Object.assign(runner, { takesMs: 5_000, diesAfterMs: 60_000 }),
    });
    await jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find("a")!, trigger: "manual" });
    await settle();
    jobs.engine.dispatcher.cancel("a");
    await jobs.pass(5_000);
    assert.deepEqual(jobs.history(), ["ok manual -"]);
  });
});
