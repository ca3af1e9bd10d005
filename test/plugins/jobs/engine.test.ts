/** Restarts, reloads and stops: what is open is closed, what has not changed is not touched. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RunMark } from "../../../src/system/orphans.ts";
import { StorageError } from "../../../src/system/store.ts";
import { job, jobsConfig, settle, startTestJobs } from "../../support/jobs.ts";

const MINUTE = 60_000;

describe("a daemon that died", () => {
  test("in mid-run: the run is interrupted, never ok, its processes are ended, failure is told of", async () => {
    const config = { jobs: [job("a", { schedule: "* * * * *", onFailure: { job: "b" } }), job("b")] };
    const jobs = await startTestJobs({ config, prepare: (runner) => (runner.takesMs = undefined) });
    await jobs.passTo("00:01:00");
    const asked: RunMark[] = [];
    const endOrphans = async (marks: readonly RunMark[]) => {
      asked.push(...marks);
      return { ended: [{ runId: "x", pid: 77, startTime: "", processGroup: 77 }], left: [] };
    };
    const later = await startTestJobs({
      config,
      clock: jobs.clock,
      state: jobs.store.reopen(),
      services: { endOrphans },
    });
    assert.deepEqual(later.history(), ["interrupted schedule 00:01:00: the daemon died while it ran"]);
    assert.deepEqual(asked, [{ runId: jobs.runner.runs[0]!.context.runId, pid: 1001, startTime: "then" }]);
    assert.deepEqual(later.history("b"), ["ok on-failure -"]);
    assert.ok(later.log.lines.some(({ fields }) => fields["pid"] === 77));
    assert.ok(later.heard.includes("job.finished a"));
    await later.passTo("00:02:00");
    assert.deepEqual(later.history().at(-1), "ok schedule 00:02:00");
  });

  for (const [catchUp, expected] of [
    [
      "last",
      [
        "interrupted schedule 00:01:00: the daemon died while it ran",
        "missed schedule 00:02:00: the daemon was not running",
        "ok catch-up 00:02:00",
      ],
    ],
    [
      "none",
      [
        "interrupted schedule 00:01:00: the daemon died while it ran",
        "missed schedule 00:02:00: the daemon was not running",
      ],
    ],
  ] as const) {
    test(`with a slot in the queue: it is missed, and caught up as catchUp says (${catchUp})`, async () => {
      const config = { jobs: [job("a", { schedule: "* * * * *", overlap: "queue", catchUp })] };
      const jobs = await startTestJobs({ config, prepare: (runner) => (runner.takesMs = undefined) });
      await jobs.passTo("00:02:00");
      assert.deepEqual(jobs.history(), ["running schedule 00:01:00", "queued schedule 00:02:00"]);
      const later = await jobs.restart({ afterMs: 20_000 });
      later.runner.going().forEach((run) => run.end());
      await settle();
      assert.deepEqual(later.history(), expected);
    });
  }

  test("a younger slot takes the place of one that was lost in the queue", async () => {
    const config = { jobs: [job("a", { schedule: "* * * * *", overlap: "queue" })] };
    const jobs = await startTestJobs({ config, prepare: (runner) => (runner.takesMs = undefined) });
    await jobs.passTo("00:02:00");
    const later = await jobs.restart({ afterMs: 2 * MINUTE });
    later.runner.going().forEach((run) => run.end());
    await settle();
    assert.deepEqual(later.history().slice(1), [
      "missed schedule 00:02:00 to 00:03:00 (2): the daemon was not running",
      "ok schedule 00:04:00",
    ]);
  });

  test("a run by hand that had not begun is interrupted", async () => {
    const config = { maxConcurrent: 1, jobs: [job("a"), job("b")] };
    const jobs = await startTestJobs({ config, prepare: (runner) => (runner.takesMs = undefined) });
    for (const name of ["a", "b"])
      await jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find(name)!, trigger: "manual" });
    const later = await jobs.restart();
    assert.deepEqual(later.history("b"), ["interrupted manual -: the daemon ended before it began"]);
  });
});

test("a secret of many lines is hidden line by line too", async () => {
  const key = "-----BEGIN KEY-----\ncanary-line-1\ncanary-line-2\nab\n-----END KEY-----";
  const jobs = await startTestJobs({ services: { secrets: () => [key] } });
  const action = async (): Promise<string> => "canary-line-2 ab";
  jobs.services.actions.offer("tell", action);
  await jobs.follow({ jobs: [{ name: "a", internal: { action: "tell" } }] });
  await jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find("a")!, trigger: "manual" });
  await settle();
  assert.equal(jobs.rows()[0]!.stdout!.text, "[redacted] ab");
});

describe("a stop", () => {
  test("lets runs end, ends those that go on, and begins nothing more", async () => {
    const config = {
      stopGraceMs: 3_000,
      maxConcurrent: 2,
      jobs: ["a", "b", "c"].map((name) => job(name, { schedule: "* * * * *" })),
    };
    const jobs = await startTestJobs({ config, prepare: (runner) => (runner.takesMs = undefined) });
    await jobs.passTo("00:01:00");
    let isStopped = false;
    const stopping = jobs.engine.stop().then(() => (isStopped = true));
    await jobs.pass(1_000);
    jobs.runner.runs[0]!.end();
    await jobs.pass(1_999);
    assert.deepEqual([isStopped, jobs.runner.runs.length], [false, 2]);
    await jobs.pass(1);
    await stopping;
    assert.deepEqual(jobs.history("a"), ["ok schedule 00:01:00"]);
    assert.deepEqual(jobs.history("b"), ["interrupted schedule 00:01:00: the daemon was stopped"]);
    assert.deepEqual(jobs.history("c"), ["queued schedule 00:01:00"]);
    await jobs.pass(10 * MINUTE, MINUTE);
    assert.equal(jobs.runner.runs.length, 2, "the timer is gone");
    const later = await jobs.restart({ config });
    assert.match(later.history("c")[0]!, /^missed schedule 00:01:00/);
  });

  test("ends by force what does not end within 10 s of being told to", async () => {
    const marks: unknown[] = [];
    const jobs = await startTestJobs({
      config: { stopGraceMs: 3_000, jobs: [job("a", { graceMs: 60_000 })] },
      prepare: (runner) => Object.assign(runner, { takesMs: undefined, diesAfterMs: 60_000 }),
      services: {
        async endOrphans(runs, graceMs) {
          marks.push([runs, graceMs]);
          jobs.runner.runs[0]!.end({ state: "cancelled", signal: "SIGKILL" });
          return { ended: [], left: [] };
        },
      },
    });
    await jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find("a")!, trigger: "manual" });
    await settle();
    const stopping = jobs.engine.stop();
    await jobs.pass(12_999, 1_000);
    assert.deepEqual([jobs.runner.runs[0]!.cancelled, marks], ["shutdown", []]);
    await jobs.pass(1);
    await stopping;
    assert.deepEqual(marks, [[[{ runId: "id-1", pid: 1001, startTime: "then" }], 0]]);
    assert.deepEqual(jobs.history(), ["interrupted manual -: the daemon was stopped"]);
  });

  test("tells those who wait for a run that has not begun", async () => {
    const config = { maxConcurrent: 1, jobs: [job("a"), job("b")] };
    const jobs = await startTestJobs({ config, prepare: (runner) => (runner.takesMs = undefined) });
    const submit = (name: string) =>
      jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find(name)!, trigger: "manual" });
    await submit("a");
    const { over } = await submit("b");
    const stopping = jobs.engine.stop();
    assert.equal((await over()).state, "queued");
    jobs.runner.runs[0]!.end();
    await stopping;
  });

  test("with nothing going on is over at once", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "* * * * *" })] } });
    await jobs.engine.stop();
    await assert.rejects(
      jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find("a")!, trigger: "manual" }),
      /stopping/,
    );
  });
});

describe("a reload", () => {
  test("adds, changes and removes jobs; unchanged ones keep their timers, running ones run on", async () => {
    const config = {
      jobs: [
        job("a", { schedule: "@every 90s" }),
        job("b", { schedule: "* * * * *" }),
        job("c", { schedule: "* * * * *" }),
      ],
    };
    const jobs = await startTestJobs({ config, prepare: (runner) => (runner.takesMs = 50_000) });
    await jobs.passTo("00:01:00");
    const dueMs = jobs.engine.agenda.scheduler.dueOf("a");
    await jobs.follow({
      jobs: [config.jobs[0], job("b", { schedule: "*/5 * * * *" }), job("d", { schedule: "* * * * *" })],
    });
    assert.equal(jobs.engine.agenda.scheduler.dueOf("a"), dueMs);
    assert.equal(jobs.engine.agenda.find("c"), undefined);
    await jobs.passTo("00:05:55");
    assert.deepEqual(jobs.history("a"), ["ok schedule 00:01:30", "ok schedule 00:03:00", "ok schedule 00:04:30"]);
    assert.deepEqual(jobs.history("b"), ["ok schedule 00:01:00", "ok schedule 00:05:00"]);
    assert.deepEqual(jobs.history("c"), ["ok schedule 00:01:00"], "what ran when its job was removed runs to its end");
    assert.equal(jobs.history("d").length, 4);
  });

  test("a new command with the old schedule is what the next run runs", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "* * * * *" })] } });
    await jobs.passTo("00:01:00");
    await jobs.follow({ jobs: [job("a", { schedule: "* * * * *", command: ["echo", "new"] })] });
    await jobs.passTo("00:02:00");
    assert.deepEqual(
      jobs.runner.runs.map(({ spec }) => "command" in spec && spec.command),
      [["true"], ["echo", "new"]],
    );
  });

  test("a job that is gone takes those that wait with it; its history stays until it is old", async () => {
    const config = { jobs: [job("a", { schedule: "* * * * *", overlap: "queue" })] };
    const jobs = await startTestJobs({ config, prepare: (runner) => (runner.takesMs = undefined) });
    await jobs.passTo("00:02:00");
    await jobs.follow({ jobs: [] });
    assert.deepEqual(jobs.history(), ["running schedule 00:01:00", "cancelled schedule 00:02:00: it was cancelled"]);
    jobs.runner.runs[0]!.end();
    await jobs.pass(40 * 86_400_000, 3_600_000 * 6);
    assert.equal(jobs.store.state.jobs.has("a"), false);
  });

  test("a job that comes back starts anew: what passed meanwhile was nobody's", async () => {
    const config = { jobs: [job("a", { schedule: "* * * * *" })] };
    const jobs = await startTestJobs({ config });
    await jobs.passTo("00:01:00");
    await jobs.follow({ jobs: [] });
    await jobs.passTo("00:10:30");
    await jobs.follow(config);
    await jobs.passTo("00:11:00");
    assert.deepEqual(jobs.history(), ["ok schedule 00:01:00", "ok schedule 00:11:00"]);
  });

  test("that cannot be written down is tried again, and told of meanwhile", async () => {
    const jobs = await startTestJobs({});
    jobs.store.hold = true;
    const following = jobs.engine.follow(jobsConfig({ jobs: [job("a", { schedule: "* * * * *" })] }));
    await settle();
    jobs.store.settle("failed");
    await assert.rejects(following, StorageError);
    assert.match(jobs.engine.problems().join(), /could not be taken over: no space left on device/);
    jobs.store.hold = false;
    await jobs.passTo("00:01:00");
    assert.deepEqual(jobs.engine.problems(), []);
    assert.deepEqual(jobs.history(), ["ok schedule 00:01:00"]);
  });
});

describe("the time zone of a job that names none", () => {
  test("is the machine's when the job first came, and stays; one that the config names takes its place", async () => {
    const config = { jobs: [job("a", { schedule: "0 12 * * *" })] };
    const jobs = await startTestJobs({ config });
    assert.equal(jobs.engine.agenda.timingOf("a")!.zone.name, "UTC");
    await jobs.follow({ ...config, timeZone: "Asia/Tokyo" });
    assert.equal(jobs.engine.agenda.timingOf("a")!.zone.name, "Asia/Tokyo");
    assert.equal(new Date(jobs.engine.agenda.nextRunMs("a")!).toISOString(), "2026-03-10T03:00:00.000Z");
    await jobs.follow(config);
    assert.equal(jobs.engine.agenda.timingOf("a")!.zone.name, "UTC");
  });

  test("a change of zone does not set off @in again", async () => {
    const config = { jobs: [job("a", { schedule: "@in 1m" })] };
    const jobs = await startTestJobs({ config });
    await jobs.passTo("00:02:00");
    await jobs.follow({ ...config, timeZone: "Asia/Tokyo" });
    await jobs.passTo("00:10:00");
    assert.deepEqual(jobs.history(), ["ok schedule 00:01:00"]);
  });
});
