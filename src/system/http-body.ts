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

export const MAX_JSON_DEPTH = 64;

export interface BodyReader {
  readonly maxBytes: number;
  /** The whole body, at its end. */
  readonly onEnd: (body: Buffer) => void;
  /** Called once, with the first byte too many; after that no byte is kept and neither callback comes again. */
  readonly onTooLarge: () => void;
}

/** Whether the head announces a body. */
export function announcesBody(headers: IncomingHttpHeaders): boolean {
  const length = headers["content-length"];
  return (length !== undefined && length !== "0") || headers["transfer-encoding"] !== undefined;
}

/** A request cut off in its body calls neither callback. */
export function readBody(req: IncomingMessage, reader: BodyReader): void {
  let first: Buffer | undefined;
  let rest: Buffer[] | undefined;
  let sizeBytes = 0;
  req.on("data", (chunk: Buffer) => {
    const wasTooLarge = sizeBytes > reader.maxBytes;
    sizeBytes += chunk.length;
    if (sizeBytes > reader.maxBytes) {
      first = rest = undefined;
      if (!wasTooLarge) reader.onTooLarge();
    } else if (first === undefined) first = chunk;
    else (rest ??= [first]).push(chunk);
  });
  req.on("end", () => {
    if (sizeBytes <= reader.maxBytes) reader.onEnd(rest ? Buffer.concat(rest, sizeBytes) : (first ?? NO_BYTES));
  });
}

export const NO_BYTES = Buffer.alloc(0);

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
