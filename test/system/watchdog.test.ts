import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { watchdogLimit } from "../../src/system/watchdog.ts";
import { tempDir } from "../support/temp-dir.ts";
import { watched } from "../support/watched-process.ts";

describe("startWatchdog", { concurrency: true }, () => {
  test("ends a process whose loop hangs, with a last line in the log", async (t) => {
    const { ended, child } = watched(t, "setTimeout(hang, 50);");
    const { code, signal, log } = await ended;
    assert.deepEqual([code, signal], [null, "SIGKILL"]);
    const { time, level, message, pid } = JSON.parse(log) as Record<string, unknown>;
    assert.deepEqual([level, pid], ["error", child.pid]);
    assert.match(String(message), /^the event loop has stood still for 600 ms/);
    assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000, String(time));
  });

  test("writes to the file of the log, where there is one", async (t) => {
    const logFile = join(tempDir(t), "daemon.log");
    const { signal, log } = await watched(t, "hang();", { logFile }).ended;
    assert.deepEqual([signal, log], ["SIGKILL", ""]);
    assert.match(readFileSync(logFile, "utf8"), /^\{"time":"2.*stood still.*\}\n$/);
  });
});

describe("watchdogLimit", () => {
  const own = String(process.pid);
  const LIMITS: readonly (readonly [string, number | null, Record<string, string>, number])[] = [
    ["nothing set, by hand", null, {}, 0],
    ["nothing set, in a shell that systemd started", null, { SYSTEMD_EXEC_PID: "1" }, 0],
    ["nothing set, as a systemd service", null, { SYSTEMD_EXEC_PID: own }, 60_000],
    ["nothing set, under launchd", null, { XPC_SERVICE_NAME: "com.pi-daemon" }, 60_000],
    ["nothing set, in a terminal of macOS", null, { XPC_SERVICE_NAME: "0" }, 0],
    ["set, by hand", 5000, {}, 5000],
    ["off in a service", 0, { SYSTEMD_EXEC_PID: own }, 0],
  ];
  for (const [title, setMs, env, expected] of LIMITS) {
    test(title, () => assert.equal(watchdogLimit(setMs, env), expected));
  }
});
