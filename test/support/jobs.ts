/**
 * The engine of the jobs plugin on a fake clock, with runs that a test controls and a store that can be opened again.
 */
import assert from "node:assert/strict";
import { validate } from "../../src/core/validate.ts";
import { jobsSchema } from "../../src/plugins/jobs/config.ts";
import { type Engine, startEngine } from "../../src/plugins/jobs/engine.ts";
import { historyStore, type JobsEvent, type JobsState } from "../../src/plugins/jobs/history.ts";
import type { RunRow } from "../../src/plugins/jobs/run-row.ts";
import type { Events, Services } from "../../src/plugins/plugin.ts";
import { type FakeClock, fakeClock } from "./fake-clock.ts";
import { type FakeRunner, fakeRunner } from "./fake-runner.ts";
import { type MemoryStore, memoryStore } from "./memory-store.ts";
import { type RecordingLog, recordingLog } from "./recording-log.ts";
import { testServices } from "./services.ts";

export interface TestJobs {
  readonly engine: Engine;
  readonly clock: FakeClock;
  readonly runner: FakeRunner;
  readonly store: MemoryStore<JobsState, JobsEvent>;
  readonly services: Services;
  readonly log: RecordingLog;
  /** Names of events that were emitted, with the job. */
  readonly heard: string[];
  /** The rows of a job, oldest first. */
  rows(job?: string): readonly RunRow[];
  /** The same in short: `ok schedule 00:01:00`. */
  history(job?: string): string[];
  /** Lets time pass, by steps of at most `stepMs`, with all that follows from it. */
  pass(ms: number, stepMs?: number): Promise<void>;
  /** As `pass`, up to a time of the day that is written `00:05:30`. */
  passTo(time: string): Promise<void>;
  follow(config: unknown): Promise<void>;
  /** A new daemon on what this one has written, after `ms`; this one is as dead as after kill -9. */
  restart(options?: { afterMs?: number; config?: unknown }): Promise<TestJobs>;
}

export interface TestJobsOptions {
  readonly config?: unknown;
  readonly startMs?: number;
  readonly services?: Partial<Services>;
  readonly state?: JobsState;
  readonly clock?: FakeClock;
  /** Called with the runner before anything runs. */
  readonly prepare?: (runner: FakeRunner) => void;
}

/** Midnight in UTC, the zone of all that names none. */
export const MIDNIGHT = Date.UTC(2026, 2, 10);

export function jobsConfig(config: unknown) {
  const checked = validate(jobsSchema, config);
  assert.ok(checked.ok, JSON.stringify(checked));
  return checked.value;
}

/** A job of the config that runs something. */
export function job(name: string, rest: Record<string, unknown> = {}): Record<string, unknown> {
  return { name, command: ["true"], ...rest };
}

export async function startTestJobs(options: TestJobsOptions = {}): Promise<TestJobs> {
  const clock = options.clock ?? fakeClock(options.startMs ?? MIDNIGHT);
  const runner = fakeRunner(clock);
  options.prepare?.(runner);
  const log = recordingLog();
  const store = memoryStore({
    ...historyStore,
    initial: () => (options.state === undefined ? historyStore.initial() : copyOf(options.state)),
  });
  const services = testServices({
    clock,
    log,
    endOrphans: async () => ({ ended: [], left: [] }),
    async openStore(): Promise<never> {
      return store as never;
    },
    ...options.services,
  });
  const heard: string[] = [];
  for (const name of ["job.started", "job.finished", "job.missed"] as const) {
    services.events.on(name, (event: Events[typeof name]) => void heard.push(`${name} ${event.job}`));
  }
  const config = jobsConfig(options.config ?? {});
  const engine = await startEngine(services, config, { runner, random: () => 0.5, systemZone: () => "UTC" });
  await settle();

  const rows = (name = "a"): readonly RunRow[] => store.state.jobs.get(name)?.runs ?? [];
  async function pass(ms: number, stepMs = ms): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      clock.advance(Math.min(left, stepMs));
      await settle();
    }
  }
  return {
    engine,
    clock,
    runner,
    store,
    services,
    log,
    heard,
    rows,
    pass,
    history: (name) => rows(name).map(describeRow),
    passTo: (time) =>
      pass(Date.parse(`${new Date(clock.wallMs()).toISOString().slice(0, 10)}T${time}Z`) - clock.wallMs(), 5_000),
    follow: async (next) => {
      await engine.follow(jobsConfig(next));
      await settle();
    },
    async restart({ afterMs = 0, config: next = options.config } = {}) {
      engine.agenda.stop();
      clock.advance(afterMs);
      const state = store.reopen();
      assert.deepEqual(state, copyOf(store.state), "what the journal says is what the snapshot says");
      const later = await startTestJobs({ ...options, config: next, clock, state });
      await later.pass(1);
      return later;
    },
  };
}

/** The state as a snapshot would bring it back. */
export function copyOf(state: JobsState): JobsState {
  const pieces = [...historyStore.snapshot(state)].map((piece) => Buffer.from(piece));
  return historyStore.restore(pieces, historyStore.version);
}

/** Lets everything happen that waits for no timer. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export function describeRow(row: RunRow): string {
  const time = (ms: number | undefined): string => (ms === undefined ? "-" : new Date(ms).toISOString().slice(11, 19));
  const slots =
    row.count === undefined ? time(row.slotMs) : `${time(row.slotMs)} to ${time(row.lastSlotMs)} (${row.count})`;
  const reason = row.reason === undefined ? "" : `: ${row.reason}`;
  return `${row.state} ${row.trigger} ${slots}${reason}`;
}
