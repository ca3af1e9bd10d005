import { test } from "node:test";
import { runCrashRounds } from "../support/crash-rounds.ts";
import { seededRandom } from "../support/random.ts";

test("kill -9 under load: nothing acknowledged is lost, nothing counted twice (2 rounds; 20 and more in test/e2e)", async (t) => {
  await runCrashRounds(t, { random: seededRandom(1), rounds: 2, storage: { maxJournalBytes: 65_536 } });
});
