/**
 * What follows from a row of the history: figures, events, the log, a pause after too many failures, word to whoever
 * asked for it, and the dropping of old rows.
 */
import type { Clock } from "../../system/clock.ts";
import type { Fetch } from "../../system/fetch.ts";
import type { Log } from "../../system/log.ts";
import type { Store } from "../../system/store.ts";
import type { Events } from "../plugin.ts";
import type { EventBus } from "../../system/event-bus.ts";
import type { Submission } from "./active-run.ts";
import { callWebhook, describeRun, followUpOf, LONGEST_CHAIN } from "./follow-up.ts";
import type { JobsEvent, JobsState } from "./history.ts";
import type { JobMetrics } from "./metrics.ts";
import { isFailure, type RunRow } from "./run-row.ts";
import type { Job } from "./sources.ts";
import type { Upkeep } from "./upkeep.ts";

export interface AftermathServices {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store<JobsState, JobsEvent>;
  readonly events: EventBus<Events>;
  readonly fetch: Fetch;
  readonly metrics: JobMetrics;
  readonly upkeep: Upkeep;
  findJob(name: string): Job | undefined;
  submit(submission: Submission): Promise<unknown>;
  readonly isStopping: () => boolean;
}

export interface Aftermath {
  started(row: RunRow): void;
  /** `depth`: see `Submission`. */
  ended(row: RunRow, depth?: number): void;
  skipped(row: RunRow): void;
  missed(row: RunRow): void;
}

export function createAftermath(services: AftermathServices): Aftermath {
  const { clock, log, store, events, metrics, upkeep } = services;

  function tagsOf(name: string): readonly string[] {
    return services.findJob(name)?.definition.tags ?? [];
  }

  async function pauseIfFailing(row: RunRow): Promise<void> {
    const record = store.state.jobs.get(row.job);
    const limit = services.findJob(row.job)?.policy.pauseAfterFailures ?? 0;
    if (
      !isFailure(row.state) ||
      limit === 0 ||
      record === undefined ||
      record.failures < limit ||
      record.paused !== undefined
    )
      return;
    const note = `${record.failures} failures in a row`;
    await store.commit({ kind: "pause", job: row.job, pause: { sinceMs: clock.wallMs(), note, by: "failures" } });
    log.warn("a job is paused", { job: row.job, reason: note });
  }

  async function followUp(row: RunRow, depth: number): Promise<void> {
    const job = services.findJob(row.job);
    const next = job === undefined ? undefined : followUpOf({ job }, row);
    if (next === undefined || services.isStopping()) return;
    if ("url" in next) {
      const problem = await callWebhook(services, next, describeRun(row));
      if (problem !== undefined) log.error("word of a run did not arrive", { job: row.job, run: row.id, problem });
      return;
    }
    const target = services.findJob(next.job);
    if (target === undefined)
      return log.error("a job sets off another that is not there", { job: row.job, other: next.job });
    if (depth >= LONGEST_CHAIN)
      return log.error("jobs set each other off in a circle; it is broken here", { job: row.job, other: next.job });
    const cause = { job: row.job, id: row.id, state: row.state, error: row.error ?? row.reason };
    await services.submit({
      job: target,
      trigger: row.state === "ok" ? "on-success" : "on-failure",
      cause,
      depth: depth + 1,
    });
  }

  function attend(what: string, task: Promise<unknown>): void {
    task.catch((error: Error) => log.error(`cannot ${what}`, { error: error.message }));
  }

  return {
    started(row) {
      metrics.started(row);
      events.emit("job.started", {
        job: row.job,
        run: row.id,
        trigger: row.trigger,
        atMs: row.startedMs ?? clock.wallMs(),
      });
    },
    ended(row, depth = 0) {
      const { job, id, state, trigger, endedMs = clock.wallMs(), durationMs = 0 } = row;
      metrics.ended(row);
      const error = row.error ?? row.reason;
      if (isFailure(state) || state === "interrupted")
        log.warn("a run did not end well", { job, run: id, state, durationMs, error });
      events.emit("job.finished", {
        job,
        run: id,
        trigger,
        state,
        atMs: endedMs,
        durationMs,
        error,
        tags: tagsOf(job),
      });
      attend("pause the job", pauseIfFailing(row));
      attend("set off what follows", followUp(row, depth));
      upkeep.noteRow(job);
    },
    skipped({ job }) {
      metrics.skipped(job);
      upkeep.noteRow(job);
    },
    missed({ job, slotMs = 0, lastSlotMs = slotMs, count = 1, reason = "" }) {
      metrics.missed(job, count);
      log.warn("slots were missed", {
        job,
        count,
        first: new Date(slotMs).toISOString(),
        last: new Date(lastSlotMs).toISOString(),
        reason,
      });
      events.emit("job.missed", { job, firstSlotMs: slotMs, lastSlotMs, count, reason, tags: tagsOf(job) });
      upkeep.noteRow(job);
    },
  };
}
