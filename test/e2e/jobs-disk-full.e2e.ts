/** Jobs on a disk that is full: nothing runs that is not written down, and what ended meanwhile is written later. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createClient, type RunShown } from "../../src/client.ts";
import { mountMissing, tmpfs } from "../support/mount.ts";
import { startProgram, writeProgramConfig } from "../support/program.ts";
import { until } from "../support/tally.ts";
import { tempDir } from "../support/temp-dir.ts";

const SIZE_BYTES = 2 << 20;

test("a disk that fills up while a run goes on and slots are due", { skip: mountMissing("tmpfs") }, async (t) => {
  const disk = tmpfs(t, SIZE_BYTES);
  const directory = tempDir(t);
  const [ticks, release, dataDir] = [join(directory, "ticks"), join(directory, "go"), join(disk, "data")];
  const jobs = [
    { name: "tick", schedule: "@every 1s", shell: `echo "run $PI_DAEMON_RUN" >> ${ticks}`, keepRuns: 1000 },
    { name: "long", shell: `echo begun; while ! test -e ${release}; do sleep 0.1; done; echo ended` },
  ];
  const configPath = writeProgramConfig(join(directory, "config.json"), { dataDir, jobs: { jobs } });
  const daemon = await startProgram(t, configPath);
  const client = createClient({ socketPath: join(dataDir, "daemon.sock") });
  const runsOf = async (name: string): Promise<RunShown[]> =>
    (await client.json<{ runs: RunShown[] }>("GET", `/api/jobs/${name}/runs?limit=1000`)).runs;
  const ran = (): string[] => (existsSync(ticks) ? readFileSync(ticks, "utf8").trim().split("\n") : []);

  await client.json("POST", "/api/jobs/long/run");
  await until(() => ran().length >= 2);
  const filler = join(disk, "filler");
  assert.throws(() => writeFileSync(filler, Buffer.alloc(SIZE_BYTES + 1)), /ENOSPC/);
  await until(async () => (await client.call("POST", "/api/jobs/tick/run")).status === 503);
  writeFileSync(release, "");
  await until(async () => (await client.health()).status === "degraded");
  // Long enough for several slots, and for the end of the long run. A few rows get through now and then.
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  const before = ran().length;

  rmSync(filler);
  await until(async () => (await client.health()).status === "ok");
  await until(async () => (await runsOf("long"))[0]!.state === "ok");
  assert.equal((await runsOf("long"))[0]!.stdout, undefined, "lists hold no output");
  await until(() => ran().length >= before + 2);
  assert.equal((await daemon.end("SIGTERM")).code, 0);

  await startProgram(t, configPath);
  const rows = await runsOf("tick");
  const recorded = rows.filter(({ state }) => state === "ok").map(({ id }) => `run ${id}`);
  assert.deepEqual(recorded.sort(), ran().sort(), "each run has its row, each row its run");
  const missed = rows.filter(({ state }) => state === "missed");
  assert.ok(
    missed.some(({ reason }) => reason === "what was due could not be written down"),
    JSON.stringify(rows),
  );
});
