import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AgentSpec, RunContext, RunHandle, RunOutcome } from "../../../src/plugins/jobs/run.ts";
import { agentArguments, runAgent } from "../../../src/plugins/jobs/run-agent.ts";
import type { SpawnOptions, SpawnOutcome } from "../../../src/system/spawn.ts";
import { type FakeClock, fakeClock } from "../../support/fake-clock.ts";
import { runContext } from "../../support/run-context.ts";

const SPEC: AgentSpec = { prompt: "Look around", sessionDir: "/sessions/job", name: "job nightly" };
const NO_OUTPUT = { text: "", sizeBytes: 0, cutBytes: 0 };

interface FakePi {
  readonly handle: RunHandle;
  readonly clock: FakeClock;
  readonly options: SpawnOptions;
  /** What pi prints. */
  say(...events: readonly object[]): void;
  /** How pi ends. */
  end(how?: Partial<SpawnOutcome>): Promise<RunOutcome>;
  terminations: number;
}

/** A run of a pi that does what the test says. Ended by us, it exits as the real one does. */
function start(spec: Partial<AgentSpec> = {}, given: Partial<RunContext> = {}): FakePi {
  const clock = fakeClock();
  const { promise: done, resolve } = Promise.withResolvers<SpawnOutcome>();
  const exit: SpawnOutcome = { end: "exited", durationMs: 3_000, exitCode: 0, stdout: NO_OUTPUT, stderr: NO_OUTPUT };
  let options: SpawnOptions;
  const spawn = (asked: SpawnOptions) => {
    options = asked;
    const terminate = (): void => {
      pi.terminations += 1;
      resolve({ ...exit, end: "terminated", exitCode: 143 });
    };
    return { pid: 7, startTime: "1@b", done, terminate };
  };
  const services = { ...runContext().services, spawn, clock };
  const handle = runAgent({ ...SPEC, ...spec }, runContext({ ...given, services }));
  const pi: FakePi = {
    handle,
    clock,
    options: options!,
    terminations: 0,
    say(...events) {
      options.readStdout!(Buffer.from(events.map((event) => JSON.stringify(event) + "\n").join("")));
    },
    end(how = {}) {
      resolve({ ...exit, ...how });
      return handle.done;
    },
  };
  return pi;
}

function answer(text: string, more: object = {}): object {
  const usage = { input: 10, output: 2, cacheRead: 0, cacheWrite: 0, cost: { total: 0.1 } };
  const message = { role: "assistant", content: [{ type: "text", text }], stopReason: "stop", usage, ...more };
  return { type: "message_end", message };
}

const SETTLED = { type: "agent_settled" };

describe("what pi is called with", () => {
  const always = ["--mode", "json", "--session-dir", "/sessions/job", "--name", "job nightly"];
  const rows: readonly [string, Partial<AgentSpec>, readonly string[]][] = [
    ["little", {}, ["--no-approve", "--", "Look around"]],
    ["a model", { model: "p/m:1" }, ["--model", "p/m:1", "--no-approve", "--", "Look around"]],
    ["some tools", { tools: ["read", "bash"] }, ["--tools", "read,bash", "--no-approve", "--", "Look around"]],
    ["no tools", { tools: [] }, ["--no-tools", "--no-approve", "--", "Look around"]],
    ["a kept session", { session: "kept" }, ["--continue", "--no-approve", "--", "Look around"]],
    ["a fresh session", { session: "fresh" }, ["--no-approve", "--", "Look around"]],
    ["trust", { approveProject: true, offline: true }, ["--approve", "--offline", "--", "Look around"]],
    ["a prompt like an option", { prompt: "--help" }, ["--no-approve", "--", "--help"]],
    ["a prompt like a file", { prompt: "@/etc/passwd" }, ["--no-approve", "--", " @/etc/passwd"]],
  ];
  for (const [name, spec, rest] of rows) {
    test(name, () => assert.deepEqual(agentArguments({ ...SPEC, ...spec }), [...always, ...rest]));
  }

  test("is a program, without input, that leaves nothing behind", async () => {
    const pi = start({ program: ["node", "pi.js"], cwd: "/project" }, { runId: "run-1" });
    const { argv, cwd, stdin, endsEscapees, runId } = pi.options;
    assert.deepEqual(argv.slice(0, 3), ["node", "pi.js", "--mode"]);
    assert.deepEqual([cwd, stdin, endsEscapees, runId], ["/project", undefined, true, "run-1"]);
    assert.deepEqual([start().options.argv[0], start().options.cwd], ["pi", "/"]);
    assert.deepEqual([pi.handle.pid, pi.handle.startTime], [7, "1@b"]);
  });

  test("is nothing without a prompt", async () => {
    const handle = runAgent({ ...SPEC, prompt: " \n" }, runContext());
    const { state, error, retryable } = await handle.done;
    assert.deepEqual([state, error, retryable, handle.pid], ["failed", "the prompt is empty", false, undefined]);
  });
});

describe("an agent run", () => {
  test("is ok when pi settled, stopped and exited with 0", async () => {
    const pi = start();
    pi.say(answer("Working", { stopReason: "toolUse" }), answer("Done."), SETTLED);
    const { state, error, usage } = await pi.end();
    assert.deepEqual([state, error], ["ok", undefined]);
    assert.deepEqual(usage, {
      inputTokens: 20,
      outputTokens: 4,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      costUsd: 0.2,
      finalText: "Done.",
    });
  });

  const failures: readonly [string, readonly object[], Partial<SpawnOutcome>, string][] = [
    [
      "the provider failed",
      [answer("", { stopReason: "error", errorMessage: "401: no key" }), SETTLED],
      {},
      "the model's provider failed: 401: no key",
    ],
    [
      "the answer is cut",
      [answer("a", { stopReason: "length" }), SETTLED],
      {},
      "the answer was cut off at the limit of the model",
    ],
    [
      "the answer was aborted",
      [answer("a", { stopReason: "aborted" }), SETTLED],
      {},
      "the last answer ended with aborted, not with stop",
    ],
    ["it has not settled", [answer("a")], {}, "pi ended before the agent had settled"],
    ["there is no answer", [SETTLED], {}, "pi ended without an answer"],
    ["there is nothing", [], {}, "pi ended without an answer"],
    ["pi failed after all was done", [answer("a"), SETTLED], { exitCode: 1 }, "pi ended with exit status 1"],
    [
      "pi could not begin",
      [],
      { exitCode: 1, stderr: { text: "warning\nNo model is there\n", sizeBytes: 26, cutBytes: 0 } },
      "pi ended with exit status 1: No model is there",
    ],
    ["pi was killed", [answer("a"), SETTLED], { exitCode: undefined, signal: "SIGKILL" }, "pi ended with SIGKILL"],
  ];
  for (const [name, events, how, error] of failures) {
    test(`has failed when ${name}`, async () => {
      const pi = start();
      pi.say(...events);
      const outcome = await pi.end(how);
      assert.deepEqual([outcome.state, outcome.error, outcome.retryable], ["failed", error, true]);
    });
  }

  test("has failed when its last answer is not as expected", async () => {
    const pi = start({ expect: { pattern: "^All good$" } });
    pi.say(answer("Not so good"), SETTLED);
    assert.equal((await pi.end()).error, 'the output does not match "^All good$"');
  });

  test("has failed when pi is not there, and would again", async () => {
    const error = 'the program "pi" was not found in PATH';
    const outcome = await start().end({ end: "not-started", exitCode: undefined, error });
    assert.deepEqual([outcome.state, outcome.error, outcome.retryable], ["failed", error, false]);
  });

  test("is ended when it costs too much, and has failed", async () => {
    const pi = start({ maxCostUsd: 0.15 });
    pi.say(answer("a", { stopReason: "toolUse" }));
    assert.equal(pi.terminations, 0);
    pi.say(answer("b", { stopReason: "toolUse" }));
    assert.equal(pi.terminations, 1);
    const { state, error, usage, retryable } = await pi.handle.done;
    assert.deepEqual([state, usage!.costUsd, retryable], ["failed", 0.2, false]);
    assert.equal(error, "it has cost $0.2000, more than its limit of $0.15");
  });

  test("may cost what its limit is", async () => {
    const pi = start({ maxCostUsd: 0.1 });
    pi.say(answer("a"), SETTLED);
    assert.equal((await pi.end()).state, "ok");
  });

  test("is ended when something holds pi after all was done, and is ok", async () => {
    const pi = start();
    pi.say(answer("a"), SETTLED);
    pi.clock.advance(4_999);
    assert.equal(pi.terminations, 0);
    pi.clock.advance(1);
    assert.equal(pi.terminations, 1);
    assert.equal((await pi.handle.done).state, "ok");
  });

  test("is not ended while it goes on after it had settled", async () => {
    const pi = start();
    pi.say(answer("a"), SETTLED);
    pi.clock.advance(3_000);
    pi.say({ type: "agent_start" });
    pi.clock.advance(60_000);
    assert.equal(pi.terminations, 0);
    pi.say(answer("b"), SETTLED);
    pi.clock.advance(5_000);
    const { state, usage } = await pi.handle.done;
    assert.deepEqual([pi.terminations, state, usage!.finalText], [1, "ok", "b"]);
  });

  test("has failed when something holds pi after its provider had failed", async () => {
    const pi = start();
    pi.say(answer("", { stopReason: "error", errorMessage: "500: broken" }), SETTLED);
    pi.clock.advance(5_000);
    assert.equal((await pi.handle.done).error, "the model's provider failed: 500: broken");
  });

  test("that takes too long has its state, and is not tried again by itself", async () => {
    const pi = start({}, { timeoutMs: 60_000 });
    pi.say(answer("a", { stopReason: "toolUse" }));
    const { state, error, retryable, usage } = await pi.end({ end: "deadline", exitCode: 143 });
    assert.deepEqual([state, error, retryable], ["timeout", "it was ended after its time limit of 1m", false]);
    assert.equal(usage!.costUsd, 0.1);
  });

  test("that was done before its time limit is ok", async () => {
    const pi = start();
    pi.say(answer("a"), SETTLED);
    assert.equal((await pi.end({ end: "deadline", exitCode: 143 })).state, "ok");
  });

  test("can be cancelled", async () => {
    const pi = start();
    pi.say(answer("a"));
    pi.handle.cancel("replaced");
    const { state, error } = await pi.handle.done;
    assert.deepEqual([state, error], ["cancelled", "a newer run took its place"]);
  });

  test("keeps a transcript, and hides secrets in what it says", async () => {
    const pi = start({}, { redact: (text) => text.replaceAll("s3cret", "***"), outputBytes: 12 });
    const line = JSON.stringify(answer("my s3cret is long")) + "\n";
    assert.equal(pi.options.readStdout!(Buffer.from(line)), "my s3cret is long\n");
    pi.say(SETTLED);
    assert.equal((await pi.end()).usage!.finalText, "my *** is lo…");
  });
});
