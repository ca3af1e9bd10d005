/** Ages and requestIds in a daemon that is restarted, while the wall clock jumps a day either way. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startTestDaemon, type TestDaemon } from "../support/daemon.ts";
import { fakeClock, type FakeClock } from "../support/fake-clock.ts";
import { tempDir } from "../support/temp-dir.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const batch = { requestId: "one", metrics: [{ name: "a_total", type: "counter" }] };
async function sendBatch(daemon: TestDaemon): Promise<number> {
  return (await daemon.post("/api/metrics/batch", batch)).status;
}

/** Another life of the daemon, as after a reboot: its monotonic clock starts from 0, its wall clock somewhere else. */
function clockAfter(previous: FakeClock, jumpMs: number): FakeClock {
  return fakeClock(previous.wallMs() + jumpMs);
}

for (const [title, jumpMs] of [
  ["as it was", 0],
  ["a day ahead", DAY_MS],
  ["a day back", -DAY_MS],
] as const) {
  describe(`restarted with the wall clock ${title}`, () => {
    test("a requestId is known for 5 minutes of running time, and no longer", async (t) => {
      const dataDir = tempDir(t);
      const first = fakeClock();
      const before = await startTestDaemon(t, { dataDir, clock: first });
      assert.equal(await sendBatch(before), 200);
      first.advance(3 * MINUTE_MS);
      await before.stop();

      const second = clockAfter(first, jumpMs);
      const daemon = await startTestDaemon(t, { dataDir, clock: second });
      second.stepWall(-jumpMs);
      second.advance(2 * MINUTE_MS - 1);
      assert.equal(await sendBatch(daemon), 409);
      second.stepWall(jumpMs);
      assert.equal(await sendBatch(daemon), 409);
      second.advance(1);
      assert.equal(await sendBatch(daemon), 200);
      assert.match(await daemon.clientMetrics(), /^a_total 2$/m);
    });

    test("a series goes after 60 minutes of running time without an update, and no sooner", async (t) => {
      const dataDir = tempDir(t);
      let clock = fakeClock();
      let daemon = await startTestDaemon(t, { dataDir, clock });
      await daemon.post("/api/metrics", { name: "a_total", type: "counter" });
      for (let restart = 0; restart < 4; restart++) {
        clock.advance(14 * MINUTE_MS);
        await daemon.stop();
        clock = clockAfter(clock, jumpMs);
        daemon = await startTestDaemon(t, { dataDir, clock });
      }
      clock.stepWall(jumpMs);
      clock.advance(3 * MINUTE_MS);
      assert.match(await daemon.clientMetrics(), /^a_total 1$/m);
      clock.advance(2 * MINUTE_MS);
      assert.equal(await daemon.clientMetrics(), "");
      await daemon.stop();
      daemon = await startTestDaemon(t, { dataDir, clock: clockAfter(clock, jumpMs) });
      assert.equal(await daemon.clientMetrics(), "");
    });
  });
}
