/** The context of a run in tests: the real services, an environment with nothing in it but PATH and HOME. */
import type { RunContext } from "../../src/plugins/jobs/run.ts";
import { systemClock as clock } from "../../src/system/clock.ts";
import { createFetch } from "../../src/system/fetch.ts";
import { matchPattern } from "../../src/system/match-pattern.ts";
import { createSpawn } from "../../src/system/spawn.ts";
import { nextRunId } from "./spawn.ts";

export function runContext(given: Partial<RunContext> = {}): RunContext {
  return {
    runId: nextRunId(),
    env: { PATH: process.env["PATH"]!, HOME: "/" },
    timeoutMs: 20_000,
    graceMs: 2_000,
    outputBytes: 65_536,
    services: { clock, spawn: createSpawn({ clock }), fetch: createFetch({ clock }), matchPattern },
    ...given,
  };
}
