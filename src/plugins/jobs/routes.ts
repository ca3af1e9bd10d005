/**
 * The HTTP face of the jobs. Every route is private: whoever may use it can make the daemon run programs.
 *
 * Errors: HttpError, with 404 for a job or run that is not there.
 */
import { preview } from "../../core/cron.ts";
import { parseDuration } from "../../core/duration.ts";
import type { Reply, Request, Route } from "../../system/http.ts";
import { HttpError, jsonReply, needBody, privateRoutes, type Services, waitFor, withLocation } from "../plugin.ts";
import { type ApiServices, createJob, needJob, removeJob, replaceJob } from "./api-jobs.ts";
import type { Engine } from "./engine.ts";
import { explainSchedule } from "./explain.ts";
import { findRow } from "./history.ts";
import { keepsSession } from "./job.ts";
import { readOutput } from "./output.ts";
import { RUN_STATES, type RunRow, type RunState } from "./run-row.ts";
import { viewJob, viewRun, viewRunWithOutput } from "./views.ts";

const LONGEST_WAIT_MS = 3_600_000;
const MOST_ROWS = 1_000;
const MOST_RUNS_SHOWN = 1_000;

export function jobRoutes(services: Services, engine: Engine): readonly Route[] {
  const api: ApiServices = { services, engine, beingMade: new Set() };
  const route = privateRoutes("/api/");
  return [
    route("GET", "jobs", () => listJobs(engine)),
    route("POST", "jobs", async (request) => {
      const { name } = await createJob(api, needBody(request));
      return withLocation(showJob(engine, name, 201), `/api/jobs/${name}`);
    }),
    route("GET", "jobs/:name", (request) => showJob(engine, nameOf(request))),
    route("PUT", "jobs/:name", async (request) => {
      const { isNew } = await replaceJob(api, nameOf(request), needBody(request));
      return showJob(engine, nameOf(request), isNew ? 201 : 200);
    }),
    route("DELETE", "jobs/:name", async (request) => {
      await removeJob(api, nameOf(request));
      return { status: 204 };
    }),
    { ...route("POST", "jobs/:name/run", (request) => runJob(api, request)), deadlineMs: 0 },
    route("POST", "jobs/:name/pause", (request) => pauseJob(api, request)),
    route("POST", "jobs/:name/resume", async (request) => {
      const { name } = needJob(api, nameOf(request));
      await engine.agenda.resume(name);
      return showJob(engine, name);
    }),
    route("POST", "jobs/:name/cancel", (request) => {
      const { name } = needJob(api, nameOf(request));
      const id = request.query.get("run");
      return jsonReply({ cancelled: engine.dispatcher.cancel(name, id === null ? undefined : readId(id)) });
    }),
    route("GET", "jobs/:name/runs", (request) => listRuns(engine, request)),
    route("GET", "jobs/:name/runs/:id", (request) => jsonReply(viewRunWithOutput(needRun(engine, request)))),
    {
      ...route("GET", "jobs/:name/runs/:id/output", (request) => readOutput(api, needRun(engine, request), request)),
      deadlineMs: 0,
    },
    route("GET", "jobs/:name/next", (request) => showNext(api, request)),
    route("POST", "cron/explain", (request) => {
      const timeZone = engine.config().timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
      return jsonReply(explainSchedule(needBody(request), { nowMs: services.clock.wallMs(), timeZone }));
    }),
  ];
}

function nameOf({ params }: Request): string {
  return params["name"]!;
}

function listJobs(engine: Engine): Reply {
  const names = [...engine.catalog().jobs.keys(), ...engine.catalog().blocked.keys()].sort();
  return jsonReply({
    jobs: names.map((name) => viewJob(engine, name)).filter((view) => view !== undefined),
    problems: engine.problems(),
  });
}

function showJob(engine: Engine, name: string, status = 200): Reply {
  const view = viewJob(engine, name);
  if (view === undefined) throw new HttpError(404, "NOT_FOUND", `there is no job "${name}"`);
  const job = engine.agenda.find(name);
  return jsonReply({ ...view, definition: job?.shown ?? null, policy: job?.policy ?? null }, status);
}

async function runJob(api: ApiServices, request: Request): Promise<Reply> {
  const { engine } = api;
  const job = needJob(api, nameOf(request));
  const waitMs = readWait(request.query.get("wait"));
  // Nothing keeps two agents apart that go on with the same session.
  const insistence = request.query.has("force") && !keepsSession(job.definition) ? "always" : undefined;
  const { row, over } = await engine.dispatcher.submit({ job, trigger: "manual", insistence });
  if (row.state === "skipped") {
    throw new HttpError(409, "CONFLICT", `the job "${job.name}" is not run: ${row.reason}`, {
      details: { run: row.id, reason: row.reason ?? "" },
    });
  }
  const ended =
    waitMs === 0 ? undefined : await waitFor(api.services.clock, over(), { waitMs, signal: request.signal });
  if (ended !== undefined) return jsonReply({ run: viewRunWithOutput(ended) });
  return withLocation(jsonReply({ run: viewRun(row) }, 202), `/api/jobs/${job.name}/runs/${row.id}`);
}

async function pauseJob(api: ApiServices, request: Request): Promise<Reply> {
  const { name } = needJob(api, nameOf(request));
  const pause = { sinceMs: api.services.clock.wallMs(), note: readNote(request), by: "person" as const };
  await api.engine.store.commit({ kind: "pause", job: name, pause });
  return showJob(api.engine, name);
}

function listRuns(engine: Engine, request: Request): Reply {
  const { query } = request;
  const runs = needRuns(engine, nameOf(request));
  const state = readState(query.get("state"));
  const before = query.get("before") === null ? Infinity : readId(query.get("before")!);
  const limit = readNumber(query, "limit", { fallback: 50, most: MOST_ROWS });
  const matching = runs.filter((row) => (state === null || row.state === state) && row.id < before);
  const page = matching.slice(-limit).reverse();
  return jsonReply({ runs: page.map(viewRun), next: matching.length > page.length ? page.at(-1)!.id : null });
}

function readState(text: string | null): string | null {
  if (text === null || RUN_STATES.includes(text as RunState)) return text;
  throw refuse(`state: expected one of ${RUN_STATES.join(", ")}, not ${JSON.stringify(text)}`);
}

function needRuns(engine: Engine, name: string): readonly RunRow[] {
  const record = engine.store.state.jobs.get(name);
  if (record === undefined) throw new HttpError(404, "NOT_FOUND", `there is no job "${name}"`);
  return record.runs;
}

/** The run of the address; `last` is the newest that has begun, or that is about to when it is to be followed. */
function needRun(engine: Engine, request: Request): RunRow {
  const name = nameOf(request);
  const runs = needRuns(engine, name);
  const id = request.params["id"]!;
  const isFollowed = request.query.has("follow");
  const isLast = ({ startedMs, state }: RunRow): boolean =>
    startedMs !== undefined || (isFollowed && state === "queued");
  const row = id === "last" ? runs.findLast(isLast) : runs[findRow(runs, readId(id))];
  if (row !== undefined) return row;
  throw new HttpError(
    404,
    "NOT_FOUND",
    id === "last" ? `the job "${name}" has not run yet` : `the job "${name}" has no run ${id}`,
  );
}

function showNext(api: ApiServices, request: Request): Reply {
  const { engine, services } = api;
  const { name } = needJob(api, nameOf(request));
  const count = readNumber(request.query, "count", { fallback: 10, most: MOST_RUNS_SHOWN });
  const { schedule, zone } = engine.agenda.timingOf(name)!;
  if (schedule === undefined) return jsonReply({ timeZone: zone.name, runs: [], transition: null });
  // What was run before the clock went back will not be run again.
  const afterMs = Math.max(services.clock.wallMs(), engine.store.state.jobs.get(name)!.decidedMs);
  return jsonReply({ timeZone: zone.name, ...preview(schedule, zone, { afterMs, count }) });
}

function readNote({ json }: Request): string {
  const note = (json as { note?: unknown } | null | undefined)?.note ?? "";
  if (typeof note === "string" && note.length <= 1000) return note;
  throw refuse("note: expected a string of at most 1000 characters");
}

function readWait(text: string | null): number {
  if (text === null) return 0;
  try {
    return Math.min(LONGEST_WAIT_MS, parseDuration(text));
  } catch (error) {
    throw refuse(`wait: ${(error as Error).message}`);
  }
}

function readId(text: string): number {
  if (/^[1-9]\d{0,15}$/.test(text)) return Number(text);
  throw refuse(`expected the number of a run, not ${JSON.stringify(text)}`);
}

function readNumber(query: URLSearchParams, name: string, range: { fallback: number; most: number }): number {
  const text = query.get(name);
  if (text === null) return range.fallback;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= range.most) return value;
  throw refuse(`${name}: expected a whole number from 1 to ${range.most}, not ${JSON.stringify(text)}`);
}

function refuse(message: string): HttpError {
  return new HttpError(400, "VALIDATION_ERROR", message);
}
