/**
 * What a run printed -> an answer in plain text: the file of an attempt, or what the history keeps of one stream.
 *
 * With `?follow` the answer goes on as the file grows, until the run is over.
 */
import type { Reply, Request } from "../../system/http.ts";
import { HttpError, type Services } from "../plugin.ts";
import { outputFile } from "./attempts.ts";
import type { Engine } from "./engine.ts";
import { findRow } from "./history.ts";
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
  const asked = query.get("attempt");
  if (asked !== null && !/^[1-9]\d{0,3}$/.test(asked))
    throw refuse(`attempt: expected a number from 1, not ${JSON.stringify(asked)}`);
  const file = outputFile(row.job, row.id, asked === null ? Math.max(1, row.attempts ?? 1) : Number(asked));
  if (query.has("follow")) return toReply(follow(context, { row, file, signal }));
  const first = await context.services.files.read(file, 0, PIECE_BYTES);
  return toReply(first === undefined ? (row.stdout?.text ?? "") + (row.stderr?.text ?? "") : readOn(context, file, 0));
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

async function* follow(
  context: OutputServices,
  of: { row: RunRow; file: string; signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  let at = 0;
  while (!of.signal.aborted) {
    // Asked first: what was printed before the end is in the file by then.
    const isLast = isNowOver(context.engine, of.row);
    for await (const piece of readOn(context, of.file, at)) {
      yield piece;
      at += piece.length;
    }
    if (isLast) return;
    await new Promise<void>((resolve) => void context.services.clock.after(LOOK_MS, resolve));
  }
}

function isNowOver(engine: Engine, { job, id }: RunRow): boolean {
  const runs = engine.store.state.jobs.get(job)?.runs ?? [];
  const row = runs[findRow(runs, id)];
  return row === undefined || isOver(row);
}

function refuse(message: string): HttpError {
  return new HttpError(400, "VALIDATION_ERROR", message);
}
