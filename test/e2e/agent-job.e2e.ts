/** Agent jobs, by the real pi, against a model that says what a test wants. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import type { AgentSpec, RunContext, RunHandle, RunOutcome } from "../../src/plugins/jobs/run.ts";
import { runAgent } from "../../src/plugins/jobs/run-agent.ts";
import { type FakeLlm, startFakeLlm } from "../support/fake-llm.ts";
import { makePiHome, type PiHome } from "../support/pi-agent.ts";
import { installPi } from "../support/pi-install.ts";
import { runContext } from "../support/run-context.ts";
import { processesOf } from "../support/spawn.ts";

const install = installPi();
const skip = typeof install === "string" && install;

interface Stage {
  readonly llm: FakeLlm;
  readonly home: PiHome;
  readonly context: RunContext;
  start(spec?: Partial<AgentSpec>, given?: Partial<RunContext>): RunHandle;
  run(spec?: Partial<AgentSpec>, given?: Partial<RunContext>): Promise<RunOutcome>;
}

async function setStage(t: TestContext): Promise<Stage> {
  assert.ok(typeof install !== "string");
  const llm = await startFakeLlm();
  t.after(() => llm.close());
  const home = makePiHome(t, install, llm.url);
  const context = runContext({ env: home.env, timeoutMs: 60_000, graceMs: 5_000 });
  const usual: AgentSpec = {
    prompt: "Look around",
    model: "fake/m",
    cwd: home.cwd,
    name: "job nightly",
    sessionDir: join(home.home, "sessions"),
    program: [process.execPath, install.cli],
  };
  const start: Stage["start"] = (spec, given) => {
    const handle = runAgent({ ...usual, ...spec }, { ...context, ...given });
    t.after(() => handle.cancel("shutdown"));
    return handle;
  };
  return { llm, home, context, start, run: (spec, given) => start(spec, given).done };
}

/** What was asked, as text. */
function asked(llm: FakeLlm, number: number): string {
  return JSON.stringify(llm.requests[number - 1]?.messages.filter(({ role }) => role === "user"));
}

/** An answer that starts a shell, and tells when the shell runs. */
function runShell(llm: FakeLlm, home: PiHome, command: string): Promise<void> {
  const flag = join(home.home, "shell-runs");
  const toolCalls = [{ name: "bash", args: { command: `touch ${flag}; ${command}` } }];
  llm.reply = ({ number }) => (number === 1 ? { toolCalls } : {});
  return new Promise((resolve) => {
    const look = setInterval(() => {
      if (!readdirSync(home.home).includes("shell-runs")) return;
      clearInterval(look);
      resolve();
    }, 50);
  });
}

function writeExtension(home: PiHome, code: string): void {
  const folder = join(home.home, ".pi/agent/extensions");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "odd.ts"), `export default function (pi) { ${code} }`);
}

describe("an agent job", { skip, timeout: 300_000 }, () => {
  test("that goes well", async (t) => {
    const { llm, run, home, context } = await setStage(t);
    llm.reply = ({ number }) =>
      number === 1
        ? { text: "I look.", toolCalls: [{ name: "bash", args: { command: "echo found it" } }] }
        : { text: "All is well.", usage: { prompt: 1_000, completion: 100, cached: 400 } };
    const logFile = { path: join(home.home, "run.log"), maxBytes: 100_000 };
    const { state, error, exitCode, usage, stdout } = await run({ expect: { pattern: "well\\.$" } }, { logFile });
    assert.deepEqual([state, error, exitCode], ["ok", undefined, 0]);
    const { costUsd, ...tokens } = usage!;
    assert.deepEqual(tokens, {
      inputTokens: 700,
      outputTokens: 110,
      cacheReadTokens: 400,
      cacheWriteTokens: 0,
      finalText: "All is well.",
    });
    assert.ok(Math.abs(costUsd - (700 * 3 + 110 * 15 + 400 * 0.3) / 1e6) < 1e-9, `it has cost ${costUsd}`);
    assert.equal(stdout.text, 'I look.\n[tool] bash {"command":"echo found it"}\nAll is well.\n');
    assert.match(readFileSync(logFile.path, "utf8"), /Z out I look\.\n.*\n\S+Z out All is well\.\n$/);
    assert.deepEqual(processesOf(context.runId), []);
  });

  test("begins anew, or goes on where it was", async (t) => {
    const { llm, run, home } = await setStage(t);
    await run({ prompt: "first question", session: "kept" });
    await run({ prompt: "second question", session: "kept" });
    await run({ prompt: "third question" });
    assert.match(asked(llm, 1), /first question/);
    assert.match(asked(llm, 2), /first question.*second question/);
    assert.match(asked(llm, 3), /third question/);
    assert.doesNotMatch(asked(llm, 3), /first question|second question/);
    const files = readdirSync(join(home.home, "sessions"), { recursive: true }).map(String);
    assert.equal(files.filter((name) => name.endsWith(".jsonl")).length, 2);
  });

  for (const prompt of ["--help", "-p", "@/etc/hostname", "$(id) `id`", "zwei\nZeilen \u2028 €"]) {
    test(`takes the prompt ${JSON.stringify(prompt)} as it is`, async (t) => {
      const { llm, run } = await setStage(t);
      assert.equal((await run({ prompt })).state, "ok");
      assert.ok(asked(llm, 1).includes(JSON.stringify(prompt).slice(1, -1)), asked(llm, 1));
    });
  }

  test("uses the tools it was given alone", async (t) => {
    const { llm, run } = await setStage(t);
    const toolCalls = [{ name: "bash", args: { command: "echo x" } }];
    llm.reply = ({ number }) => (number === 1 ? { toolCalls } : { text: "no shell" });
    const { state, stdout } = await run({ tools: ["read"] });
    assert.equal(state, "ok");
    assert.match(stdout.text, /\[tool\] bash failed/);
  });

  test("whose provider fails has failed, though pi exits with 0", async (t) => {
    const { llm, run } = await setStage(t);
    llm.reply = () => ({ status: 400, error: "bad weather" });
    const { state, error, exitCode } = await run();
    assert.deepEqual([state, exitCode], ["failed", 0]);
    assert.match(error!, /^the model's provider failed: .*400.*bad weather/s);
  });

  test("whose model is not there has failed", async (t) => {
    const { run } = await setStage(t);
    const { state, error } = await run({ model: "nobody/none-such" });
    assert.equal(state, "failed");
    assert.match(error!, /^pi ended with exit status 1: .*none-such.* not found/);
  });

  test("is ended when it has cost too much", async (t) => {
    const { llm, run, context } = await setStage(t);
    const toolCalls = [{ name: "bash", args: { command: "sleep 300" } }];
    llm.reply = () => ({ toolCalls, usage: { prompt: 100_000, completion: 100 } });
    const { state, error, usage } = await run({ maxCostUsd: 0.05 });
    assert.deepEqual([state, error], ["failed", "it has cost $0.3015, more than its limit of $0.05"]);
    assert.ok(usage!.costUsd > 0.3);
    assert.deepEqual(processesOf(context.runId), []);
  });

  test("is ok though an extension would hold pi for ever", async (t) => {
    const { run, home, context } = await setStage(t);
    writeExtension(home, "setInterval(() => undefined, 1000);");
    const { state, error, usage } = await run();
    assert.deepEqual([state, error, usage!.finalText], ["ok", undefined, "fine"]);
    assert.deepEqual(processesOf(context.runId), []);
  });

  test("has failed when an extension kills pi", async (t) => {
    const { run, home } = await setStage(t);
    writeExtension(home, 'pi.on("agent_settled", () => setTimeout(() => { throw new Error("odd"); }, 0));');
    const { state, error } = await run();
    assert.equal(state, "failed");
    assert.match(error!, /^pi ended with exit status 1/);
  });

  test("leaves no process when it takes too long, with shells running", async (t) => {
    const { llm, run, home, context } = await setStage(t);
    const runs = runShell(llm, home, "setsid sleep 300 & sleep 300 & sleep 300");
    const outcome = run({}, { timeoutMs: 12_000 });
    await runs;
    assert.ok(processesOf(context.runId).length >= 4, "pi and its shells are there");
    const { state, error } = await outcome;
    assert.deepEqual([state, error], ["timeout", "it was ended after its time limit of 12s"]);
    assert.deepEqual(processesOf(context.runId), []);
  });

  test("leaves no process when it is cancelled and pi does not listen", async (t) => {
    const { llm, start, home, context } = await setStage(t);
    writeExtension(home, 'pi.on("session_shutdown", () => new Promise(() => setInterval(() => undefined, 1000)));');
    const runs = runShell(llm, home, "setsid sleep 300 & sleep 300");
    const handle = start({}, { graceMs: 500 });
    await runs;
    handle.cancel("cancelled");
    const { state, signal } = await handle.done;
    assert.deepEqual([state, signal], ["cancelled", "SIGKILL"]);
    assert.deepEqual(processesOf(context.runId), []);
  });
});
