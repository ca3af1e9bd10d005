/** A request without a socket. */
import type { Request } from "../../src/system/http.ts";

export interface RequestParts {
  readonly method?: string;
  readonly path?: string;
  readonly params?: Record<string, string>;
  readonly query?: string;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly signal?: AbortSignal;
}

export function requestOf(parts: RequestParts = {}): Request {
  const body = parts.json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(parts.json));
  return {
    method: parts.method ?? (parts.json === undefined ? "GET" : "POST"),
    path: parts.path ?? "/",
    params: parts.params ?? {},
    query: new URLSearchParams(parts.query),
    header: (name) => parts.headers?.[name],
    body,
    json: parts.json === undefined ? undefined : JSON.parse(body.toString()),
    signal: parts.signal ?? new AbortController().signal,
  };
}
