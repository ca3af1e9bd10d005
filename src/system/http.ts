import type { Issue } from "../core/validate.ts";

/** What a handler is given. Made without a socket in tests. */
export interface Request {
  readonly method: string;
  /** The path alone, still percent-encoded; the query apart. */
  readonly path: string;
  /** The `:name` parts of the route's pattern, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Parsed when first asked for. */
  readonly query: URLSearchParams;
  /** The value of a header, by its lower-case name. */
  header(name: string): string | undefined;
  /** The raw bytes of the body, valid UTF-8 where the route takes JSON; empty without a body. */
  readonly body: Buffer;
  /** The parsed body of a route that takes JSON; `undefined` without a body. */
  readonly json: unknown;
  /** Aborts when the client has gone or the deadline has passed. Made when first asked for. */
  readonly signal: AbortSignal;
}

/** What a handler answers. An async iterable is written piece by piece, at the pace of the reader. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | AsyncIterable<string | Uint8Array>;
}

/**
 * Who may call a route. `open`: anyone on a trusted host. `read`: open unless `auth.protectReads`. `write`: the token when
 * `auth.enabled`. `private`: always the token. Reaching the daemon's own socket counts as the token.
 */
export type Access = "open" | "read" | "write" | "private";

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** `/api/metrics/:name`; the label of the route in the self-metrics. */
  readonly pattern: string;
  readonly access: Access;
  /** Milliseconds until the answer is 503; the server's default when absent, none when 0. */
  readonly deadlineMs?: number;
  readonly handle: (request: Request) => Reply | Promise<Reply>;
}

export type ErrorCode =
  | "VALIDATION_ERROR" | "INGESTION_ERROR" | "BAD_REQUEST" | "AUTH_MISSING" | "AUTH_INVALID" | "FORBIDDEN" | "NOT_FOUND"
  | "METHOD_NOT_ALLOWED" | "CONFLICT" | "DUPLICATE_REQUEST" | "PAYLOAD_TOO_LARGE" | "UNSUPPORTED_MEDIA_TYPE" | "RATE_LIMITED"
  | "INTERNAL_ERROR" | "UNAVAILABLE";

/** An answer other than success, thrown by a handler: becomes `{error, code, details}`. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: ErrorCode;
  /** A list of issues for VALIDATION_ERROR, else an object. */
  readonly details: readonly Issue[] | Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    extra: { details?: HttpError["details"]; headers?: HttpError["headers"] } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = extra.details ?? {};
    this.headers = extra.headers ?? {};
  }
}

/** A 200 with a JSON body. */
export function jsonReply(value: unknown, status = 200): Reply {
  return { status, headers: { "content-type": "application/json; charset=utf-8" }, body: JSON.stringify(value) + "\n" };
}
