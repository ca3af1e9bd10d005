/**
 * Turns whatever went wrong into the JSON that a client is shown: `{error, code, details}`.
 *
 * Errors: an {@link HttpError} is shown as it is, a failing disk is 503, everything else is a 500 that says a request
 *   id and nothing more; the log has the stack under the same id.
 */
import { STATUS_CODES } from "./node-http.ts";
import type { Log } from "./log.ts";
import { HttpError, jsonReply, type ErrorCode, type Reply, type Request, type Route } from "./http.ts";
import { StorageError } from "./storage-error.ts";

const RETRY_AFTER_SECONDS = "1";

/** What the log says of the request that failed. */
export type FailedRequest = Pick<Request, "method" | "path"> & { readonly route: Route | undefined };

export function errorReply(error: HttpError): Reply {
  const reply = jsonReply({ error: error.message, code: error.code, details: error.details }, error.status);
  return { ...reply, headers: { ...reply.headers, ...error.headers } };
}

/** The answer to an exception of a handler; logs the ones that are the daemon's own fault. */
export function createFailureReply(services: { log: Log; randomId: () => string }) {
  return (error: unknown, request: FailedRequest): Reply => {
    if (error instanceof HttpError) return errorReply(error);
    if (error instanceof StorageError) return errorReply(unavailable(`Cannot store this now: ${error.message}`));
    const requestId = services.randomId();
    services.log.error("a request failed", {
      requestId,
      method: request.method,
      path: request.route?.pattern ?? request.path,
      error: stackOf(error),
    });
    const message = "Something went wrong inside the daemon; its log has the details under the request id";
    return errorReply(new HttpError(500, "INTERNAL_ERROR", message, { details: { requestId } }));
  };
}

/** For the log: the stack where there is one. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

export function unavailable(message: string): HttpError {
  return new HttpError(503, "UNAVAILABLE", message, { headers: { "retry-after": RETRY_AFTER_SECONDS } });
}

/** What Node's parser or its timeouts found wrong with a connection; 400 unless it is one of these. */
const PROTOCOL_FAULTS: Readonly<Record<string, readonly [status: number, code: ErrorCode, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "BAD_REQUEST", "The request did not arrive in time"],
  HPE_HEADER_OVERFLOW: [431, "BAD_REQUEST", "The headers are larger than this server takes"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "PAYLOAD_TOO_LARGE", "The chunk extensions are larger than this server takes"],
  HPE_INVALID_VERSION: [505, "BAD_REQUEST", "Only HTTP/1.0 and HTTP/1.1 are spoken here"],
  HPE_PAUSED_H2_UPGRADE: [505, "BAD_REQUEST", "Only HTTP/1.0 and HTTP/1.1 are spoken here"],
};

/** `code` is that of Node's `clientError`. */
export function protocolError(code: string | undefined): HttpError {
  const fault = PROTOCOL_FAULTS[code ?? ""] ?? [400, "BAD_REQUEST", "This is not a valid HTTP request"];
  const [status, name, message] = fault;
  return new HttpError(status, name, message);
}

/** The bytes of an answer for a connection without a request to answer; it says that the connection closes. */
export function rawErrorResponse(error: HttpError): string {
  const reply = errorReply(error);
  const body = String(reply.body);
  const headers = { ...reply.headers, "content-length": Buffer.byteLength(body), connection: "close" };
  const head = Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  return `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n${head}\r\n${body}`;
}
