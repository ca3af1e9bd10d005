/**
 * What a run printed -> an answer in plain text: the file of an attempt, or what the history keeps of one stream.
 *
 * With `?follow` the answer goes on as the file grows, from attempt to attempt, until the run is over.
 */
import type { Reply, Request } from "../../system/http.ts";
import { HttpError, type Services } from "../plugin.ts";
import type { Engine } from "./engine.ts";
import { rowOf } from "./history.ts";
import { outputFile } from "./run-files.ts";
import { isOver, type RunRow } from "./run-row.ts";

export interface OutputServices {
  readonly services: Pick<Services, "clock" | "files">;
  readonly engine: Engine;
}

const HEADERS = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };
const PIECE_BYTES = 65_536;
const LOOK_MS = 200;

/** `?stream=stdout|stderr` is from the history; else it is the file of the last attempt, or of `?attempt=N`. */
export async function readOutput(context: OutputServices, row: RunRow, { query, signal }: Request): Promise<Reply> {
  const stream = query.get("stream");
  if (stream === "stdout" || stream === "stderr") return toReply(row[stream]?.text ?? "");
  if (stream !== null) throw refuse(`stream: expected "stdout" or "stderr", not ${JSON.stringify(stream)}`);
  const attempt = readAttempt(row, query.get("attempt"));
  if (query.has("follow") && !isOver(row)) return toReply(follow(context, { row, attempt, signal }));
  const file = outputFile(row.job, row.id, attempt ?? attemptsOf(row));
  const first = await context.services.files.read(file, 0, PIECE_BYTES);
  return toReply(first === undefined ? keptOutput(row) : readOn(context, file, 0));
}

/** `undefined` when none is asked for. */
function readAttempt(row: RunRow, asked: string | null): number | undefined {
  if (asked === null) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(asked)) throw refuse(`attempt: expected a number from 1, not ${JSON.stringify(asked)}`);
  const most = attemptsOf(row);
  if (Number(asked) <= most) return Number(asked);
  throw new HttpError(404, "NOT_FOUND", `run ${row.id} has ${most} attempt${most === 1 ? "" : "s"}, not ${asked}`);
}

function attemptsOf({ attempts = 1 }: RunRow): number {
  return Math.max(1, attempts);
}

/** What the history has of both streams: all that there is of a run that writes no file, as of a request. */
function keptOutput({ stdout, stderr }: RunRow): string {
  return (stdout?.text ?? "") + (stderr?.text ?? "");
}

function toReply(body: NonNullable<Reply["body"]>): Reply {
  return { status: 200, headers: HEADERS, body };
}

/** The file from an offset to its present end. */
async function* readOn({ services }: OutputServices, file: string, from: number): AsyncGenerator<Uint8Array> {
  let at = from;
  for (;;) {
    const piece = await services.files.read(file, at, PIECE_BYTES);
    if (piece === undefined || piece.length === 0) return;
    yield piece;
    at += piece.length;
  }
}

/** One attempt, or this one and all that come after it. */
async function* follow(
  context: OutputServices,
  of: { row: RunRow; attempt: number | undefined; signal: AbortSignal },
): AsyncGenerator<string | Uint8Array> {
  let attempt = of.attempt ?? attemptsOf(of.row);
  let at = 0;
  let hasFile = false;
  while (!of.signal.aborted) {
    // Asked first: what was printed before the end is in the file by then.
    const now = rowNow(context.engine, of.row);
    for await (const piece of readOn(context, outputFile(now.job, now.id, attempt), at)) {
      yield piece;
      at += piece.length;
      hasFile = true;
    }
    const hasNext = of.attempt === undefined && attemptsOf(now) > attempt;
    if (hasNext) [attempt, at] = [attempt + 1, 0];
    else if (isOver(now)) return hasFile ? undefined : yield keptOutput(now);
    else await new Promise<void>((resolve) => void context.services.clock.after(LOOK_MS, resolve));
  }
}

/** The row as it stands; as it was when it has been dropped meanwhile. */
function rowNow(engine: Engine, row: RunRow): RunRow {
  return rowOf(engine.store.state, row.job, row.id) ?? { ...row, state: "interrupted" };
}

function refuse(message: string): HttpError {
  return new HttpError(400, "VALIDATION_ERROR", message);
}
