/**
 * Ten thousand jobs: how late they begin that are all due in one second, with every row on disk before its run begins;
 * and what they cost while nothing is due. The runner starts nothing, so that only the scheduler, the history and the
 * store are measured.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { validate } from "../../src/core/validate.ts";
import { jobsSchema } from "../../src/plugins/jobs/config.ts";
import { type Engine, startEngine } from "../../src/plugins/jobs/engine.ts";
import { systemClock } from "../../src/system/clock.ts";
import { openStore } from "../../src/system/store.ts";
import { fakeRunner } from "../support/fake-runner.ts";
import { testServices } from "../support/services.ts";
import { silentLog } from "../support/silent-log.ts";
import { median, printTable } from "./support/measure.ts";

const JOBS = 10_000;
/** Longer than all of them take to begin: programs that end at once would only measure how runs end. */
const RUN_MS = 1_000;
const ROUNDS = Number(process.env["R"] ?? 5);
const IDLE_SECONDS = Number(process.env["I"] ?? 20);

interface Stand {
  readonly engine: Engine;
  readonly setUpMs: number;
  /** How late each was handed to the dispatcher, and how late its run began, in milliseconds after its slot. */
  readonly handedMs: number[];
  readonly delaysMs: number[];
  /** CPU from when the first began to when the last did. */
  cpuMs(): number;
  end(): Promise<void>;
}

export async function start(scheduleOf: (index: number) => string): Promise<Stand> {
  const directory = mkdtempSync(join(tmpdir(), "pi-daemon-bench-"));
  const handedMs: number[] = [];
  const delaysMs: number[] = [];
  const runner = fakeRunner(systemClock);
  runner.takesMs = RUN_MS;
  const startRun = runner.startRun.bind(runner);
  let first: NodeJS.CpuUsage | undefined;
  let cpuMs = 0;
  runner.startRun = (spec, context) => {
    first ??= process.cpuUsage();
    if (delaysMs.length === JOBS - 1) cpuMs = totalMs(process.cpuUsage(first));
    delaysMs.push(Date.now() - Date.parse(context.env["PI_DAEMON_SLOT"]!));
    return startRun(spec, context);
  };
  const services = testServices({
    clock: systemClock,
    endOrphans: async () => ({ ended: [], left: [] }),
    openStore: (name, definition) =>
      openStore(
        { clock: systemClock, log: silentLog },
        {
          directory,
          name,
          settings: () => ({ durability: "async", maxJournalBytes: 67_108_864 }),
          onCorruption: () => undefined,
          onHealth: () => undefined,
        },
        definition,
      ),
  });
  const jobs = Array.from({ length: JOBS }, (_, index) => ({
    name: `job-${index}`,
    schedule: scheduleOf(index),
    command: ["true"],
  }));
  const config = validate(jobsSchema, { jobs, maxConcurrent: JOBS });
  if (!config.ok) throw new Error(JSON.stringify(config.issues));
  const startMs = performance.now();
  const engine = await startEngine(services, config.value, {
    runner,
    random: Math.random,
    systemZone: () => "Europe/Berlin",
  });
  const submit = engine.dispatcher.submit.bind(engine.dispatcher);
  engine.dispatcher.submit = (submission) => {
    handedMs.push(Date.now() - submission.slotMs!);
    return submit(submission);
  };
  return {
    engine,
    handedMs,
    delaysMs,
    cpuMs: () => cpuMs,
    setUpMs: performance.now() - startMs,
    async end() {
      await engine.stop();
      rmSync(directory, { recursive: true });
    },
  };
}

interface Burst {
  readonly handed: number;
  readonly last: number;
  readonly cpuMs: number;
  readonly setUpMs: number;
}

async function measureBurst(): Promise<Burst> {
  const slot = new Date(Math.ceil(Date.now() / 1000) * 1000 + 4_000).toISOString();
  const stand = await start(() => `@at ${slot}`);
  while (stand.delaysMs.length < JOBS) await pause(20);
  await pause(RUN_MS + 500);
  const { handedMs, delaysMs, setUpMs } = stand;
  await stand.end();
  return { handed: Math.max(...handedMs), last: Math.max(...delaysMs), cpuMs: stand.cpuMs(), setUpMs };
}

async function measureIdle(): Promise<number> {
  const stand = await start((index) => `${index % 60} ${index % 24} * * ${index % 7}`);
  await pause(2_000);
  const before = process.cpuUsage();
  await pause(IDLE_SECONDS * 1000);
  const cpuMs = totalMs(process.cpuUsage(before));
  await stand.end();
  return cpuMs * (60 / IDLE_SECONDS);
}

function totalMs({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}

export async function bench(): Promise<void> {
  const bursts = [];
  for (let round = 0; round < ROUNDS; round++) bursts.push(await measureBurst());
  const rows = bursts.map(({ handed, last, cpuMs, setUpMs }, round) => ({
    round: round + 1,
    "last dispatched late by, ms": handed,
    "last begun late by, ms": last,
    "CPU until then, ms": cpuMs,
    "set up, ms": setUpMs,
  }));
  printTable(`${JOBS} jobs due in one second`, rows);
  const handed = median(bursts.map((burst) => burst.handed));
  console.log(`the last is dispatched ${handed} ms late (median of ${ROUNDS} rounds); at most 100 is asked`);
  console.log(`idle, ${JOBS} schedules: ${(await measureIdle()).toFixed(0)} ms of CPU a minute; at most 50 is asked`);
}
