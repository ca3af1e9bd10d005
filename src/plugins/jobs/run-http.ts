/**
 * An http job -> its run: one request, judged by the status of the answer.
 *
 * Errors: none are thrown.
 */
import { readRetryAfter } from "../../core/retry-after.ts";
import type { FetchAnswer, FetchResult } from "../../system/fetch.ts";
import { checkResult } from "./check-result.ts";
import type { CancelReason, HttpSpec, OutputTail, RunContext, RunHandle, RunOutcome } from "./run.ts";
import { cancelled, fail, failForGood, OK, timedOut, type Verdict } from "./run-outcome.ts";

const NO_OUTPUT: OutputTail = { text: "", sizeBytes: 0, cutBytes: 0 };
/** Beside all of 500 and more: the server asks to come again. */
const PASSING_STATUSES: readonly number[] = [408, 425, 429];

export function runHttp(spec: HttpSpec, context: RunContext): RunHandle {
  const { timeoutMs, outputBytes, services } = context;
  const { method, url, headers, body, maxRedirects, maxBodyBytes = outputBytes } = spec;
  const startedMs = services.clock.monotonicMs();
  const stop = new AbortController();
  let reason: CancelReason | undefined;

  async function run(): Promise<RunOutcome> {
    const result = await services.fetch({
      method,
      url,
      headers,
      body,
      timeoutMs,
      maxRedirects,
      maxBytes: maxBodyBytes,
      signal: stop.signal,
    });
    const durationMs = services.clock.monotonicMs() - startedMs;
    return toOutcome(result, judge(result, { spec, context, reason, durationMs }), { context, durationMs });
  }
  return {
    done: run(),
    cancel(why) {
      reason ??= why;
      stop.abort();
    },
  };
}

interface Circumstances {
  readonly spec: HttpSpec;
  readonly context: RunContext;
  readonly reason: CancelReason | undefined;
  readonly durationMs: number;
}

function judge(result: FetchResult, { spec, context, reason, durationMs }: Circumstances): Verdict {
  if (!result.ok) {
    if (result.fault === "timeout") return timedOut(context);
    if (result.fault === "aborted") return cancelled(reason ?? "cancelled");
    return result.fault === "network" ? fail(result.message) : failForGood(result.message);
  }
  const { status, body } = result;
  const isExpected = spec.expectStatus ? spec.expectStatus.includes(status) : status >= 200 && status < 300;
  if (!isExpected) {
    const expected = spec.expectStatus?.join(" or ") ?? "200 to 299";
    const error = `the answer has status ${status}, where ${expected} was expected`;
    return status >= 500 || PASSING_STATUSES.includes(status) ? fail(error) : failForGood(error);
  }
  const facts = { durationMs, outputs: [new TextDecoder().decode(body)] };
  const fault = checkResult(spec.expect, facts, context.services.matchPattern);
  return fault === undefined ? OK : fail(fault);
}

function toOutcome(
  result: FetchResult,
  verdict: Verdict,
  { context, durationMs }: { readonly context: RunContext; readonly durationMs: number },
): RunOutcome {
  const { redact = (text) => text } = context;
  return {
    ...verdict,
    durationMs,
    error: verdict.error && redact(verdict.error),
    stdout: result.ok ? keepBody(result, context) : NO_OUTPUT,
    stderr: NO_OUTPUT,
    httpStatus: result.ok ? result.status : undefined,
    retryAfterMs:
      result.ok && verdict.retryable
        ? readRetryAfter(result.headers["retry-after"], context.services.clock.wallMs())
        : undefined,
  };
}

/** The beginning of the body. Of one not read whole the size is what the server said, or the least it can be. */
function keepBody({ body, isCut, headers }: FetchAnswer, context: RunContext): OutputTail {
  const { outputBytes, redact = (text) => text } = context;
  const declaredBytes = Number(headers["content-length"]);
  const sizeBytes = isCut ? Math.max(body.length + 1, declaredBytes || 0) : body.length;
  const kept = body.subarray(0, outputBytes);
  const cutBytes = sizeBytes - kept.length;
  const mark = cutBytes > 0 ? `\n[... ${isCut && !declaredBytes ? "more" : `${cutBytes} bytes`} cut ...]\n` : "";
  return { text: redact(new TextDecoder().decode(kept), { end: cutBytes > 0 }) + mark, sizeBytes, cutBytes };
}
