import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { type BackgroundOptions, startInBackground } from "../../src/system/background.ts";
import { systemClock } from "../../src/system/clock.ts";
import { tempDir } from "../support/temp-dir.ts";

function optionsFor(t: TestContext, more: Partial<BackgroundOptions> = {}): BackgroundOptions {
  const directory = tempDir(t);
  const outputPath = join(directory, "logs", "out");
  return { clock: systemClock, outputPath, workingDirectory: directory, env: process.env, timeoutMs: 60_000, ...more };
}

const node = (script: string): string[] => [process.execPath, "-e", script];

describe("a process in the background", () => {
  test("that says it is ready is let go, and lives on in a session of its own", async (t) => {
    const script = "process.send({ cwd: process.cwd() }); process.disconnect(); setInterval(() => {}, 1e6);";
    const options = optionsFor(t);
    const outcome = await startInBackground(node(script), options);
    assert.equal(outcome.state, "ready");
    const { pid, message } = outcome as Extract<typeof outcome, { state: "ready" }>;
    t.after(() => process.kill(pid, "SIGKILL"));
    assert.deepEqual(message, { cwd: options.workingDirectory });
    process.kill(-pid, 0);
  });

  test("that ends before it is ready is told with its exit code and what it printed", async (t) => {
    const options = optionsFor(t);
    const script = `console.error("oh"); console.log("dear"); process.exitCode = 9;`;
    const outcome = await startInBackground(node(script), options);
    assert.deepEqual(outcome, { state: "ended", code: 9, signal: undefined });
    assert.equal(readFileSync(options.outputPath, "utf8"), "oh\ndear\n");
    assert.equal(statSync(options.outputPath).mode & 0o777, 0o600);
  });

  test("that a job starts is no part of the job's run", async (t) => {
    const env = { ...process.env, PI_DAEMON_RUN_ID: "run-1", KEPT: "yes" };
    const script = `console.log(process.env.KEPT, "PI_DAEMON_RUN_ID" in process.env)`;
    const options = optionsFor(t, { env });
    await startInBackground(node(script), options);
    assert.equal(readFileSync(options.outputPath, "utf8"), "yes false\n");
  });

  test("that ends by a signal", async (t) => {
    const outcome = await startInBackground(node(`process.kill(process.pid, "SIGKILL")`), optionsFor(t));
    assert.deepEqual(outcome, { state: "ended", code: undefined, signal: "SIGKILL" });
  });

  test("that says nothing in time is left to itself", async (t) => {
    const outcome = await startInBackground(node("setInterval(() => {}, 1e6)"), optionsFor(t, { timeoutMs: 1 }));
    assert.equal(outcome.state, "silent");
    process.kill((outcome as Extract<typeof outcome, { state: "silent" }>).pid, "SIGKILL");
  });

  test("whose output has nowhere to go", async (t) => {
    const options = optionsFor(t, { outputPath: "/dev/null/log" });
    await assert.rejects(startInBackground(node(""), options), { message: /^Cannot write to \/dev\/null\/log: E/ });
  });

  test("whose program is not there", async (t) => {
    const message = /^Cannot start \/no\/such\/program: .*ENOENT/;
    await assert.rejects(startInBackground(["/no/such/program"], optionsFor(t)), { message });
  });
});
