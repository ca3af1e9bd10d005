/**
 * The jobs in force, each with the schedule and the time zone that hold for it.
 *
 * A schedule comes into force when its job first comes, changes it, or comes back; what `@every` keeps in step with and
 * `@in` counts from is that moment, kept in the store, so that a restart reads the same schedule.
 *
 * Errors: StorageError when what has changed cannot be written down.
 */
import { findTimeZone, nextRun, parseSchedule, type Schedule, type TimeZone } from "../../core/cron.ts";
import type { Clock } from "../../system/clock.ts";
import type { Store } from "../../system/store.ts";
import type { JobRecord, JobsEvent, JobsState } from "./history.ts";
import type { Job } from "./sources.ts";

/** The zones of jobs that name none: what the config says, else that of the machine. */
export interface Zones {
  readonly config: string | null;
  readonly system: string;
}

/** A job with its schedule in force. */
export interface Entry {
  job: Job;
  /** `undefined`: it runs only when asked. */
  readonly schedule: Schedule | undefined;
  readonly zone: TimeZone;
  /** Slots of it are being written down; whoever does says when to look at it again. */
  isDeciding: boolean;
  /** What was due could not be written down when it was due. */
  wasRefused: boolean;
}

export interface TimetableOptions {
  readonly clock: Clock;
  readonly store: Store<JobsState, JobsEvent>;
  /** When the job is due next may have changed. */
  onChange(name: string): void;
  onGone(name: string): void;
}

type Timing = Pick<JobRecord, "schedule" | "timeZone" | "isDefaultZone"> &
  Partial<Pick<JobRecord, "sinceMs" | "decidedMs">>;

/** The earliest instant that a Date can hold. */
const BEFORE_ALL_MS = -8.64e15;

export class Timetable {
  readonly #options: TimetableOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: TimetableOptions) {
    this.#options = options;
  }

  find(name: string): Entry | undefined {
    return this.#entries.get(name);
  }

  entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  recordOf(name: string): JobRecord | undefined {
    return this.#options.store.state.jobs.get(name);
  }

  /** When the job is due next, be it paused or not; `undefined` when no clock says so. */
  dueOf(name: string): number | undefined {
    const entry = this.#entries.get(name);
    const record = this.recordOf(name);
    if (entry?.schedule === undefined || record === undefined) return undefined;
    return nextRun(entry.schedule, entry.zone, record.decidedMs) ?? undefined;
  }

  /** A job that is paused or not enabled has slots and runs none of them. */
  isIdle(name: string): boolean {
    return this.#entries.get(name)?.job.definition.enabled === false || this.recordOf(name)?.paused !== undefined;
  }

  /** Takes over the jobs that are in force now. What has not changed is not touched. */
  async follow(jobs: ReadonlyMap<string, Job>, zones: Zones): Promise<void> {
    for (const record of [...this.#options.store.state.jobs.values()]) {
      // What was made through the API stays, though it cannot run just now.
      if (record.isGone || jobs.has(record.name) || record.definition !== undefined) continue;
      await this.#options.store.commit({ kind: "release", job: record.name });
    }
    for (const name of [...this.#entries.keys()]) {
      if (jobs.has(name)) continue;
      this.#entries.delete(name);
      this.#options.onGone(name);
    }
    await Promise.all([...jobs.values()].map((job) => this.#take(job, zones)));
  }

  /**
   * Puts the job's schedule into force from now on, whatever was decided before. Not for a single instant, which has no
   * other.
   */
  async renew(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    const record = this.recordOf(name);
    if (entry?.schedule === undefined || entry.schedule.kind === "at" || record === undefined) return;
    const { schedule, timeZone, isDefaultZone } = record;
    await this.#adopt(name, { schedule, timeZone, isDefaultZone });
    this.#enter(entry.job);
  }

  async #take(job: Job, zones: Zones): Promise<void> {
    const { name, definition } = job;
    const known = this.#entries.get(name);
    const record = this.recordOf(name);
    const schedule = definition.schedule ?? null;
    const isSame = record !== undefined && !record.isGone && record.schedule === schedule;
    const zone = chooseZone(definition.timeZone, zones, isSame ? record : undefined);
    if (!isSame) await this.#adopt(name, { schedule, ...zone });
    else if (record.timeZone !== zone.timeZone || record.isDefaultZone !== zone.isDefaultZone) {
      const { sinceMs, decidedMs } = record;
      await this.#adopt(name, { schedule, ...zone, sinceMs, ...(!readsClocks(schedule) && { decidedMs }) });
    } else if (known !== undefined) {
      known.job = job;
      return;
    }
    this.#enter(job);
  }

  #enter(job: Job): void {
    const { name } = job;
    const { schedule: text, sinceMs, timeZone } = this.recordOf(name)!;
    const parsed = text === null ? undefined : parseSchedule(text, { jobId: name, anchorMs: sinceMs });
    const schedule = parsed?.ok ? parsed.schedule : undefined;
    this.#entries.set(name, { job, schedule, zone: findTimeZone(timeZone)!, isDeciding: false, wasRefused: false });
    this.#options.onChange(name);
  }

  async #adopt(job: string, timing: Timing): Promise<void> {
    const nowMs = this.#options.clock.wallMs();
    const { schedule, timeZone, isDefaultZone, sinceMs = nowMs } = timing;
    // A single instant that lies before its job was known may still be worth a late run.
    const decidedMs = timing.decidedMs ?? (isInstant(schedule) ? BEFORE_ALL_MS : nowMs);
    await this.#options.store.commit({ kind: "adopt", job, schedule, timeZone, isDefaultZone, sinceMs, decidedMs });
  }
}

/** A job that names no zone keeps the one of the machine that was found when it first came. */
function chooseZone(
  own: string | undefined,
  zones: Zones,
  record: JobRecord | undefined,
): Pick<JobRecord, "timeZone" | "isDefaultZone"> {
  const named = own ?? zones.config;
  if (named !== null) return { timeZone: named, isDefaultZone: false };
  const isKept = record?.isDefaultZone === true && findTimeZone(record.timeZone) !== undefined;
  return { timeZone: isKept ? record.timeZone : zones.system, isDefaultZone: true };
}

/** Whether a change of zone changes the slots. */
function readsClocks(schedule: string | null): boolean {
  return schedule !== null && !/^\s*@(every|at|in|reboot|start)\b/i.test(schedule);
}

function isInstant(schedule: string | null): boolean {
  return schedule !== null && /^\s*@at\b/i.test(schedule);
}
