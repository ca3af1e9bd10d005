/**
 * Bodies of the ingest routes into counted samples.
 *
 * Order: a body is checked, then each sample gets a place in the registry (or a refusal), then the event is written,
 * and only then does it count and is the answer given.
 * Errors: VALIDATION_ERROR for shape, INGESTION_ERROR for what the registry refuses, DUPLICATE_REQUEST for a requestId
 * that counted before.
 */
import { DEFAULT_UPPER_BOUNDS } from "../../core/metric-family.ts";
import { type DropReason, Refusal } from "../../core/limits.ts";
import type { Registry } from "../../core/registry.ts";
import type { Sample, Series } from "../../core/series.ts";
import type { Issue } from "../../core/validate.ts";
import { matchesWildcards } from "../../core/wildcards.ts";
import type { Reply, Request } from "../../system/http.ts";
import type { Store } from "../../system/store.ts";
import { HttpError, jsonReply } from "../plugin.ts";
import type { MetricsConfig } from "./config.ts";
import { MOST_ISSUES, readSample, type Recognise } from "./sample.ts";
import type { MetricsEvent, MetricsState, Moment, SamplesEvent, SamplesExtra } from "./state.ts";

const MOST_REQUEST_ID_CHARACTERS = 128;
const NO_CONTENT: Reply = { status: 204 };

/** What ingest needs of the plugin around it. */
export interface IngestContext {
  readonly store: Store<MetricsState, MetricsEvent>;
  config(): MetricsConfig;
  now(): Moment;
  /** Whether an event that drops series is being written. */
  isDropping(): boolean;
  /** Called for every sample that counts and for every refusal. */
  noteIngested(sample: Sample): void;
  noteDropped(reason: DropReason | "invalid"): void;
}

/** One item of `failed` in the answer to a batch. */
interface Failure {
  readonly index: number;
  readonly name: string | null;
  readonly code: "VALIDATION_ERROR" | "INGESTION_ERROR";
  readonly error: string;
}

/** The items of a body that found a place, and what the rest of the record needs. */
interface Admission {
  readonly samples: Sample[];
  readonly series: Series[];
  readonly refused: number[];
  readonly failed: Failure[];
  /** By name; a name may be `__proto__`. */
  readonly buckets: Map<string, readonly number[]>;
}

/** `POST /api/metrics`. */
export function ingestMetric(context: IngestContext, request: Request): Promise<Reply> {
  requireEnabled(context);
  const issues: Issue[] = [];
  const admission = admitNothing();
  const sample = readSample(request.json, issues, recogniseIn(context));
  if (sample === undefined) {
    context.noteDropped("invalid");
    throw new HttpError(400, "VALIDATION_ERROR", summarise(issues), { details: issues });
  }
  const refusal = admit(context, sample, admission);
  if (refusal !== undefined) {
    throw new HttpError(400, "INGESTION_ERROR", refusal.message, { details: { reason: refusal.reason } });
  }
  return commit(context, eventOf(context, { kind: "metric", raw: request.body, admission, requestId: undefined })).then(
    () => NO_CONTENT,
  );
}

/** `POST /api/metrics/batch`. */
export async function ingestBatch(context: IngestContext, request: Request): Promise<Reply> {
  requireEnabled(context);
  const { requestId, metrics } = readEnvelope(request.json, context.config().maxBatchSize);
  // No other request may come between the last look at the table and `hold`: nothing is awaited there.
  if (requestId !== undefined)
    for (let first = findRacing(context, requestId); first; first = findRacing(context, requestId)) await first;
  const admission = admitAll(context, metrics);
  const written = commit(context, eventOf(context, { kind: "batch", raw: request.body, admission, requestId }));
  await (requestId === undefined ? written : context.store.state.requestIds.hold(requestId, written));
  return jsonReply({ success: admission.samples.length, failed: admission.failed });
}

function recogniseIn({ store }: IngestContext): Recognise {
  const { registry } = store.state;
  return (name, type, labels) => registry.recognise(name, type, labels);
}

function requireEnabled(context: IngestContext): void {
  if (!context.config().enabled)
    throw new HttpError(503, "UNAVAILABLE", "metrics are switched off (metrics.enabled is false)");
}

function readEnvelope(
  json: unknown,
  maxBatchSize: number,
): { requestId: string | undefined; metrics: readonly unknown[] } {
  const issues: Issue[] = [];
  const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
  const { requestId, metrics, ...rest } = (isObject ? json : {}) as Record<string, unknown>;
  for (const field of Object.keys(rest).slice(0, MOST_ISSUES))
    issues.push({ path: field.slice(0, 64), message: "unknown field; a batch has requestId and metrics" });
  if (!isObject) issues.push({ path: "", message: "expected an object with a list of metrics" });
  else if (!Array.isArray(metrics)) issues.push({ path: "metrics", message: "expected a list of metrics" });
  else if (metrics.length > maxBatchSize) {
    issues.push({
      path: "metrics",
      message: `expected at most ${maxBatchSize} metrics, not ${metrics.length} (metrics.maxBatchSize)`,
    });
  }
  if (requestId !== undefined && !isRequestId(requestId)) {
    issues.push({ path: "requestId", message: `expected a string of 1 to ${MOST_REQUEST_ID_CHARACTERS} characters` });
  }
  if (issues.length > 0) throw new HttpError(400, "VALIDATION_ERROR", summarise(issues), { details: issues });
  return { requestId: requestId as string | undefined, metrics: metrics as readonly unknown[] };
}

function isRequestId(value: unknown): boolean {
  return (
    typeof value === "string" && value.length >= 1 && value.length <= MOST_REQUEST_ID_CHARACTERS && value.isWellFormed()
  );
}

/**
 * The outcome of a batch with this id that is being written right now, to wait for; `undefined` when the id is free.
 */
function findRacing(context: IngestContext, requestId: string): Promise<unknown> | undefined {
  const { requestIds } = context.store.state;
  requestIds.capacity = context.config().maxRequestIds;
  const status = requestIds.look(requestId, context.now().nowMs);
  if (status === "seen") {
    throw new HttpError(
      409,
      "DUPLICATE_REQUEST",
      `a batch with the requestId ${JSON.stringify(requestId)} has been counted already`,
    );
  }
  if (status === "full") {
    throw new HttpError(503, "UNAVAILABLE", "too many requestIds in the last 5 minutes (metrics.maxRequestIds)", {
      headers: { "retry-after": "30" },
    });
  }
  return status?.catch(() => undefined);
}

function admitNothing(): Admission {
  return { samples: [], series: [], refused: [], failed: [], buckets: new Map() };
}

function admitAll(context: IngestContext, metrics: readonly unknown[]): Admission {
  const admission = admitNothing();
  const issues: Issue[] = [];
  const recognise = recogniseIn(context);
  metrics.forEach((metric, index) => {
    const sample = readSample(metric, issues, recognise);
    const refusal = sample && admit(context, sample, admission);
    if (sample !== undefined && refusal === undefined) return;
    if (sample === undefined) context.noteDropped("invalid");
    admission.refused.push(index);
    admission.failed.push({
      index,
      name: nameOf(metric),
      code: refusal === undefined ? "VALIDATION_ERROR" : "INGESTION_ERROR",
      error: refusal?.message ?? summarise(issues.splice(0)),
    });
  });
  return admission;
}

function nameOf(metric: unknown): string | null {
  const name = typeof metric === "object" && metric !== null ? (metric as { name?: unknown }).name : undefined;
  return typeof name === "string" ? name.slice(0, 256) : null;
}

/** Finds a place for one sample, or says why there is none. */
function admit(context: IngestContext, sent: Sample, admission: Admission): Refusal | undefined {
  const { registry } = context.store.state;
  const sample = sent.type === "histogram" ? withBuckets(sent, registry, context.config()) : sent;
  const series = registry.reserve(sample);
  if (series instanceof Refusal) {
    context.noteDropped(series.reason);
    return series;
  }
  // Whoever replays the journal has no config: the buckets of a histogram that is not yet on disk, or may be dropped by
  // an event before this one, go into the record.
  if (sample.type === "histogram" && (!series.born || context.isDropping())) {
    const family = registry.family(sample.name)!;
    if (family.bornCount === 0 || context.isDropping()) admission.buckets.set(sample.name, family.upperBounds!);
  }
  admission.samples.push(sample);
  admission.series.push(series);
  return undefined;
}

/**
 * The sample with the buckets that its family gets if it founds it: the config's, else its own, else Prometheus'
 * defaults.
 */
function withBuckets(sample: Sample, registry: Registry, config: MetricsConfig): Sample {
  if (registry.family(sample.name) !== undefined) return sample;
  const rule = config.buckets.find(({ match }) => matchesWildcards(sample.name, match));
  return {
    ...sample,
    buckets: (rule?.buckets as readonly number[] | undefined) ?? sample.buckets ?? DEFAULT_UPPER_BOUNDS,
  };
}

interface EventContent {
  readonly kind: SamplesEvent["kind"];
  readonly raw: Buffer;
  readonly admission: Admission;
  readonly requestId: string | undefined;
}

function eventOf(context: IngestContext, { kind, raw, admission, requestId }: EventContent): SamplesEvent {
  const { samples, series } = admission;
  const { nowMs, wallMs } = context.now();
  return { kind, nowMs, wallMs, raw, samples, series, requestId, extra: extraOf(admission) };
}

function extraOf({ refused, buckets }: Admission): SamplesExtra | undefined {
  if (refused.length === 0 && buckets.size === 0) return undefined;
  return { ...(refused.length > 0 && { refused }), ...(buckets.size > 0 && { buckets: Object.fromEntries(buckets) }) };
}

/** Writes the event; when that fails, the places that were kept are free again. */
async function commit(context: IngestContext, event: SamplesEvent): Promise<void> {
  const { samples, series } = event;
  try {
    await context.store.commit(event);
  } catch (error) {
    samples.forEach((sample, index) => context.store.state.registry.release(sample, series![index]!));
    if (error instanceof RangeError)
      throw new HttpError(413, "PAYLOAD_TOO_LARGE", `${error.message} (storage.maxJournalBytes)`);
    throw error;
  }
  for (const sample of samples) context.noteIngested(sample);
}

function summarise(issues: readonly Issue[]): string {
  return issues.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
}
