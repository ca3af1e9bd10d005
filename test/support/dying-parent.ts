/** Starts a line of shell (first argument) as a run (second), says which process that is, and waits to be killed. */
import { systemClock } from "../../src/system/clock.ts";
import { createSpawn } from "../../src/system/spawn.ts";

const [line = "", runId = ""] = process.argv.slice(2);
const { pid, startTime } = createSpawn({ clock: systemClock })({
  argv: ["/bin/sh", "-c", line],
  cwd: "/",
  env: { PATH: process.env["PATH"]! },
  runId,
  graceMs: 1_000,
  outputBytes: 1_024,
  readStdout(chunk) {
    // What the line prints first is that it is ready.
    process.stdout.write(JSON.stringify({ runId, pid, startTime }) + "\n");
    return new TextDecoder().decode(chunk);
  },
});
