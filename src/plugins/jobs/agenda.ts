/**
 * The timetable and the clock -> decisions: every slot of every job becomes a run, or a row that says why not, before
 * the next one is looked for.
 *
 * Order: rows of a job are written in the order of its slots.
 * Errors: a slot whose row cannot be written is decided later, as one that is late.
 */
import type { Clock } from "../../system/clock.ts";
import type { Log } from "../../system/log.ts";
import type { Store } from "../../system/store.ts";
import type { Submission } from "./active-run.ts";
import type { JobRecord, JobsEvent, JobsState } from "./history.ts";
import type { RunRow } from "./run-row.ts";
import { type ClockStep, type Scheduler, startScheduler } from "./scheduler.ts";
import { countSlots, type Due, findDue, latestSlot, type SlotRange } from "./slots.ts";
import type { Job } from "./sources.ts";
import { type Entry, Timetable, type Zones } from "./timetable.ts";

export interface AgendaOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store<JobsState, JobsEvent>;
  submit(submission: Submission): Promise<unknown>;
  nextId(): number;
  onMissed(row: RunRow): void;
  onSkipped(row: RunRow): void;
  onStep(step: ClockStep): void;
  onGone(job: string): void;
}

const TRY_AGAIN_MS = 5_000;
/** A clock that went back by less is soon where it was. */
const WAIT_WORTH_TELLING_MS = 300_000;
const MOST_TOLD = 5;
/** A step may have begun so long before it was noticed. */
const STEP_BLUR_MS = 10_000;

export class Agenda {
  readonly scheduler: Scheduler;
  readonly #options: AgendaOptions;
  readonly #table: Timetable;
  readonly #startedMs: number;
  #lastStep: ClockStep | undefined;
  /** Jobs whose slots are decided and whose next ones are still to be looked for. */
  #decided: string[] = [];
  #isCommitFailing = false;

  constructor(options: AgendaOptions) {
    const { clock, store, onGone } = options;
    this.#options = options;
    this.#startedMs = clock.wallMs();
    this.scheduler = startScheduler({
      clock,
      onDue: (name, nowMs) => this.#decide(name, nowMs),
      onStep: (step) => this.#noticeStep(step),
    });
    this.#table = new Timetable({
      clock,
      store,
      onChange: (name) => this.#reschedule(name),
      onGone: (name) => {
        this.scheduler.remove(name);
        onGone(name);
      },
    });
  }

  stop(): void {
    this.scheduler.stop();
  }

  find(name: string): Job | undefined {
    return this.#table.find(name)?.job;
  }

  jobs(): readonly Job[] {
    return this.#table.entries().map(({ job }) => job);
  }

  /** The schedule and zone in force. */
  timingOf(name: string): Pick<Entry, "schedule" | "zone"> | undefined {
    return this.#table.find(name);
  }

  /** When the job runs next; `undefined` when no clock says so. */
  nextRunMs(name: string): number | undefined {
    return this.#table.isIdle(name) ? undefined : this.#table.dueOf(name);
  }

  /** Takes over the jobs that are in force now; runs go on as they began. */
  follow(jobs: ReadonlyMap<string, Job>, zones: Zones): Promise<void> {
    return this.#table.follow(jobs, zones);
  }

  /** Sets off what is due at the start of the daemon, and of the machine. */
  async runAtStart(isBoot: boolean): Promise<void> {
    for (const { job, schedule } of this.#table.entries()) {
      if (schedule?.kind !== "start" && !(schedule?.kind === "reboot" && isBoot)) continue;
      if (this.#table.isIdle(job.name)) continue;
      await this.#options.submit({ job, trigger: schedule.kind === "start" ? "start" : "boot" });
    }
  }

  async resume(name: string): Promise<void> {
    const record = this.#table.recordOf(name);
    if (record === undefined) return;
    await this.#options.store.commit({ kind: "resume", job: name });
    // The clock has gone back: whoever resumes wants it to run again, and not when that time has come once more.
    if (record.decidedMs > this.#options.clock.wallMs()) await this.#table.renew(name);
    this.#reschedule(name);
  }

  /** What keeps jobs from running, in sentences. */
  problems(): string[] {
    const limitMs = this.#options.clock.wallMs() + WAIT_WORTH_TELLING_MS;
    const names = this.#table
      .entries()
      .map(({ job }) => job.name)
      .filter((name) => this.#table.dueOf(name) !== undefined && this.#table.recordOf(name)!.decidedMs > limitMs);
    if (names.length === 0) return [];
    const told = names.slice(0, MOST_TOLD).join(", ") + (names.length > MOST_TOLD ? ", ..." : "");
    const remedy = '("jobs resume" runs on at once)';
    return [`the clock has gone back: ${told} will run again when the slots that were run already are past ${remedy}`];
  }

  #reschedule(name: string): void {
    // Whoever decides does it when all is written down.
    if (this.#table.find(name)?.isDeciding) return;
    const dueMs = this.#table.dueOf(name);
    if (dueMs === undefined) this.scheduler.remove(name);
    else this.scheduler.set(name, dueMs);
  }

  #decide(name: string, nowMs: number): void {
    const entry = this.#table.find(name);
    const record = this.#table.recordOf(name);
    if (entry?.schedule === undefined || record === undefined || entry.isDeciding) return;
    entry.isDeciding = true;
    const deciding = this.#table.isIdle(name) ? this.#skip(entry, record, nowMs) : this.#run(entry, record, nowMs);
    deciding.then(
      () => {
        this.#isCommitFailing = false;
        entry.isDeciding = false;
        entry.wasRefused = false;
        if (this.#decided.push(name) === 1) this.#lookAhead();
      },
      (error: Error) => {
        this.#noteFailure(error);
        entry.isDeciding = false;
        entry.wasRefused = true;
        if (this.#table.find(name) !== undefined) this.scheduler.set(name, nowMs + TRY_AGAIN_MS);
      },
    );
  }

  /** Looks for the next slots, once all that is due has been decided: those who wait for a run come first. */
  #lookAhead(): void {
    if (this.scheduler.isBehind()) return void this.#options.clock.after(0, () => this.#lookAhead());
    const names = this.#decided;
    this.#decided = [];
    for (const name of names) this.#reschedule(name);
  }

  #noteFailure({ message }: Error): void {
    if (!this.#isCommitFailing) this.#options.log.error("cannot write down what is due; trying on", { error: message });
    this.#isCommitFailing = true;
  }

  /** Rejects when not all could be written down. */
  #run(entry: Entry, record: JobRecord, nowMs: number): Promise<unknown> {
    const { job, schedule, zone } = entry;
    const { decidedMs, lastStartMs } = record;
    const hasRun = lastStartMs !== undefined;
    const due = findDue({ schedule: schedule!, zone, decidedMs, nowMs, rule: job.policy, hasRun });
    if (due === undefined) return Promise.resolve();
    const [first] = due.runs;
    if (due.missed !== undefined || first === undefined || due.runs.length > 1) return this.#runSeries(entry, due);
    return this.#options.submit({ job, slotMs: first.slotMs, trigger: first.isLate ? "catch-up" : "schedule" });
  }

  async #runSeries(entry: Entry, { missed, runs }: Due): Promise<void> {
    const { job } = entry;
    if (missed !== undefined) await this.#miss(entry, missed);
    const insistence = runs.length > 1 ? "after-all" : undefined;
    for (const { slotMs, isLate } of runs) {
      await this.#options.submit({ job, slotMs, trigger: isLate ? "catch-up" : "schedule", insistence });
    }
  }

  async #miss({ job, wasRefused }: Entry, range: SlotRange): Promise<void> {
    const reason = wasRefused ? "what was due could not be written down" : this.#reasonFor(range.lastSlotMs);
    const row = this.#rowOf(job, range, { state: "missed", reason });
    await this.#options.store.commit({ kind: "row", row, decidedMs: range.lastSlotMs });
    this.#options.onMissed(row);
  }

  async #skip({ job, schedule, zone }: Entry, record: JobRecord, nowMs: number): Promise<void> {
    const question = { schedule: schedule!, zone, decidedMs: record.decidedMs };
    const lastMs = latestSlot({ ...question, nowMs });
    const range = lastMs === undefined ? undefined : countSlots(question, lastMs);
    if (range === undefined) return;
    const reason = record.paused === undefined ? "the job is not enabled" : "the job is paused";
    const row = this.#rowOf(job, range, { state: "skipped", reason });
    await this.#options.store.commit({ kind: "row", row, decidedMs: range.lastSlotMs });
    this.#options.onSkipped(row);
  }

  #rowOf(job: Job, range: SlotRange, why: Pick<RunRow, "state" | "reason">): RunRow {
    const nowMs = this.#options.clock.wallMs();
    const { firstSlotMs: slotMs, lastSlotMs, count, isAtLeast } = range;
    const slots = { slotMs, lastSlotMs, count, ...(isAtLeast && { isAtLeast }) };
    const id = this.#options.nextId();
    return { id, job: job.name, trigger: "schedule", createdMs: nowMs, endedMs: nowMs, ...slots, ...why };
  }

  #reasonFor(slotMs: number): string {
    if (slotMs < this.#startedMs) return "the daemon was not running";
    const { byMs, atMs } = this.#lastStep ?? { byMs: 0, atMs: 0 };
    const isInStep = byMs > 0 && slotMs > atMs - byMs - STEP_BLUR_MS && slotMs <= atMs;
    return isInStep ? "the machine slept, or its clock went forward" : "the daemon was held up";
  }

  #noticeStep(step: ClockStep): void {
    const { log, onStep } = this.#options;
    this.#lastStep = step;
    log.warn("the clock was set, or the machine has slept", { bySeconds: Math.round(step.byMs / 1000) });
    onStep(step);
    for (const { job } of step.byMs < 0 ? this.#table.entries() : []) {
      const record = this.#table.recordOf(job.name);
      // No slot of it was decided since it came into force: there is none that could run twice.
      if (record === undefined || record.decidedMs !== record.sinceMs || record.sinceMs <= step.atMs) continue;
      const report = ({ message }: Error): void =>
        log.error("a job waits for the old time", { job: job.name, error: message });
      this.#table.renew(job.name).catch(report);
    }
  }
}
