/**
 * The values that a route's handler meets: what it is given, what it answers, what it throws, and who may call it.
 *
 * Not: no sockets here. `http-server.ts` makes a Request of each call and writes the Reply.
 */
import type { RateLimitSettings } from "../core/rate-limit.ts";
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
  /**
   * Aborts when the client has gone, when the deadline has passed, and, once an async iterable is being written or on a
   * route without a deadline, when the server drains. Made when first asked for.
   */
  readonly signal: AbortSignal;
}

/**
 * What a handler answers. An async iterable is written piece by piece, at the pace of the reader; its `return()` is
 * called when the reader leaves or stops reading. Length, `Connection` and `Date` are the server's to write.
 */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | AsyncIterable<string | Uint8Array>;
}

/**
 * Who may call a route. `open`: anyone on a trusted host. `read`: the token when `auth.enabled` and
 * `auth.protectReads`. `write`: the token when `auth.enabled`. `private`: always the token. Reaching the daemon's own
 * socket counts as the token.
 */
export type Access = "open" | "read" | "write" | "private";

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** `/api/metrics/:name`; the label of the route in the self-metrics. */
  readonly pattern: string;
  readonly access: Access;
  /** Milliseconds until the answer is 503; the server's default when absent, none when 0. */
  readonly deadlineMs?: number;
  /** Outside the rate limit: what tells whether the daemon is well must answer when it is flooded. */
  readonly unlimited?: true;
  readonly handle: (request: Request) => Reply | Promise<Reply>;
}

export type ErrorCode =
  | "VALIDATION_ERROR"
  | "INGESTION_ERROR"
  | "BAD_REQUEST"
  | "AUTH_MISSING"
  | "AUTH_INVALID"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "METHOD_NOT_ALLOWED"
  | "CONFLICT"
  | "DUPLICATE_REQUEST"
  | "PAYLOAD_TOO_LARGE"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "RATE_LIMITED"
  | "INTERNAL_ERROR"
  | "UNAVAILABLE";

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

export interface AuthSettings {
  readonly enabled: boolean;
  /** Empty: no token is ever right. */
  readonly token: string;
  /** Whether routes of access `read` ask for the token too, when `enabled`. */
  readonly protectReads: boolean;
}

/** Plain values; what {@link HttpServer.reconfigure} can change while it runs is marked "live". */
export interface HttpSettings {
  /** An address or a name of this machine. */
  readonly listenAddress: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** A Unix socket to listen on as well; whoever can reach it may do everything. Its directory must be 0700. */
  readonly socketPath?: string;
  /** Bytes of a request's body. Live. */
  readonly maxPayloadSize: number;
  /** Names (`metrics.lan`, any port) or names with a port (`metrics.lan:8443`) taken as Host beside loopback. Live. */
  readonly allowedHosts: readonly string[];
  /** From the first byte of a request to the end of its headers. Live. */
  readonly headerTimeoutMs: number;
  /** From the first byte of a request to the end of its body. Live. */
  readonly requestTimeoutMs: number;
  /** How long an idle connection is kept. Live. */
  readonly keepAliveTimeoutMs: number;
  readonly maxHeaderBytes: number;
  /** Of each listener. Live. */
  readonly maxConnections: number;
  /** For routes without a deadline of their own; 0 is none. Live. */
  readonly handlerTimeoutMs: number;
  /** How long an answer may wait for its reader without a byte being taken. Live. */
  readonly writeTimeoutMs: number;
  /** How long {@link HttpServer.stop} waits for the requests in flight. Live. */
  readonly drainTimeoutMs: number;
  /** Live. */
  readonly auth: AuthSettings;
  /** By token, else by address. Live. */
  readonly rateLimit: RateLimitSettings;
}

export interface HttpStats {
  /** Open now. */
  readonly connections: number;
  /** Requests taken since the start, answered or not. */
  readonly requests: number;
  /** Requests without an answer yet. */
  readonly inFlight: number;
  /** Connections refused since the start because `maxConnections` were open. */
  readonly refusedConnections: number;
}

/**
 * Told of every answer, once, when it is complete: the route (none for unknown paths and for what is not HTTP), the
 * method as one of a few known words or `other`, and the seconds since the head of the request was read. Must be cheap.
 */
export type Observe = (route: Route | undefined, method: string, status: number, seconds: number) => void;

export interface HttpServerOptions {
  /** Read at the start and on every {@link HttpServer.reconfigure}. */
  readonly routes: () => readonly Route[];
  readonly settings: HttpSettings;
  readonly observe: Observe;
}

export interface HttpServer {
  /** Rejects with a sentence when the address cannot be had. A Unix socket that cannot be had is a logged warning. */
  listen(): Promise<{ readonly url: string; readonly socketPath: string | undefined }>;
  /** Takes over the live settings and reads the routes anew; requests in flight end as they began. */
  reconfigure(settings: HttpSettings): void;
  /** Accepts nothing new, lets requests in flight end, and cuts what is left after `drainTimeoutMs`. */
  stop(): Promise<void>;
  stats(): HttpStats;
}

/** A 200 with a JSON body. */
export function jsonReply(value: unknown, status = 200): Reply {
  return { status, headers: { "content-type": "application/json; charset=utf-8" }, body: JSON.stringify(value) + "\n" };
}
