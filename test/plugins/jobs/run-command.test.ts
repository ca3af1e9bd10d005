import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { CommandSpec, RunContext, RunOutcome } from "../../../src/plugins/jobs/run.ts";
import { runCommand } from "../../../src/plugins/jobs/run-command.ts";
import { startPrecheck, startRun } from "../../../src/plugins/jobs/start-run.ts";
import { runContext } from "../../support/run-context.ts";
import { linesOf, processesOf, startShell } from "../../support/spawn.ts";
import { tempDir } from "../../support/temp-dir.ts";

describe("a command", () => {
  const rows: readonly [string, CommandSpec, Partial<RunContext>, Partial<RunOutcome>][] = [
    ["that is good", { command: ["true"] }, {}, { state: "ok", exitCode: 0, error: undefined, retryable: false }],
    ["that fails", { shell: "exit 7" }, {}, { state: "failed", exitCode: 7, error: "exit status 7", retryable: true }],
    ["that may fail", { shell: "exit 7", expect: { exitCodes: [7] } }, {}, { state: "ok", exitCode: 7 }],
    [
      "that says nothing of what it did",
      { shell: "echo none", expect: { pattern: "^done" } },
      {},
      { state: "failed", exitCode: 0, error: 'the output does not match "^done"' },
    ],
    [
      "that somebody else ended",
      { shell: "kill -9 $$" },
      {},
      {
        state: "failed",
        signal: "SIGKILL",
        error: "it was ended by SIGKILL, which the daemon did not send",
      },
    ],
    [
      "that takes too long",
      { shell: "sleep 300" },
      { timeoutMs: 100 },
      {
        state: "timeout",
        signal: "SIGTERM",
        error: "it was ended after its time limit of 100ms",
        retryable: true,
      },
    ],
    [
      "that is not there",
      { command: ["nope-x"] },
      {},
      {
        state: "failed",
        exitCode: undefined,
        error: 'the program "nope-x" was not found in PATH',
        retryable: false,
      },
    ],
    ["without arguments for the shell", { command: ["echo", "$HOME"] }, {}, { state: "ok" }],
    [
      "with a secret",
      { command: ["/no/s3cret"] },
      { redact: (text) => text.replaceAll("s3cret", "***") },
      {
        error: 'the program "/no/***" does not exist, or its interpreter does not',
      },
    ],
    [
      "that leaves something behind",
      { shell: "sleep 300 & exit 0" },
      {},
      {
        state: "ok",
        note: "processes that it had left running were ended",
      },
    ],
  ];
  for (const [name, spec, context, expected] of rows) {
    test(name, async () => {
      const outcome = await runCommand(spec, runContext(context)).done;
      const seen = Object.fromEntries(Object.keys(expected).map((key) => [key, outcome[key as keyof RunOutcome]]));
      assert.deepEqual(seen, expected);
    });
  }

  test("runs at home, or where it was told to, with its own environment alone", async (t) => {
    const home = tempDir(t);
    const env = { PATH: process.env["PATH"]!, HOME: home, GREETING: "hello" };
    const context = runContext({ env });
    const spec = { shell: 'pwd -P; echo "$GREETING $PI_DAEMON_RUN_ID"; cat; env | wc -l', stdin: "input\n" };
    assert.equal((await runCommand(spec, context).done).stdout.text, `${home}\nhello ${context.runId}\ninput\n5\n`);
    assert.equal((await runCommand({ command: ["pwd", "-P"], cwd: "/" }, context).done).stdout.text, "/\n");
  });

  test("says at once which process it is, and writes its log", async (t) => {
    const path = join(tempDir(t), "run.log");
    const context = runContext({ logFile: { path, maxBytes: 10_000 } });
    const handle = startRun({ kind: "command", shell: "echo a; echo b >&2; sleep 0.3" }, context);
    assert.ok(handle.pid! > 1);
    assert.match(handle.startTime!, /^\S+@/);
    await handle.done;
    assert.match(readFileSync(path, "utf8"), /^\S+Z out a\n|Z err b\n/);
  });

  const sentences = {
    cancelled: "it was cancelled",
    replaced: "a newer run took its place",
    shutdown: "the daemon stopped",
  } as const;
  for (const [reason, error] of Object.entries(sentences)) {
    test(`that is ended because of: ${reason}`, async (t) => {
      const context = runContext();
      const handle = runCommand({ shell: "sleep 300 & sleep 300" }, context);
      handle.cancel(reason as keyof typeof sentences);
      const outcome = await handle.done;
      assert.deepEqual([outcome.state, outcome.error, outcome.retryable], ["cancelled", error, false]);
      assert.deepEqual(processesOf(context.runId), []);
      handle.cancel("cancelled");
      t.after(() => handle.cancel("cancelled"));
    });
  }

  test("that is cancelled and ends well before the signal comes is ok", async (t) => {
    const { lines, readStdout } = linesOf(1);
    const { spawn } = runContext().services;
    // As if the program ended just when it was cancelled: the signal goes to another one.
    const decoy = startShell(t, "echo; sleep 300", { readStdout });
    await lines;
    const context = runContext({
      services: { ...runContext().services, spawn: (options) => ({ ...spawn(options), terminate: decoy.terminate }) },
    });
    const handle = runCommand({ command: ["true"] }, context);
    handle.cancel("cancelled");
    assert.equal((await handle.done).state, "ok");
  });
});

describe("a precheck", () => {
  const rows: readonly [string, CommandSpec, Partial<RunContext>, string, string | undefined][] = [
    ["0 runs", { shell: "exit 0" }, {}, "run", undefined],
    ["10 skips", { shell: "exit 10" }, {}, "skip", undefined],
    ["another status is an error", { shell: "exit 1" }, {}, "error", "the precheck failed: exit status 1"],
    ["expectations are the job's, not its own", { shell: "exit 0", expect: { exitCodes: [5] } }, {}, "run", undefined],
    [
      "a signal is an error",
      { shell: "kill -9 $$" },
      {},
      "error",
      "the precheck failed: it was ended by SIGKILL, which the daemon did not send",
    ],
    [
      "too long is an error",
      { shell: "sleep 300" },
      { timeoutMs: 80 },
      "error",
      "the precheck failed: it was ended after its time limit of 80ms",
    ],
    [
      "a missing program is an error",
      { command: ["nope-x"] },
      {},
      "error",
      'the precheck failed: the program "nope-x" was not found in PATH',
    ],
  ];
  for (const [name, spec, context, decision, error] of rows) {
    test(name, async () => {
      const outcome = await startPrecheck(spec, runContext(context)).done;
      assert.deepEqual([outcome.decision, "error" in outcome ? outcome.error : undefined], [decision, error]);
    });
  }
});
