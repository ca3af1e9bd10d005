/**
 * Wishes for runs -> rows in the history and runs, as far as overlap and `maxConcurrent` allow.
 *
 * Order: a row is written before anything of its run begins; runs wait for the others of their job first, then for a
 *   place among all.
 * Errors: `submit` rejects with a StorageError when the row cannot be written; then nothing is run. The end of a run is
 *   written as soon as the disk takes it.
 */
import type { Clock } from "../../system/clock.ts";
import type { EndOrphans } from "../../system/orphans.ts";
import type { Store } from "../../system/store.ts";
import { ActiveRun, type Submission } from "./active-run.ts";
import { type AttemptServices, describeCancel, jitterOf, runAttempts } from "./attempts.ts";
import type { JobsEvent, JobsState } from "./history.ts";
import { Lane } from "./lane.ts";
import { decideOverlap } from "./overlap.ts";
import { Places } from "./places.ts";
import { isOver, type RunEnd, type RunRow } from "./run-row.ts";
import type { Job } from "./sources.ts";
import { Turns } from "./turns.ts";

export interface DispatcherOptions {
  readonly clock: Clock;
  readonly store: Store<JobsState, JobsEvent>;
  readonly attempts: Omit<AttemptServices, "clock" | "places" | "noteProcess">;
  readonly randomId: () => string;
  /** The job as it is defined now, whose policy is that of its runs that wait. */
  readonly currentJob: (name: string) => Job | undefined;
  /** Whether slots that are due wait to be decided. */
  readonly isDeciding: () => boolean;
  readonly onStart: (row: RunRow) => void;
  readonly onEnd: (run: ActiveRun, row: RunRow) => void;
  readonly onSkip: (row: RunRow) => void;
  readonly onTrouble: (what: string, error: Error) => void;
  readonly endOrphans: EndOrphans;
}

/** What became of a wish. `over` is the row once nothing more will become of it. */
export interface Submitted {
  readonly row: RunRow;
  over(): Promise<RunRow>;
}

const WRITE_AGAIN_MS = 1_000;
/** Once the daemon stops: for a run to end by itself after it was told to, whatever grace its job has. */
const LAST_GRACE_MS = 10_000;

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #runs = new Map<number, ActiveRun>();
  readonly #places: Places;
  readonly #turns: Turns;
  readonly #attempts: AttemptServices;
  #lastId: number;
  #isStopping = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    // None until the config has been taken over.
    this.#places = new Places(0);
    this.#turns = new Turns({
      clock: options.clock,
      isDeciding: options.isDeciding,
      begin: (run) => void this.#live(run),
    });
    this.#lastId = options.store.state.lastRunId;
    this.#attempts = {
      ...options.attempts,
      clock: options.clock,
      places: this.#places,
      noteProcess: (run, mark, attempts) => void this.#writeSurely({ kind: "mark", id: run.id, mark, attempts }),
    };
  }

  get running(): number {
    return this.#runs.size;
  }

  set maxConcurrent(count: number) {
    this.#places.setCount(count);
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  find(id: number): ActiveRun | undefined {
    return this.#runs.get(id);
  }

  runsOf(job: string): readonly ActiveRun[] {
    return this.#lanes.get(job)?.all() ?? [];
  }

  /** A row's number; the one to be written next has the highest. */
  nextId(): number {
    return ++this.#lastId;
  }

  async submit(submission: Submission): Promise<Submitted> {
    if (this.#isStopping) throw new Error("the daemon is stopping: nothing new is run");
    const { job, slotMs, insistence } = submission;
    const lane = this.#laneOf(job.name);
    const decision = decideOverlap({
      policy: job.policy,
      current: lane.current.length,
      waiting: lane.waiting.length,
      insistence,
    });
    if (decision.do === "skip") return this.skip(submission, decision.reason);
    const run = new ActiveRun(this.nextId(), this.#options.randomId(), submission);
    const delayMs = this.#delayOf(submission);
    const startsNow = decision.do === "start" && delayMs === 0 && this.#places.tryTake(run);
    (decision.do === "start" ? lane.current : lane.waiting).push(run);
    const row = this.#rowOf(run, startsNow);
    try {
      await this.#options.store.commit({ kind: "row", row, decidedMs: slotMs });
    } catch (error) {
      this.#leave(run);
      throw error;
    }
    this.#runs.set(run.id, run);
    if (decision.do === "replace") for (const other of lane.all()) if (other !== run) other.cancel("replaced");
    if (startsNow) this.#turns.add(run);
    else void this.#await(run, delayMs);
    return { row, over: () => run.over() };
  }

  /** Scheduled runs may be spread; what a person asks for begins at once. */
  #delayOf({ job, trigger }: Submission): number {
    return trigger === "schedule" || trigger === "catch-up" ? jitterOf(job.name, job.policy.jitterMs) : 0;
  }

  /** Writes that there is no run, and why. */
  async skip(submission: Submission, reason: string): Promise<Submitted> {
    const nowMs = this.#options.clock.wallMs();
    const { job, trigger, slotMs, cause } = submission;
    const wish: RunRow = {
      id: this.nextId(),
      job: job.name,
      state: "skipped",
      trigger,
      createdMs: nowMs,
      slotMs,
      reason,
      causeId: cause?.id,
      endedMs: nowMs,
    };
    await this.#options.store.commit({ kind: "row", row: wish, decidedMs: slotMs });
    // It may have become part of the row before it.
    const row = this.#options.store.state.jobs.get(job.name)?.runs.at(-1) ?? wish;
    this.#options.onSkip(wish);
    return { row, over: () => Promise.resolve(row) };
  }

  /** Ends the runs of a job, or one of them; answers how many were told so. */
  cancel(job: string, id?: number): number {
    const told = this.runsOf(job).filter(
      (run) => (id === undefined || run.id === id) && run.cancelReason === undefined,
    );
    for (const run of told) run.cancel("cancelled");
    return told.length;
  }

  /** Ends what has not begun of a job that is no more. */
  cancelWaiting(job: string): void {
    for (const run of this.runsOf(job)) if (!run.hasBegun) run.cancel("cancelled");
  }

  /**
   * Begins nothing more, gives runs `graceMs` to end by themselves, then ends them, in the end by force: no program
   * outlives the daemon. What has not begun stays queued in the history.
   */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    const begun = [...this.#runs.values()].filter((run) => run.hasBegun);
    for (const run of this.#runs.values()) if (!run.hasBegun) run.cancel("shutdown");
    if (begun.length === 0) return;
    const { clock, endOrphans } = this.#options;
    const asking = clock.after(graceMs, () => {
      for (const run of begun) run.cancel("shutdown");
    });
    const forcing = clock.after(graceMs + LAST_GRACE_MS, () => {
      const left = begun.filter((run) => this.#runs.has(run.id));
      void endOrphans(
        left.map((run) => this.rowOf(run)?.mark ?? { runId: run.mark }),
        0,
      );
    });
    await Promise.all(begun.map((run) => run.over()));
    asking.cancel();
    forcing.cancel();
  }

  #laneOf(job: string): Lane {
    let lane = this.#lanes.get(job);
    if (lane === undefined) this.#lanes.set(job, (lane = new Lane()));
    return lane;
  }

  #rowOf({ id, mark, submission }: ActiveRun, startsNow: boolean): RunRow {
    const nowMs = this.#options.clock.wallMs();
    const { job, trigger, slotMs, cause } = submission;
    return {
      id,
      job: job.name,
      state: startsNow ? "running" : "queued",
      trigger,
      createdMs: nowMs,
      slotMs,
      causeId: cause?.id,
      startedMs: startsNow ? nowMs : undefined,
      mark: { runId: mark },
    };
  }

  /** Waits until it is the run's turn: after others of its job, after its delay, with a place among all. */
  async #await(run: ActiveRun, delayMs: number): Promise<void> {
    while (this.#laneOf(run.job.name).waiting.includes(run) && run.cancelReason === undefined) await run.sleep();
    if (delayMs > 0) await run.sleepFor(this.#options.clock, delayMs);
    await this.#places.take(run);
    this.#turns.add(run);
  }

  async #live(run: ActiveRun): Promise<void> {
    let end: RunEnd | undefined;
    try {
      end = await this.#pass(run);
    } catch (error) {
      this.#options.onTrouble("a run failed inside the daemon", error as Error);
      end = {
        state: "failed",
        error: `inside the daemon: ${(error as Error).message}`,
        endedMs: this.#options.clock.wallMs(),
      };
    }
    this.#leave(run);
    if (end !== undefined) await this.#writeSurely({ kind: "end", id: run.id, end });
    this.#runs.delete(run.id);
    const row = this.rowOf(run);
    if (row === undefined) return;
    run.settle(row);
    // It is not when the daemon stops before it has begun, or the disk refused to the last.
    if (isOver(row)) this.#options.onEnd(run, row);
  }

  /** The end of the run; `undefined` when the daemon stops before it has begun. */
  async #pass(run: ActiveRun): Promise<RunEnd | undefined> {
    const nowMs = this.#options.clock.wallMs();
    if (run.cancelReason === "shutdown") return undefined;
    if (run.cancelReason !== undefined) return { ...describeCancel(run), endedMs: nowMs };
    run.hasBegun = true;
    if (this.rowOf(run)?.state === "queued") await this.#writeSurely({ kind: "begin", id: run.id, atMs: nowMs });
    this.#options.onStart(this.rowOf(run)!);
    return runAttempts(run, this.#attempts);
  }

  /** The run's row as it stands; one whose precheck said no may have become part of the row before it. */
  rowOf({ id, job }: ActiveRun): RunRow | undefined {
    return this.#options.store.state.jobs.get(job.name)?.runs.findLast((row) => row.id <= id);
  }

  #leave(run: ActiveRun): void {
    const { name } = run.job;
    const lane = this.#laneOf(name);
    lane.remove(run);
    this.#places.free(run);
    lane.promote((waiting) => (this.#options.currentJob(name) ?? waiting.job).policy);
    if (lane.size === 0) this.#lanes.delete(name);
  }

  /** Writes an event, again and again until the disk takes it. */
  async #writeSurely(event: JobsEvent): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        return await this.#options.store.commit(event);
      } catch (error) {
        if (failures === 0) this.#options.onTrouble("cannot write what became of a run; trying on", error as Error);
        if (this.#isStopping) return;
        await new Promise<void>((resolve) => void this.#options.clock.after(WRITE_AGAIN_MS, resolve));
      }
    }
  }
}
