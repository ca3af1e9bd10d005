/**
 * A run that has ended -> word of it: another job, or a POST to an address.
 *
 * Not: how a webhook answers is nobody's business beyond the log; it is tried {@link TRIES} times.
 */
import type { Clock } from "../../system/clock.ts";
import type { Fetch } from "../../system/fetch.ts";
import type { ActiveRun } from "./active-run.ts";
import type { FollowUp } from "./job.ts";
import type { RunRow } from "./run-row.ts";

/** A longer chain of jobs that set each other off is taken for a circle. */
export const LONGEST_CHAIN = 8;
const TRIES = 3;
const FIRST_WAIT_MS = 2_000;
const TIMEOUT_MS = 10_000;
const MOST_ANSWER_BYTES = 4_096;

/** What a run sets off, if anything. */
export function followUpOf({ job }: Pick<ActiveRun, "job">, row: RunRow): FollowUp | undefined {
  if (row.state === "ok") return job.definition.onSuccess;
  return row.state === "failed" || row.state === "timeout" || row.state === "interrupted"
    ? job.definition.onFailure
    : undefined;
}

/** The body of a webhook: the row, and a sentence in `text`, where chat programs look for it. */
export function describeRun(row: RunRow): Readonly<Record<string, unknown>> {
  const { mark: _mark, stdout, stderr, ...facts } = row;
  const why = row.error ?? row.reason;
  const text = `job ${row.job}: run ${row.id} ${row.state}${why === undefined ? "" : `: ${why}`}`;
  return { text, ...facts, stdout: stdout?.text, stderr: stderr?.text };
}

export interface WebhookServices {
  readonly clock: Clock;
  readonly fetch: Fetch;
}

/** Posts; answers why it did not arrive, or `undefined` when it did. */
export async function callWebhook(
  { clock, fetch }: WebhookServices,
  hook: Extract<FollowUp, { url: string }>,
  body: unknown,
): Promise<string | undefined> {
  let problem = "";
  for (let tried = 0; tried < TRIES; tried++) {
    if (tried > 0) await new Promise<void>((resolve) => void clock.after(FIRST_WAIT_MS * 4 ** (tried - 1), resolve));
    const answer = await fetch({
      method: "POST",
      url: hook.url,
      headers: { "content-type": "application/json", ...hook.headers },
      body: JSON.stringify(body),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MOST_ANSWER_BYTES,
    });
    if (answer.ok && answer.status >= 200 && answer.status <= 299) return undefined;
    problem = answer.ok ? `answered ${answer.status}` : answer.message;
    // A fault of the request itself stays one.
    if (
      answer.ok
        ? answer.status < 500 && answer.status !== 429
        : answer.fault === "invalid" || answer.fault === "forbidden-address"
    )
      break;
  }
  return problem;
}
