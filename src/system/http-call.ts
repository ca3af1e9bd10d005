/**
 * Turns one request into its whole answer, over a unix socket or over TCP.
 *
 * By node:http, because `fetch` knows no unix sockets and an environment may send it to a proxy.
 * Errors: {@link UnreachableError} when no whole answer came; an answer of any status is an answer.
 * Not: keep-alive. A process that ends after a call or two has nothing to keep.
 */
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { request as httpRequest } from "./node-http.ts";

/** Where a server is: its socket, or its URL and what is to be shown there as a bearer token. */
export type Address = { readonly socketPath: string } | { readonly url: URL; readonly token?: string | undefined };

export interface Call {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly accept: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Takes the body of a good answer (2xx) as it comes; the answer's `text` is then empty. */
  readonly onPiece?: ((piece: Buffer) => void) | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** No answer came. `code` is that of the failed system call, or `TIMEOUT`. */
export class UnreachableError extends Error {
  readonly code: string;
  /** Why, without the address. */
  readonly reason: string;

  constructor(address: Address, cause: NodeJS.ErrnoException) {
    const reason = REASONS[cause.code ?? ""] ?? cause.message;
    super(`no daemon answers at ${placeOf(address)}: ${reason}`, { cause });
    this.code = cause.code ?? "UNKNOWN";
    this.reason = reason;
  }
}

/** More than any answer is; a server that is no pi-daemon may send without end. */
const MAX_ANSWER_BYTES = 268_435_456;

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ENOENT: "there is no such socket",
  EACCES: "permission denied",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name cannot be looked up",
  ECONNRESET: "the connection was cut",
};

/** The address for people. */
export function placeOf(address: Address): string {
  return "url" in address ? address.url.href.replace(/\/$/, "") : address.socketPath;
}

/** Throws UnreachableError; or what `signal` was aborted with. */
export async function callHttp(address: Address, call: Call): Promise<Answer> {
  const deadline = AbortSignal.timeout(call.timeoutMs);
  const signal = call.signal ? AbortSignal.any([call.signal, deadline]) : deadline;
  const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
  const headers: Record<string, string> = { accept: call.accept, connection: "close" };
  if (body) Object.assign(headers, { "content-type": "application/json", "content-length": String(body.length) });
  if ("url" in address && address.token !== undefined) headers["authorization"] = `Bearer ${address.token}`;
  try {
    const options = { ...targetOf(address, call.path), method: call.method, headers, signal, agent: false };
    return await exchange(options, body, call.onPiece);
  } catch (error) {
    if (call.signal?.aborted) throw error;
    throw new UnreachableError(address, deadline.aborted ? timedOut(call.timeoutMs) : (error as NodeJS.ErrnoException));
  }
}

function targetOf(address: Address, path: string): RequestOptions {
  if ("socketPath" in address) return { socketPath: address.socketPath, host: "localhost", path };
  const { protocol, hostname, port, pathname } = address.url;
  return { protocol, host: hostname.replace(/^\[|\]$/g, ""), port, path: pathname.replace(/\/$/, "") + path };
}

function exchange(options: RequestOptions, body: Buffer | undefined, onPiece: Call["onPiece"]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = options.protocol === "https:" ? httpsRequest : httpRequest;
    const request: ClientRequest = send(options, (response) => {
      const pieces: Buffer[] = [];
      let sizeBytes = 0;
      const isGood = response.statusCode! >= 200 && response.statusCode! <= 299;
      response.on("data", (piece: Buffer) => {
        if (onPiece && isGood) return onPiece(piece);
        pieces.push(piece);
        sizeBytes += piece.length;
        if (sizeBytes > MAX_ANSWER_BYTES) request.destroy(new Error(`more than ${MAX_ANSWER_BYTES} bytes came`));
      });
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(pieces).toString("utf8");
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

function timedOut(timeoutMs: number): NodeJS.ErrnoException {
  return Object.assign(new Error(`no answer within ${timeoutMs / 1000} s`), { code: "TIMEOUT" });
}
