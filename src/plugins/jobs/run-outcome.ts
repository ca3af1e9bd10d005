/** How a program ended -> the outcome of its run, as far as that is the same for all kinds. */
import { formatDuration } from "../../core/duration.ts";
import type { SpawnOutcome } from "../../system/spawn.ts";
import type { CancelReason, RunContext, RunOutcome } from "./run.ts";

/** What decides, apart from how the program ended. */
export interface Verdict {
  readonly state: RunOutcome["state"];
  readonly error?: string | undefined;
  readonly retryable: boolean;
}

const CANCEL_SENTENCES: Readonly<Record<CancelReason, string>> = {
  cancelled: "it was cancelled",
  replaced: "a newer run took its place",
  shutdown: "the daemon stopped",
};

export const OK: Verdict = { state: "ok", retryable: false };

export function fail(error: string): Verdict {
  return { state: "failed", error, retryable: true };
}

/** A fault of the job itself: the next attempt would meet it again. */
export function failForGood(error: string): Verdict {
  return { state: "failed", error, retryable: false };
}

export function cancelled(reason: CancelReason): Verdict {
  return { state: "cancelled", error: CANCEL_SENTENCES[reason], retryable: false };
}

export function timedOut({ timeoutMs }: RunContext): Verdict {
  const error = `it was ended after its time limit of ${formatDuration(timeoutMs)}`;
  return { state: "timeout", error, retryable: true };
}

/** The verdict where it does not depend on what the program said; `undefined` when it ended by itself. */
export function judgeEnd(end: SpawnOutcome, context: RunContext, cancelReason?: CancelReason): Verdict | undefined {
  if (end.end === "not-started") return end.isTransient ? fail(end.error!) : failForGood(end.error!);
  if (end.end === "deadline") return timedOut(context);
  if (end.end === "terminated" && cancelReason !== undefined) return cancelled(cancelReason);
  if (end.error !== undefined) return failForGood(end.error);
  return undefined;
}

/** Fits what was judged and what was seen together; nothing leaves without secrets hidden. */
export function toOutcome(end: SpawnOutcome, verdict: Verdict, { redact }: RunContext): RunOutcome {
  const faults = new Set([verdict.error, end.error].filter((fault) => fault !== undefined));
  const error = [...faults].join("; ") || undefined;
  const leftovers = end.hadLeftovers ? "processes that it had left running were ended" : undefined;
  return {
    ...verdict,
    durationMs: end.durationMs,
    exitCode: end.exitCode,
    signal: end.signal,
    error: error && redact ? redact(error) : error,
    note: [leftovers, end.logFault].filter(Boolean).join("; ") || undefined,
    stdout: end.stdout,
    stderr: end.stderr,
  };
}
