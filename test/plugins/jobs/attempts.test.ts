/** What becomes of a run that has its turn: prechecks, attempts, actions of the daemon's own. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PrecheckOutcome, RunOutcome } from "../../../src/plugins/jobs/run.ts";
import { job, settle, startTestJobs, type TestJobs } from "../../support/jobs.ts";

const MINUTE = 60_000;

const EMPTY = { text: "", sizeBytes: 0, cutBytes: 0 };

describe("attempts", () => {
  const failing = (
    rest: Record<string, unknown>,
    outcome: Partial<RunOutcome> = { state: "failed", error: "no luck" },
  ): Promise<TestJobs> =>
    startTestJobs({
      config: { jobs: [job("a", { schedule: "@in 1m", ...rest })] },
      prepare: (runner) => (runner.outcome = outcome),
    });

  test("without retries there is one", async () => {
    const jobs = await failing({});
    await jobs.pass(5 * MINUTE, 1_000);
    const [row] = jobs.rows();
    assert.deepEqual([jobs.runner.runs.length, row!.state, row!.error, row!.attempts], [1, "failed", "no luck", 1]);
  });

  test("each wait is up to twice the one before, up to the most; the row counts attempts", async () => {
    const jobs = await failing({ retries: 4, retryDelayMs: 10_000, maxRetryDelayMs: 30_000 });
    await jobs.pass(5 * MINUTE, 100);
    const starts = jobs.runner.runs.map(({ startedMs }) => startedMs);
    const waits = starts.slice(1).map((start, index) => Math.round((start - starts[index]!) / 1_000));
    assert.deepEqual(waits, [5, 10, 15, 15], "the random number is 0.5 here");
    assert.deepEqual([jobs.rows()[0]!.attempts, jobs.rows().length], [5, 1]);
  });

  test("one that ends well is the last", async () => {
    const jobs = await failing({ retries: 3, retryDelayMs: 1_000 });
    await jobs.pass(MINUTE);
    jobs.runner.outcome = {};
    await jobs.pass(10_000, 500);
    assert.deepEqual([jobs.rows()[0]!.state, jobs.rows()[0]!.attempts, jobs.rows()[0]!.error], ["ok", 2, undefined]);
  });

  for (const [name, rest, outcome] of [
    ["a fault of the job itself", {}, { state: "failed", retryable: false }],
    ["an agent that ran out of time", { command: undefined, agent: { prompt: "hello" } }, { state: "timeout" }],
  ] as const) {
    test(`not again: ${name}`, async () => {
      const jobs = await failing({ retries: 3, retryDelayMs: 100, ...rest }, outcome);
      await jobs.pass(5 * MINUTE, 1_000);
      assert.equal(jobs.runner.runs.length, 1);
    });
  }

  test("a server that asks for more time is given it", async () => {
    const jobs = await failing({ retries: 1, retryDelayMs: 1_000 }, { state: "failed", retryAfterMs: 90_000 });
    await jobs.pass(2 * MINUTE, 1_000);
    assert.equal(jobs.runner.runs.length, 1);
    await jobs.pass(MINUTE, 1_000);
    assert.equal(jobs.runner.runs.length, 2);
  });

  test("a run that waits for its next attempt leaves its place to others, and can be cancelled", async () => {
    const config = { maxConcurrent: 1, jobs: [job("a", { retries: 5, retryDelayMs: MINUTE }), job("b")] };
    const jobs = await startTestJobs({ config, prepare: (runner) => (runner.outcome = { state: "failed" }) });
    const submit = (name: string) =>
      jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find(name)!, trigger: "manual" });
    await submit("a");
    await settle();
    jobs.runner.outcome = {};
    await submit("b");
    await settle();
    assert.deepEqual([jobs.rows("a")[0]!.state, jobs.rows("b")[0]!.state], ["running", "ok"]);
    assert.equal(jobs.engine.dispatcher.cancel("a"), 1);
    await settle();
    assert.deepEqual(jobs.history("a"), ["cancelled manual -: it was cancelled"]);
  });
});

describe("precheck", () => {
  const checked = (decision: "run" | "skip" | "error"): Promise<TestJobs> =>
    startTestJobs({
      config: {
        jobs: [job("a", { schedule: "* * * * *", precheck: { command: ["test", "-e", "/x"], timeoutMs: 5_000 } })],
      },
      prepare: (runner) => {
        const outcome = {
          state: "failed",
          durationMs: 1,
          exitCode: 2,
          stdout: EMPTY,
          stderr: EMPTY,
          retryable: true,
        } as const;
        runner.precheck =
          decision === "error" ? { decision, error: "the precheck failed: exit status 2", outcome } : { decision };
      },
    });

  test("run", async () => {
    const jobs = await checked("run");
    await jobs.passTo("00:01:00");
    assert.deepEqual(
      [jobs.history(), jobs.runner.prechecks.length, jobs.runner.prechecks[0]!.timeoutMs],
      [["ok schedule 00:01:00"], 1, 5_000],
    );
  });

  test("skip: nothing is run, and such slots in a row are one row", async () => {
    const jobs = await checked("skip");
    await jobs.passTo("00:03:00");
    assert.deepEqual(jobs.history(), ["skipped schedule 00:01:00 to 00:03:00 (3): the precheck said no"]);
    assert.deepEqual([jobs.runner.runs.length, jobs.runner.prechecks.length], [0, 3]);
  });

  test("skip, while a later run goes on: it is the skipped row that is told of", async () => {
    const jobs = await startTestJobs({
      config: { jobs: [job("a", { schedule: "@every 1s", overlap: "parallel", precheck: { shell: "x" } })] },
      prepare: (runner) => Object.assign(runner, { takesMs: undefined, precheck: { decision: "skip" } }),
    });
    const told: unknown[] = [];
    jobs.services.events.on("job.finished", ({ run, state }) => void told.push([run, state]));
    await jobs.pass(1_000);
    const { promise, resolve } = Promise.withResolvers<PrecheckOutcome>();
    const startPrecheck = jobs.runner.startPrecheck.bind(jobs.runner);
    jobs.runner.startPrecheck = () => ({ done: promise, cancel: () => undefined });
    await jobs.pass(1_000);
    Object.assign(jobs.runner, { startPrecheck, precheck: { decision: "run" } });
    await jobs.pass(1_000);
    resolve({ decision: "skip" });
    await settle();
    assert.deepEqual(
      jobs.rows().map(({ id, state, count }) => [id, state, count]),
      [
        [1, "skipped", 2],
        [3, "running", undefined],
      ],
    );
    assert.deepEqual(told, [
      [1, "skipped"],
      [1, "skipped"],
    ]);
  });

  test("error: the run has failed, and says why", async () => {
    const jobs = await checked("error");
    await jobs.passTo("00:01:00");
    const [row] = jobs.rows();
    assert.deepEqual(
      [row!.state, row!.error, row!.exitCode, jobs.runner.runs.length],
      ["failed", "the precheck failed: exit status 2", 2, 0],
    );
  });
});

describe("a job of the daemon's own", () => {
  const internal = (rest: Record<string, unknown> = {}) => ({
    name: "a",
    internal: { action: "tea.make", input: { cups: 2 } },
    ...rest,
  });

  async function run(jobs: TestJobs): Promise<void> {
    await jobs.engine.dispatcher.submit({ job: jobs.engine.agenda.find("a")!, trigger: "manual" });
    await settle();
  }

  test("is done by whoever offers it; what it says is the output", async () => {
    const jobs = await startTestJobs({ config: { jobs: [internal()] } });
    jobs.services.actions.offer("tea.make", async ({ cups }) => `made ${cups} cups`);
    await run(jobs);
    assert.deepEqual([jobs.rows()[0]!.state, jobs.rows()[0]!.stdout?.text], ["ok", "made 2 cups"]);
  });

  test("that nobody offers has failed", async () => {
    const jobs = await startTestJobs({ config: { jobs: [internal()] } });
    await run(jobs);
    assert.deepEqual(
      [jobs.rows()[0]!.state, jobs.rows()[0]!.error],
      ["failed", 'there is no action "tea.make"; there are: none'],
    );
  });

  for (const [name, action] of [
    ["rejects", async () => Promise.reject(new Error("no water"))],
    [
      "throws",
      () => {
        throw new Error("no water");
      },
    ],
  ] as const) {
    test(`that ${name} has failed`, async () => {
      const jobs = await startTestJobs({ config: { jobs: [internal()] } });
      jobs.services.actions.offer("tea.make", action);
      await run(jobs);
      assert.deepEqual([jobs.rows()[0]!.state, jobs.rows()[0]!.error], ["failed", "no water"]);
    });
  }

  test("that takes too long is told to stop, and has timed out", async () => {
    const jobs = await startTestJobs({ config: { jobs: [internal({ timeoutMs: 5_000 })] } });
    let isTold = false;
    jobs.services.actions.offer("tea.make", (_input, signal) => {
      signal.addEventListener("abort", () => void (isTold = true));
      return new Promise(() => undefined);
    });
    await run(jobs);
    await jobs.pass(5_000);
    assert.deepEqual([jobs.rows()[0]!.state, isTold], ["timeout", true]);
  });
});
