/**
 * Definitions that come through the API -> jobs in the store: made, replaced, removed.
 *
 * Errors: HttpError. A job that stands in the config or in a file is changed there and nowhere else.
 */
import { findTimeZone, nextRun, parseSchedule } from "../../core/cron.ts";
import { REDACTED } from "../../core/redact.ts";
import type { Issue } from "../../core/validate.ts";
import { HttpError, refuseIssues, type Services } from "../plugin.ts";
import type { Engine } from "./engine.ts";
import { describeSource, type Job, readJob } from "./sources.ts";

export interface ApiServices {
  readonly services: Services;
  readonly engine: Engine;
  /** Names of jobs that are being written down. */
  readonly beingMade: Set<string>;
}

export async function createJob(api: ApiServices, raw: unknown): Promise<Job> {
  const { engine } = api;
  restoreRedacted(raw, undefined);
  const job = readNew(api, raw, undefined);
  const { name } = job;
  if (isKnown(api, name)) {
    const source = engine.agenda.find(name)?.source ?? { from: "api" };
    const advice = source.from === "api" ? "PUT (jobs edit) replaces it" : "choose another name";
    throw new HttpError(409, "CONFLICT", `there is a job "${name}" already, of ${describeSource(source)}: ${advice}`);
  }
  api.beingMade.add(name);
  try {
    await store(api, name, raw);
  } finally {
    api.beingMade.delete(name);
  }
  return job;
}

/** `isNew`: there was none of that name. */
export async function replaceJob(api: ApiServices, name: string, sent: unknown): Promise<{ readonly isNew: boolean }> {
  const isNew = !isKnown(api, name);
  if (!isNew && !api.beingMade.has(name)) refuseForeign(api, name);
  const before = api.engine.store.state.jobs.get(name)?.definition;
  const whole = restoreRedacted(withName(sent, name), before);
  readNew(api, whole, name);
  await store(api, name, whole);
  return { isNew };
}

export async function removeJob(api: ApiServices, name: string): Promise<void> {
  refuseForeign(api, name);
  await api.engine.store.commit({ kind: "release", job: name });
  await api.engine.follow(api.engine.config());
}

/** Throws 404 for a job that is not there, 409 for one that cannot run. */
export function needJob({ engine }: Pick<ApiServices, "engine">, name: string): Job {
  const job = engine.agenda.find(name);
  if (job !== undefined) return job;
  const problem = engine.catalog().blocked.get(name);
  if (problem !== undefined) throw new HttpError(409, "CONFLICT", `the job "${name}" cannot run: ${problem}`);
  throw new HttpError(404, "NOT_FOUND", `there is no job "${name}"`);
}

function isKnown({ engine, beingMade }: ApiServices, name: string): boolean {
  return engine.agenda.find(name) !== undefined || engine.catalog().blocked.has(name) || beingMade.has(name);
}

function refuseForeign({ engine }: ApiServices, name: string): void {
  if (engine.catalog().blocked.has(name)) return;
  const { source } = needJob({ engine }, name);
  if (source.from === "api") return;
  throw new HttpError(
    409,
    "CONFLICT",
    `the job "${name}" stands in ${describeSource(source)}: change it there, then reload`,
  );
}

async function store({ engine }: ApiServices, job: string, definition: unknown): Promise<void> {
  await engine.store.commit({ kind: "define", job, definition });
  await engine.follow(engine.config());
}

function readNew({ services, engine }: ApiServices, raw: unknown, name: string | undefined): Job {
  const read = readJob(services, { value: raw, source: { from: "api" }, config: engine.config() });
  if (!read.ok) throw refuseIssues(read.issues);
  const { job } = read;
  if (name !== undefined && job.name !== name)
    throw refuseIssues([{ path: "name", message: `is "${job.name}", but the address says "${name}"` }]);
  refusePast(job, services.clock.wallMs());
  return job;
}

/** A single instant that is over will not come again. */
function refusePast({ name, definition }: Job, nowMs: number): void {
  if (definition.schedule === undefined) return;
  const parsed = parseSchedule(definition.schedule, { jobId: name, anchorMs: nowMs });
  if (!parsed.ok || parsed.schedule.kind !== "at" || nextRun(parsed.schedule, findTimeZone("UTC")!, nowMs) !== null)
    return;
  throw refuseIssues([
    { path: "schedule", message: `lies in the past: ${new Date(parsed.schedule.atMs).toISOString()}` },
  ]);
}

/** The name may be left out where the address has it. */
function withName(sent: unknown, name: string): unknown {
  return isObject(sent) && !Object.hasOwn(sent, "name") ? { name, ...sent } : sent;
}

/** Puts what is stored in the place of each `[redacted]`, so that what was shown can be sent back. */
function restoreRedacted(value: unknown, before: unknown): unknown {
  const issues: Issue[] = [];
  const whole = fillRedacted({ value, before, path: "" }, issues);
  if (issues.length > 0) throw refuseIssues(issues);
  return whole;
}

interface Place {
  readonly value: unknown;
  /** What is stored at the same place. */
  readonly before: unknown;
  readonly path: string;
}

function fillRedacted({ value, before, path }: Place, issues: Issue[]): unknown {
  if (typeof value === "string" && value.includes(REDACTED)) {
    if (value === REDACTED && before !== undefined) return before;
    issues.push({
      path,
      message: `${REDACTED} stands for a value that is not shown; there is none here to keep: write the value itself`,
    });
    return value;
  }
  const below = (key: string | number): string => (path === "" ? String(key) : `${path}.${key}`);
  if (Array.isArray(value)) {
    const items: readonly unknown[] = Array.isArray(before) ? before : [];
    return value.map((item: unknown, index) =>
      fillRedacted({ value: item, before: items[index], path: below(index) }, issues),
    );
  }
  if (!isObject(value)) return value;
  const known = isObject(before) ? before : {};
  const fill = (key: string, item: unknown): unknown =>
    fillRedacted({ value: item, before: Object.hasOwn(known, key) ? known[key] : undefined, path: below(key) }, issues);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(key, item)]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
