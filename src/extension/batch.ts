/**
 * Samples -> a frozen batch, the same bytes under the same id however often it is sent; an answer -> what became of it.
 *
 * Source: the daemon counts a batch with a requestId once in 5 minutes, and answers 409 to a second one.
 */
import { randomUUID } from "node:crypto";
import type { Sample } from "./sample.ts";
import type { Answer, Failure } from "./transport.ts";

export interface Batch {
  readonly requestId: string;
  readonly samples: readonly Sample[];
  /** What is sent. */
  readonly body: string;
}

export type Verdict =
  /** `rejected`: the indexes of samples that the daemon refused one by one. */
  | { readonly kind: "delivered"; readonly rejected: readonly number[]; readonly error: string | undefined }
  /** Certainly not counted, and never will be. */
  | { readonly kind: "refused"; readonly error: string }
  /** Certainly not counted; smaller pieces may be. */
  | { readonly kind: "too-large" }
  /** To be sent again. `isUncertain`: it may have been counted already. */
  | { readonly kind: "later"; readonly isUncertain: boolean; readonly error: string; readonly retryAfterMs?: number };

/** The daemon takes 1000 at most, and 1 MiB. */
export const MAX_BATCH_SAMPLES = 500;

export function freezeBatch(samples: readonly Sample[]): Batch {
  const requestId = randomUUID();
  return { requestId, samples, body: JSON.stringify({ requestId, metrics: samples }) };
}

export function splitBatch({ samples }: Batch): Batch[] {
  const middle = Math.ceil(samples.length / 2);
  return [samples.slice(0, middle), samples.slice(middle)].map(freezeBatch);
}

export function judge(result: Answer | Failure): Verdict {
  if (result.kind === "failure") return { kind: "later", isUncertain: result.mayHaveArrived, error: result.error };
  const { status, text, retryAfterMs } = result;
  if (status === 200) return judgeSuccess(text);
  // A second sending of what had arrived, while its answer was lost.
  if (status === 409) return { kind: "delivered", rejected: [], error: undefined };
  const error = describeRefusal(status, text);
  if (status === 413) return { kind: "too-large" };
  if (status === 400 || status === 415) return { kind: "refused", error };
  // 5xx other than 503 says that something broke, not how far it got. 4xx, 503 and redirects count nothing.
  const isUncertain = (status >= 500 && status !== 503) || status < 300;
  return { kind: "later", isUncertain, error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function judgeSuccess(text: string): Verdict {
  const answer = parseObject(text);
  const failed = answer?.["failed"];
  if (!answer || !Number.isInteger(answer["success"]) || !Array.isArray(failed)) {
    return { kind: "later", isUncertain: true, error: "what answers is no pi-daemon" };
  }
  const failures = failed.filter((failure) => typeof failure === "object" && failure !== null) as FailedSample[];
  const error = failures[0] && `${String(failures[0].name)}: ${String(failures[0].error)}`;
  return { kind: "delivered", rejected: failures.map(({ index }) => Number(index)), error };
}

interface FailedSample {
  readonly index: unknown;
  readonly name: unknown;
  readonly error: unknown;
}

/** A sentence about an answer that is a refusal. */
export function describeRefusal(status: number, text: string): string {
  if (status === 401) return "the daemon asks for a token: set auth.token and daemonUrl";
  const error = parseObject(text)?.["error"];
  return typeof error === "string" ? `${status}: ${error.slice(0, 200)}` : `${status}: what answers is no pi-daemon`;
}

export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
