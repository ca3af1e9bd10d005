/** What follows from how runs end: pauses, other jobs, webhooks, events. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FetchRequest, FetchResult } from "../../../src/system/fetch.ts";
import { job, settle, startTestJobs } from "../../support/jobs.ts";

const MINUTE = 60_000;

describe("pause", () => {
  test("slots are skipped with a row, also over a restart; by hand it runs; resume goes on", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "* * * * *" })] } });
    await jobs.passTo("00:01:00");
    await jobs.store.commit({ kind: "pause", job: "a", pause: { sinceMs: 0, note: "", by: "person" } });
    await jobs.passTo("00:02:30");
    const later = await jobs.restart({ afterMs: 2 * MINUTE });
    await later.passTo("00:05:00");
    assert.equal(later.engine.agenda.nextRunMs("a"), undefined);
    await later.engine.dispatcher.submit({ job: later.engine.agenda.find("a")!, trigger: "manual" });
    await later.engine.agenda.resume("a");
    await later.passTo("00:06:00");
    assert.deepEqual(later.history(), [
      "ok schedule 00:01:00",
      "skipped schedule 00:02:00 to 00:05:00 (4): the job is paused",
      "ok manual -",
      "ok schedule 00:06:00",
    ]);
  });

  test("after so many failures in a row, by itself; a good run in between starts the count anew", async () => {
    const jobs = await startTestJobs({
      config: { jobs: [job("a", { schedule: "* * * * *", pauseAfterFailures: 2 })] },
    });
    for (const state of ["failed", "ok", "timeout", "failed", "ok"] as const) {
      jobs.runner.outcome = { state };
      await jobs.pass(MINUTE);
    }
    assert.deepEqual(jobs.history().slice(0, 5), [
      "failed schedule 00:01:00",
      "ok schedule 00:02:00",
      "timeout schedule 00:03:00",
      "failed schedule 00:04:00",
      "skipped schedule 00:05:00 to 00:05:00 (1): the job is paused",
    ]);
    assert.deepEqual(jobs.store.state.jobs.get("a")!.paused, {
      sinceMs: Date.parse("2026-03-10T00:04:00Z"),
      note: "2 failures in a row",
      by: "failures",
    });
    await jobs.engine.agenda.resume("a");
    await jobs.pass(MINUTE);
    assert.equal(jobs.history().at(-1), "ok schedule 00:06:00");
    assert.equal(jobs.store.state.jobs.get("a")!.failures, 0);
  });

  test("a job that is not enabled is skipped too, and can be enabled by a reload", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a", { schedule: "* * * * *", enabled: false })] } });
    await jobs.passTo("00:02:00");
    await jobs.follow({ jobs: [job("a", { schedule: "* * * * *" })] });
    await jobs.passTo("00:03:00");
    assert.deepEqual(jobs.history(), [
      "skipped schedule 00:01:00 to 00:02:00 (2): the job is not enabled",
      "ok schedule 00:03:00",
    ]);
  });
});

describe("what follows a run", () => {
  test("another job, which is told what set it off", async () => {
    const config = { jobs: [job("a", { onFailure: { job: "b" }, onSuccess: { job: "c" } }), job("b"), job("c")] };
    const jobs = await startTestJobs({
      config,
      prepare: (runner) => (runner.outcome = { state: "failed", error: "no luck" }),
    });
    const submit = () => jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find("a")!, trigger: "manual" });
    const { row } = await submit();
    await settle();
    assert.deepEqual([jobs.history("b"), jobs.history("c")], [["failed on-failure -"], []]);
    assert.equal(jobs.rows("b")[0]!.causeId, row.id);
    const { env } = jobs.runner.runs[1]!.context;
    assert.deepEqual(
      [env["PI_DAEMON_CAUSE_JOB"], env["PI_DAEMON_CAUSE_STATE"], env["PI_DAEMON_CAUSE_ERROR"]],
      ["a", "failed", "no luck"],
    );
    jobs.runner.outcome = {};
    await submit();
    await settle();
    assert.deepEqual(jobs.history("c"), ["ok on-success -"]);
  });

  test("a circle of jobs is broken", async () => {
    const config = { jobs: [job("a", { onSuccess: { job: "b" } }), job("b", { onSuccess: { job: "a" } })] };
    const jobs = await startTestJobs({ config });
    await jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find("a")!, trigger: "manual" });
    for (let turn = 0; turn < 10; turn++) await settle();
    assert.deepEqual([jobs.rows("a").length, jobs.rows("b").length], [5, 4]);
    assert.ok(jobs.log.lines.some(({ message }) => message.includes("in a circle")));
  });

  test("a job that is not there is told of in the log", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a", { onSuccess: { job: "nobody" } })] } });
    await jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find("a")!, trigger: "manual" });
    await settle();
    assert.ok(jobs.log.lines.some(({ level, fields }) => level === "error" && fields["other"] === "nobody"));
  });

  test("a webhook is called, again when the server is unwell, and its address is shown nowhere", async () => {
    const calls: FetchRequest[] = [];
    const answers: FetchResult[] = [
      { ok: false, fault: "network", message: "no way to https://hooks.example/canary" },
      answer(503),
      answer(404),
      answer(200),
    ];
    const fetch = async (request: FetchRequest): Promise<FetchResult> => {
      calls.push(request);
      return answers.shift()!;
    };
    const config = {
      jobs: [job("a", { onFailure: { url: "https://hooks.example/canary", headers: { "x-key": "canary-key" } } })],
    };
    const jobs = await startTestJobs({
      config,
      services: { fetch, secrets: () => ["https://hooks.example/canary", "canary-key"] },
      prepare: (runner) => (runner.outcome = { state: "failed", error: "no luck" }),
    });
    const submit = () => jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find("a")!, trigger: "manual" });
    await submit();
    await jobs.pass(30_000, 1_000);
    assert.equal(calls.length, 3, "404 is an answer that stays");
    assert.deepEqual([calls[0]!.method, calls[0]!.headers!["x-key"]], ["POST", "canary-key"]);
    const { text, job: name, state, mark } = JSON.parse(calls[0]!.body!) as Record<string, unknown>;
    assert.deepEqual([text, name, state, mark], ["job a: run 1 failed: no luck", "a", "failed", undefined]);
    await submit();
    await jobs.pass(1_000);
    assert.equal(calls.length, 4);
    const problem = jobs.log.lines.find(({ message }) => message === "word of a run did not arrive")!;
    assert.equal(problem.fields["problem"], "answered 404");
    assert.doesNotMatch(JSON.stringify(jobs.log.lines), /canary/);
  });

  test("events", async () => {
    const jobs = await startTestJobs({ config: { jobs: [job("a")] } });
    await jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find("a")!, trigger: "manual" });
    await settle();
    assert.deepEqual(jobs.heard, ["job.started a", "job.finished a"]);
  });
});

function answer(status: number): FetchResult {
  return { ok: true, status, headers: {}, body: Buffer.alloc(0), isCut: false, url: "" };
}
