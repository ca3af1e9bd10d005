import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, test, type TestContext } from "node:test";
import { endProcess } from "../../src/system/end-process.ts";
import { processStartTime } from "../../src/system/process-identity.ts";

/** A child that has installed its signal handlers. */
async function startChild(t: TestContext, script: string) {
  const words = ["-e", `${script}; console.log("up"); setInterval(() => {}, 1e6);`];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => void child.kill("SIGKILL"));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const ended = new Promise<string>((resolve) => child.once("exit", (code, signal) => resolve(signal ?? String(code))));
  return { target: { pid: child.pid!, startTime: processStartTime(child.pid!)! }, ended };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("ending a process", () => {
  test("that ends when it is asked", async (t) => {
    const { target, ended } = await startChild(t, `process.on("SIGTERM", () => process.exit(4))`);
    assert.equal(await endProcess(target, { graceMs: 60_000, pause }), "ended");
    assert.equal(await ended, "4");
  });
  test("that does not care is killed after its time", async (t) => {
    const { target, ended } = await startChild(t, `process.on("SIGTERM", () => {})`);
    assert.equal(await endProcess(target, { graceMs: 100, pause }), "killed");
    assert.equal(await ended, "SIGKILL");
  });
  test("that has gone does nothing", async () => {
    assert.equal(await endProcess({ pid: process.pid, startTime: "another" }, { graceMs: 100, pause }), "ended");
  });
  test("whose number another process has now leaves that one alone", async (t) => {
    const { target } = await startChild(t, "");
    assert.equal(await endProcess({ ...target, startTime: target.startTime + "0" }, { graceMs: 100, pause }), "ended");
    process.kill(target.pid, 0);
  });
});
