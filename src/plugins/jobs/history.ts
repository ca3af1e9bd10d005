/**
 * What the jobs plugin keeps for good, and the events that change it: each job's schedule and last decided slot, its
 * pause, the jobs made through the API, and the runs.
 *
 * Rows are values: a change puts a new row in the place of the old one, so that a snapshot need only copy the lists.
 */
import type { StoreDefinition } from "../../system/store.ts";
import { isFailure, type ProcessMark, type RunEnd, type RunRow } from "./run-row.ts";

export interface JobRecord {
  readonly name: string;
  /** The schedule in force, as text; `null` without one. */
  schedule: string | null;
  /** The zone in force. */
  timeZone: string;
  /** The zone is the machine's, since nobody named one. */
  isDefaultZone: boolean;
  /** When the schedule came into force: what `@in` counts from and `@every` keeps in step with. */
  sinceMs: number;
  /** Slots up to this one have been decided. */
  decidedMs: number;
  paused: Pause | undefined;
  /** Runs that failed since the last one that did not. */
  failures: number;
  /** When its last run began, and when its last good one ended. */
  lastStartMs: number | undefined;
  lastOkMs: number | undefined;
  /** As it was sent through the API; `undefined` for a job of the config. */
  definition: unknown;
  /** It is defined nowhere any more; its history stays until it is old. */
  isGone: boolean;
  /** Oldest first. */
  runs: RunRow[];
}

export interface Pause {
  readonly sinceMs: number;
  readonly note: string;
  readonly by: "person" | "failures";
}

export interface JobsState {
  readonly jobs: Map<string, JobRecord>;
  /** The jobs of the rows that are queued or running, by row. */
  readonly active: Map<number, string>;
  lastRunId: number;
  /** The boot of the machine at the last start of the daemon. */
  bootId: string | undefined;
}

export type JobsEvent =
  | { readonly kind: "boot"; readonly bootId: string }
  /** A schedule comes into force: of a new job, of a job that changed it, of one that came back. */
  | {
      readonly kind: "adopt";
      readonly job: string;
      readonly schedule: string | null;
      readonly timeZone: string;
      readonly isDefaultZone: boolean;
      readonly sinceMs: number;
      readonly decidedMs: number;
    }
  | { readonly kind: "define"; readonly job: string; readonly definition: unknown }
  | { readonly kind: "release"; readonly job: string }
  | { readonly kind: "row"; readonly row: RunRow; readonly decidedMs?: number | undefined }
  | { readonly kind: "begin"; readonly id: number; readonly atMs: number }
  | { readonly kind: "mark"; readonly id: number; readonly mark: ProcessMark; readonly attempts: number }
  | { readonly kind: "end"; readonly id: number; readonly end: RunEnd }
  | { readonly kind: "pause"; readonly job: string; readonly pause: Pause }
  | { readonly kind: "resume"; readonly job: string }
  | { readonly kind: "prune"; readonly job: string; readonly ids: readonly number[] };

/** Output is kept in memory for so many of a job's newest runs; for the others it stands in their files. */
export const RUNS_WITH_OUTPUT = 10;

export const historyStore: StoreDefinition<JobsState, JobsEvent> = {
  version: 1,
  initial: () => ({ jobs: new Map(), active: new Map(), lastRunId: 0, bootId: undefined }),
  apply,
  encode: (event) => [Buffer.from(JSON.stringify(event))],
  decode: (bytes) => JSON.parse(bytes.toString()) as JobsEvent,
  snapshot,
  restore: (pieces) => restore(pieces),
};

function apply(state: JobsState, event: JobsEvent): void {
  if (event.kind === "boot") state.bootId = event.bootId;
  else if (event.kind === "adopt") adopt(state, event);
  else if (event.kind === "define") recordOf(state, event.job).definition = event.definition;
  else if (event.kind === "row") addRow(state, event.row, event.decidedMs);
  else if (event.kind === "begin" || event.kind === "mark" || event.kind === "end") changeRow(state, event);
  else {
    const record = state.jobs.get(event.job);
    if (record !== undefined) changeRecord(state, record, event);
  }
}

function adopt(state: JobsState, event: Extract<JobsEvent, { kind: "adopt" }>): void {
  const record = recordOf(state, event.job);
  const { schedule, timeZone, isDefaultZone, sinceMs, decidedMs } = event;
  Object.assign(record, { schedule, timeZone, isDefaultZone, sinceMs, decidedMs, isGone: false });
}

function recordOf(state: JobsState, name: string): JobRecord {
  let record = state.jobs.get(name);
  if (record === undefined) {
    record = {
      name,
      schedule: null,
      timeZone: "UTC",
      isDefaultZone: true,
      sinceMs: 0,
      decidedMs: 0,
      paused: undefined,
      failures: 0,
      lastStartMs: undefined,
      lastOkMs: undefined,
      definition: undefined,
      isGone: true,
      runs: [],
    };
    state.jobs.set(name, record);
  }
  return record;
}

function changeRecord(
  state: JobsState,
  record: JobRecord,
  event: Extract<JobsEvent, { kind: "release" | "pause" | "resume" | "prune" }>,
): void {
  if (event.kind === "release")
    Object.assign(record, { isGone: true, definition: undefined, paused: undefined, failures: 0 });
  else if (event.kind === "pause") record.paused = event.pause;
  else if (event.kind === "resume") Object.assign(record, { paused: undefined, failures: 0 });
  else {
    const pruned = new Set(event.ids);
    record.runs = record.runs.filter(({ id }) => !pruned.has(id));
    for (const id of pruned) if (state.active.get(id) === event.job) state.active.delete(id);
  }
  if (record.isGone && record.runs.length === 0) state.jobs.delete(record.name);
}

function addRow(state: JobsState, row: RunRow, decidedMs: number | undefined): void {
  const record = recordOf(state, row.job);
  state.lastRunId = Math.max(state.lastRunId, row.id);
  if (decidedMs !== undefined) record.decidedMs = Math.max(record.decidedMs, decidedMs);
  const last = record.runs.at(-1);
  if (last !== undefined && joins(last, row)) {
    record.runs[record.runs.length - 1] = join(last, row);
    return;
  }
  record.runs.push(row);
  dropOutput(record.runs, record.runs.length - 1 - RUNS_WITH_OUTPUT);
  if (row.state === "queued" || row.state === "running") state.active.set(row.id, row.job);
  if (row.state === "running") record.lastStartMs = row.startedMs;
}

/** Slots in a row that did not run for the same reason are one row, and so are wishes that no clock had. */
function joins(last: RunRow, row: RunRow): boolean {
  return (
    (row.state === "missed" || row.state === "skipped") &&
    last.state === row.state &&
    last.reason === row.reason &&
    (last.slotMs === undefined) === (row.slotMs === undefined) &&
    (row.slotMs !== undefined || (last.trigger === row.trigger && last.startedMs === undefined))
  );
}

function join(last: RunRow, row: RunRow): RunRow {
  return {
    ...last,
    count: (last.count ?? 1) + (row.count ?? 1),
    lastSlotMs: row.lastSlotMs ?? row.slotMs,
    isAtLeast: last.isAtLeast || row.isAtLeast,
    endedMs: row.endedMs,
  };
}

function changeRow(state: JobsState, event: Extract<JobsEvent, { kind: "begin" | "mark" | "end" }>): void {
  const record = state.jobs.get(state.active.get(event.id) ?? "");
  const index = record === undefined ? -1 : findRow(record.runs, event.id);
  if (record === undefined || index < 0) return;
  const row = record.runs[index]!;
  if (event.kind === "begin") {
    record.runs[index] = { ...row, state: "running", startedMs: event.atMs };
    record.lastStartMs = event.atMs;
  } else if (event.kind === "mark") record.runs[index] = { ...row, mark: event.mark, attempts: event.attempts };
  else {
    record.runs[index] = { ...row, ...event.end };
    state.active.delete(event.id);
    noteEnd(record, record.runs[index]!, index);
  }
}

function noteEnd(record: JobRecord, row: RunRow, index: number): void {
  if (row.state === "ok") {
    record.failures = 0;
    record.lastOkMs = row.endedMs;
  } else if (isFailure(row.state)) record.failures++;
  const before = record.runs[index - 1];
  // A precheck that said no: what was begun by the schedule is no more than a slot that was skipped.
  if (row.state === "skipped" && row.trigger === "schedule" && before !== undefined && joins(before, row)) {
    record.runs.splice(index - 1, 2, join(before, row));
  }
  if (index < record.runs.length - RUNS_WITH_OUTPUT) dropOutput(record.runs, index);
}

function dropOutput(runs: RunRow[], index: number): void {
  // A negative index is one that V8 looks up by name.
  const row = index < 0 ? undefined : runs[index];
  if (row?.stdout !== undefined || row?.stderr !== undefined)
    runs[index] = { ...row, stdout: undefined, stderr: undefined };
}

/** A row as it stands; `undefined` when there is none of that number, or no more. */
export function rowOf({ jobs }: JobsState, job: string, id: number): RunRow | undefined {
  const runs = jobs.get(job)?.runs ?? [];
  return runs[findRow(runs, id)];
}

/** The index of the row, rows being in the order of their ids; negative when it is not there. */
export function findRow(runs: readonly RunRow[], id: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (runs[middle]!.id < id) low = middle + 1;
    else high = middle;
  }
  return runs[low]?.id === id ? low : -1;
}

/** A piece of a snapshot: about this many characters of JSON lines. */
const PIECE_CHARACTERS = 32_768;

function snapshot(state: JobsState): Iterable<Uint8Array> {
  const records = [...state.jobs.values()].map((record) => ({ ...record, runs: [...record.runs] }));
  return snapshotPieces({ lastRunId: state.lastRunId, bootId: state.bootId }, records);
}

function* snapshotPieces(head: object, records: readonly JobRecord[]): Generator<Uint8Array> {
  let piece = JSON.stringify(head) + "\n";
  for (const { runs, ...record } of records) {
    for (const line of [record, ...runs]) {
      piece += JSON.stringify(line) + "\n";
      if (piece.length < PIECE_CHARACTERS) continue;
      yield Buffer.from(piece);
      piece = "";
    }
  }
  yield Buffer.from(piece);
}

function restore(pieces: Iterable<Buffer>): JobsState {
  const lines = parseLines(pieces);
  const head = lines.next().value as Pick<JobsState, "lastRunId" | "bootId">;
  const state: JobsState = { ...historyStore.initial(), lastRunId: head.lastRunId, bootId: head.bootId };
  for (const line of lines) {
    if ("job" in line) restoreRow(state, line);
    else state.jobs.set(line.name, { ...recordOf(state, line.name), ...line, runs: [] });
  }
  return state;
}

function restoreRow(state: JobsState, row: RunRow): void {
  state.jobs.get(row.job)!.runs.push(row);
  if (row.state === "queued" || row.state === "running") state.active.set(row.id, row.job);
}

/** Pieces end at line ends, since `snapshotPieces` wrote them so. */
function* parseLines(pieces: Iterable<Buffer>): Generator<RunRow | Omit<JobRecord, "runs">> {
  for (const piece of pieces) {
    for (const line of piece.toString().split("\n")) if (line !== "") yield JSON.parse(line);
  }
}
