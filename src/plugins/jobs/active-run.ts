/**
 * A run that is not over: what it waits for, and the way to end it early.
 *
 * Invariant: it waits for one thing at a time; to be cancelled ends that wait, whatever it is for.
 */
import type { Clock } from "../../system/clock.ts";
import type { RunFacts } from "./job-spec.ts";
import type { CancelReason } from "./run.ts";
import type { RunRow, Trigger } from "./run-row.ts";
import type { Job } from "./sources.ts";

/** A wish for a run. */
export interface Submission {
  readonly job: Job;
  readonly trigger: Trigger;
  readonly slotMs?: number | undefined;
  /** See `overlap.ts`. */
  readonly insistence?: "always" | "after-all" | undefined;
  readonly cause?: RunFacts["cause"];
  /** How many runs set each other off before this one. */
  readonly depth?: number | undefined;
}

export class ActiveRun {
  readonly id: number;
  /** Marks its processes. */
  readonly mark: string;
  readonly submission: Submission;
  cancelReason: CancelReason | undefined;
  /** It has a place among `maxConcurrent`. */
  hasPlace = false;
  /** A program of it may have been started. */
  hasBegun = false;
  #onCancel: ((reason: CancelReason) => void) | undefined;
  #wake: (() => void) | undefined;
  #row: RunRow | undefined;
  #over: PromiseWithResolvers<RunRow> | undefined;

  constructor(id: number, mark: string, submission: Submission) {
    this.id = id;
    this.mark = mark;
    this.submission = submission;
  }

  get job(): Job {
    return this.submission.job;
  }

  /** The row as it stands in the history once the run is over. Never rejects. */
  over(): Promise<RunRow> {
    if (this.#row !== undefined) return Promise.resolve(this.#row);
    return (this.#over ??= Promise.withResolvers<RunRow>()).promise;
  }

  settle(row: RunRow): void {
    this.#row = row;
    this.#over?.resolve(row);
  }

  /** The first reason counts. */
  cancel(reason: CancelReason): void {
    if (this.cancelReason !== undefined) return;
    this.cancelReason = reason;
    this.#onCancel?.(reason);
    this.wake();
  }

  /** Resolves at `wake`, at once when the run has been cancelled. */
  sleep(): Promise<void> {
    if (this.cancelReason !== undefined) return Promise.resolve();
    return new Promise((resolve) => void (this.#wake = resolve));
  }

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  async sleepFor(clock: Clock, ms: number): Promise<void> {
    const timer = clock.after(ms, () => this.wake());
    await this.sleep();
    timer.cancel();
  }

  /** Waits for what can be cancelled itself. */
  async waitFor<T>(task: { readonly done: Promise<T>; cancel(reason: CancelReason): void }): Promise<T> {
    this.#onCancel = (reason) => task.cancel(reason);
    if (this.cancelReason !== undefined) task.cancel(this.cancelReason);
    const outcome = await task.done;
    this.#onCancel = undefined;
    return outcome;
  }
}
