/**
 * How a job is run, whatever it runs: overlap, missed runs, time limits, retries, history.
 *
 * Order: what the job says, else `jobs.defaults` of the config.
 */
import { parseDuration } from "../../core/duration.ts";
import {
  type Infer,
  integer,
  nullable,
  object,
  oneOf,
  optional,
  refine,
  type Schema,
  string,
  withDefault,
} from "../../core/validate.ts";

const LONGEST_TIMER_MS = 2 ** 31 - 1;
const timer = integer({ min: 0, max: LONGEST_TIMER_MS });

const policy = {
  /** What becomes of a slot while a run of the job is going on. */
  overlap: oneOf(["skip", "queue", "replace", "parallel"]),
  /** With `parallel`: how many at once. */
  maxParallel: integer({ min: 1, max: 1000 }),
  /** Which of the slots that were missed are run late. */
  catchUp: oneOf(["last", "none", "all"]),
  /** With `all`: how many at most, the newest. */
  catchUpMax: integer({ min: 1, max: 1000 }),
  /** How late a missed slot may be run. */
  catchUpWindow: durationText(),
  /** Of one attempt. */
  timeoutMs: integer({ min: 1, max: LONGEST_TIMER_MS }),
  /** Between SIGTERM and SIGKILL. */
  graceMs: timer,
  /** Attempts after the first. */
  retries: integer({ min: 0, max: 100 }),
  /** Before the first retry, at most; doubles with each one. */
  retryDelayMs: timer,
  maxRetryDelayMs: timer,
  /** Scheduled runs begin up to this much later, each job by its own constant part of it. */
  jitterMs: timer,
  /** The job is paused after so many failures in a row; 0 never. */
  pauseAfterFailures: integer({ min: 0, max: 1000 }),
  /** Runs kept in the history. */
  keepRuns: integer({ min: 1, max: 10_000 }),
  /** How long they are kept. */
  keepFor: durationText(),
};

type PolicyKey = keyof typeof policy;

/** What a job may say. */
export const policyFields = {
  overlap: optional(policy.overlap),
  maxParallel: optional(policy.maxParallel),
  catchUp: optional(policy.catchUp),
  catchUpMax: optional(policy.catchUpMax),
  catchUpWindow: optional(policy.catchUpWindow),
  timeoutMs: optional(policy.timeoutMs),
  graceMs: optional(policy.graceMs),
  retries: optional(policy.retries),
  retryDelayMs: optional(policy.retryDelayMs),
  maxRetryDelayMs: optional(policy.maxRetryDelayMs),
  jitterMs: optional(policy.jitterMs),
  pauseAfterFailures: optional(policy.pauseAfterFailures),
  keepRuns: optional(policy.keepRuns),
  keepFor: optional(policy.keepFor),
};

/** What the config says for jobs that do not. */
export const policyDefaults = object({
  overlap: withDefault(policy.overlap, "skip"),
  maxParallel: withDefault(policy.maxParallel, 3),
  catchUp: withDefault(policy.catchUp, "last"),
  catchUpMax: withDefault(policy.catchUpMax, 10),
  catchUpWindow: withDefault(policy.catchUpWindow, "24h"),
  /** `null`: an hour for programs, 30 s for requests, 30 min for agents, 10 min for the daemon's own. */
  timeoutMs: withDefault(nullable(policy.timeoutMs), null),
  graceMs: withDefault(policy.graceMs, 10_000),
  retries: withDefault(policy.retries, 0),
  retryDelayMs: withDefault(policy.retryDelayMs, 5_000),
  maxRetryDelayMs: withDefault(policy.maxRetryDelayMs, 300_000),
  jitterMs: withDefault(policy.jitterMs, 0),
  pauseAfterFailures: withDefault(policy.pauseAfterFailures, 0),
  keepRuns: withDefault(policy.keepRuns, 50),
  keepFor: withDefault(policy.keepFor, "30d"),
});

export type PolicyDefaults = Infer<typeof policyDefaults>;
/** What a job says of its policy. */
export type PolicyDefinition = { readonly [Key in PolicyKey]?: Infer<(typeof policy)[Key]> };

export interface Policy extends Omit<PolicyDefaults, "timeoutMs" | "catchUpWindow" | "keepFor"> {
  readonly timeoutMs: number;
  readonly catchUpWindowMs: number;
  readonly keepForMs: number;
}

const TIMEOUT_MS = { command: 3_600_000, http: 30_000, agent: 1_800_000, internal: 600_000 } as const;

/** The policy of a job of this kind. */
export function resolvePolicy(kind: keyof typeof TIMEOUT_MS, defaults: PolicyDefaults, job: PolicyDefinition): Policy {
  const keys = Object.keys(policy) as PolicyKey[];
  const chosen = Object.fromEntries(keys.map((key) => [key, job[key] ?? defaults[key]])) as unknown as PolicyDefaults;
  const { catchUpWindow, keepFor, timeoutMs, ...rest } = chosen;
  return {
    ...rest,
    timeoutMs: timeoutMs ?? TIMEOUT_MS[kind],
    catchUpWindowMs: parseDuration(catchUpWindow),
    keepForMs: parseDuration(keepFor),
  };
}

function durationText(): Schema<string> {
  return refine(string({ maxLength: 40, expected: 'a duration such as "24h"', mark: "plain" }), (text) => {
    try {
      parseDuration(text);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  });
}
