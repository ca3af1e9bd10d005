/** What the watchdog must bear with: nobody who reads its last words, work, a process that is stopped, a debugger. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { TIMEOUT_MS, watched } from "../support/watched-process.ts";

describe("the watchdog", () => {
  test("ends it all the same when nobody reads what it writes", async (t) => {
    const script = `
      const { writeSync } = await import("node:fs");
      try { for (;;) writeSync(2, "x".repeat(65536)); } catch (error) { if (error.code !== "EAGAIN") throw error; }
      hang();`;
    const { child, ended } = watched(t, script);
    child.stderr!.pause();
    const [, signal] = (await once(child, "exit")) as [unknown, string];
    assert.equal(signal, "SIGKILL");
    child.stderr!.resume();
    await ended;
  });

  test("lets a process go on that is only busy, and end when it has nothing left to do", async (t) => {
    const script = `
      const endAtMs = performance.now() + ${TIMEOUT_MS * 3};
      const work = () => {
        const untilMs = performance.now() + ${TIMEOUT_MS / 4};
        while (performance.now() < untilMs);
        if (performance.now() < endAtMs) setTimeout(work, 5);
      };
      work();`;
    assert.deepEqual(await watched(t, script).ended, { code: 0, signal: null, log: "" });
  });

  test("does not take a stopped process for one that hangs", async (t) => {
    const { child, ended, isWatched } = watched(t, `setTimeout(() => process.exit(7), ${TIMEOUT_MS * 5});`);
    await isWatched;
    child.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS * 2));
    child.kill("SIGCONT");
    assert.deepEqual(await ended, { code: 7, signal: null, log: "" });
  });

  test("leaves a process alone that a debugger may hold", async (t) => {
    const script = `setTimeout(() => { const endMs = performance.now() + ${TIMEOUT_MS * 3}; while (performance.now() < endMs); process.exit(7); }, 100);`;
    const { code } = await watched(t, script, { execArgv: ["--inspect=127.0.0.1:0"] }).ended;
    assert.equal(code, 7);
  });
});
