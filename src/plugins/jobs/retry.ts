/**
 * When a failed attempt is tried again, and how long the wait before that is.
 *
 * Source: exponential backoff with full jitter; the wait is anything from 0 to the bound, so that jobs which failed
 *   together do not come back together.
 */
import type { Policy } from "./job-policy.ts";
import type { RunOutcome } from "./run.ts";

export interface Attempt {
  readonly kind: "command" | "http" | "agent" | "internal";
  /** From 1. */
  readonly number: number;
  readonly outcome: Pick<RunOutcome, "state" | "retryable" | "retryAfterMs">;
}

/** A server may ask for days; the slots after this one would be skipped meanwhile. */
const LONGEST_ASKED_MS = 3_600_000;

type RetryPolicy = Pick<Policy, "retries" | "retryDelayMs" | "maxRetryDelayMs">;

/** Milliseconds to wait, or `undefined` when that was the last attempt. `random` is in [0, 1). */
export function retryDelay(
  { kind, number, outcome }: Attempt,
  policy: RetryPolicy,
  random: number,
): number | undefined {
  const { state, retryable, retryAfterMs } = outcome;
  if (number > policy.retries || !retryable || (state !== "failed" && state !== "timeout")) return undefined;
  // What an agent did in the time it had is done: once more would do it twice.
  if (kind === "agent" && state === "timeout") return undefined;
  const boundMs = Math.min(policy.maxRetryDelayMs, policy.retryDelayMs * 2 ** (number - 1));
  return Math.max(Math.floor(random * boundMs), Math.min(retryAfterMs ?? 0, LONGEST_ASKED_MS));
}
