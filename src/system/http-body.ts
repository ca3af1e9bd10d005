/**
 * Turns the body of a request into one buffer of bounded size, and that into a JSON value.
 *
 * Units: bytes.
 * Cost: a body that came in one piece is not copied.
 * Errors: a body that is not UTF-8, not JSON, or nested deeper than {@link MAX_JSON_DEPTH} is an {@link HttpError} 400.
 * Not: keys such as `__proto__` are ordinary keys, as `JSON.parse` makes them.
 */
import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { exceedsJsonDepth } from "../core/json-depth.ts";
import { HttpError } from "./http.ts";

const MAX_JSON_DEPTH = 64;
export const NO_BYTES = Buffer.alloc(0);
const FIRST_CHUNKED_BYTES = 4096;

export interface BodyReader {
  /** As {@link announcedBytes} says; at most `maxBytes` unless it is `Infinity`. */
  readonly announcedBytes: number;
  readonly maxBytes: number;
  /** The whole body, as soon as its last byte is there. */
  readonly onBody: (body: Buffer) => void;
  /** Called once, with the first byte too many; after that no byte is kept and neither callback comes again. */
  readonly onTooLarge: () => void;
}

/** Bytes of the body as the head announces them: 0 when there is none, `Infinity` for chunks. */
export function announcedBytes(headers: IncomingHttpHeaders): number {
  return headers["transfer-encoding"] === undefined ? Number(headers["content-length"] ?? 0) : Infinity;
}

/** A request cut off in its body calls neither callback. */
export function readBody(req: IncomingMessage, reader: BodyReader): void {
  if (reader.announcedBytes === Infinity) readChunks(req, reader);
  else readAnnounced(req, reader);
}

/** Does not wait for the `end` of a body whose length is known: that comes a turn of the tick queue later. */
function readAnnounced(req: IncomingMessage, { announcedBytes, onBody }: BodyReader): void {
  let body: Buffer | undefined;
  let filledBytes = 0;
  req.on("data", (piece: Buffer) => {
    if (piece.length === announcedBytes) return onBody(piece);
    body ??= Buffer.allocUnsafeSlow(announcedBytes);
    filledBytes += piece.copy(body, filledBytes);
    if (filledBytes === announcedBytes) onBody(body);
  });
}

/** Copies each piece at once: a million chunks of one byte, kept as buffers, would hold 200 times their size. */
function readChunks(req: IncomingMessage, { maxBytes, onBody, onTooLarge }: BodyReader): void {
  let body: Buffer = Buffer.allocUnsafeSlow(FIRST_CHUNKED_BYTES);
  let filledBytes = 0;
  req.on("data", (piece: Buffer) => {
    if (filledBytes > maxBytes) return;
    const offset = filledBytes;
    filledBytes += piece.length;
    if (filledBytes > maxBytes) {
      body = NO_BYTES;
      return onTooLarge();
    }
    if (filledBytes > body.length) body = enlarge(body, Math.max(filledBytes, 2 * body.length));
    piece.copy(body, offset);
  });
  req.on("end", () => {
    if (filledBytes <= maxBytes) onBody(body.subarray(0, filledBytes));
  });
}

function enlarge(bytes: Buffer, sizeBytes: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(sizeBytes);
  bytes.copy(larger);
  return larger;
}

/** `undefined` for an empty body. Throws an {@link HttpError} for anything that is not JSON in UTF-8. */
export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw faultyBody("the body is not valid UTF-8");
  if (exceedsJsonDepth(bytes, MAX_JSON_DEPTH)) throw faultyBody(`the body is nested more than ${MAX_JSON_DEPTH} deep`);
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    throw faultyBody(`the body is not JSON: ${(error as Error).message}`);
  }
}

function faultyBody(message: string): HttpError {
  const details = [{ path: "", message }];
  return new HttpError(400, "VALIDATION_ERROR", `Cannot read the request: ${message}`, { details });
}
