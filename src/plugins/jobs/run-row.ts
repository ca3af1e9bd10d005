/**
 * What is kept of a run, or of slots that did not run: one row of a job's history.
 *
 * Units: instants in milliseconds since the epoch, dollars.
 */
import type { AgentUsage, OutputTail } from "./run.ts";

export const RUN_STATES = [
  "queued",
  "running",
  "ok",
  "failed",
  "timeout",
  "skipped",
  "missed",
  "interrupted",
  "cancelled",
] as const;

export type RunState = (typeof RUN_STATES)[number];

/**
 * `schedule`: on time. `catch-up`: late. `boot`, `start`: `@reboot`, `@start`. `on-...`: another job's run ended so.
 */
export type Trigger = "schedule" | "catch-up" | "manual" | "boot" | "start" | "on-failure" | "on-success";

export interface RunRow {
  /** Counts up over all jobs. */
  readonly id: number;
  readonly job: string;
  readonly state: RunState;
  readonly trigger: Trigger;
  /** When it was decided. */
  readonly createdMs: number;
  /** The slot it stands for; of `missed` and `skipped` rows the first of them. */
  readonly slotMs?: number | undefined;
  /**
   * Of `missed` and `skipped` rows: how many slots in a row, up to which, and whether there were more than were
   * counted.
   */
  readonly count?: number | undefined;
  readonly lastSlotMs?: number | undefined;
  readonly isAtLeast?: boolean | undefined;
  /** Why it is skipped, missed, interrupted, cancelled. */
  readonly reason?: string | undefined;
  /** The run that set this one off. */
  readonly causeId?: number | undefined;
  readonly startedMs?: number | undefined;
  readonly endedMs?: number | undefined;
  readonly durationMs?: number | undefined;
  /** Attempts begun. */
  readonly attempts?: number | undefined;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly httpStatus?: number | undefined;
  /** Why it is not ok, in a sentence. */
  readonly error?: string | undefined;
  /** What a person should know though it decides nothing: processes left behind, a log that is not whole. */
  readonly note?: string | undefined;
  readonly stdout?: OutputTail | undefined;
  readonly stderr?: OutputTail | undefined;
  readonly usage?: AgentUsage | undefined;
  /** Marks the processes of the run. */
  readonly mark?: ProcessMark | undefined;
}

export interface ProcessMark {
  readonly runId: string;
  readonly pid?: number | undefined;
  readonly startTime?: string | undefined;
}

/** What is added to a row when its run has ended. */
export type RunEnd = Pick<
  RunRow,
  | "reason"
  | "endedMs"
  | "durationMs"
  | "attempts"
  | "exitCode"
  | "signal"
  | "httpStatus"
  | "error"
  | "note"
  | "stdout"
  | "stderr"
  | "usage"
> & {
  readonly state: Exclude<RunState, "queued" | "running">;
};

/** Whether nothing more will become of it. */
export function isOver(row: RunRow): boolean {
  return row.state !== "queued" && row.state !== "running";
}

/** Whether a run of this kind says that the job does not work. */
export function isFailure(state: RunState): boolean {
  return state === "failed" || state === "timeout";
}
