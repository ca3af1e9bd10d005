/**
 * An HTTP request to somewhere else -> its answer, or a fault with a code.
 *
 * By node:http, because the global `fetch` may send a request through a proxy that an environment names.
 * Units: milliseconds, bytes.
 * Order: a name is resolved once for each connection, and the connection goes to the address that was judged.
 * Errors: none are thrown, not for a bad URL either.
 * Not: proxies, kept connections, decompression, cookies.
 */
import { lookup } from "node:dns";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { Clock } from "./clock.ts";
import { FetchError, type Hop, nextHop, readHop } from "./fetch-hop.ts";
import { isForbiddenAddress } from "./forbidden-address.ts";
import { request as httpRequest } from "./node-http.ts";

export interface FetchRequest {
  readonly method: string;
  /** `http:` or `https:`. A name and password in it are sent as Basic authorization. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  /** For the whole exchange: names, connections, redirects, the last byte of the answer. */
  readonly timeoutMs: number;
  /** How much of the answer's body is read; the rest is cut off. */
  readonly maxBytes: number;
  /** How many redirects to follow, at most 5; 0 when absent: a redirect is an answer like others. */
  readonly maxRedirects?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type FetchFault =
  /** The request cannot be sent as it stands: its URL, a header, where a redirect points. */
  | "invalid"
  /** The address is one that requests must not reach. */
  | "forbidden-address"
  | "network"
  | "timeout"
  | "aborted";

export interface FetchAnswer {
  readonly ok: true;
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
  /** The body was longer than `maxBytes`. */
  readonly isCut: boolean;
  /** Where the answer came from, after redirects; without name and password. */
  readonly url: string;
}

export type FetchResult = FetchAnswer | { readonly ok: false; readonly fault: FetchFault; readonly message: string };

export type Fetch = (request: FetchRequest) => Promise<FetchResult>;

const MOST_REDIRECTS = 5;

export interface FetchServices {
  readonly clock: Clock;
  /** How names become addresses; the system's way when absent. */
  readonly lookup?: typeof lookup;
}

export function createFetch(services: FetchServices): Fetch {
  const { clock } = services;
  const permitted = permit(services.lookup ?? lookup);
  return async (request) => {
    const stop = new AbortController();
    const { timeoutMs, signal } = request;
    const deadline = clock.after(timeoutMs, () => {
      stop.abort(new FetchError("timeout", `no whole answer came within ${timeoutMs / 1000} s`));
    });
    const abort = (): void => stop.abort(new FetchError("aborted", "the request was given up"));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await followRedirects(request, { signal: stop.signal, maxBytes: request.maxBytes, lookup: permitted });
    } catch (error) {
      return explain(stop.signal.aborted ? stop.signal.reason : error);
    } finally {
      deadline.cancel();
      signal?.removeEventListener("abort", abort);
    }
  };
}

async function followRedirects(request: FetchRequest, means: Means): Promise<FetchAnswer> {
  const most = Math.min(request.maxRedirects ?? 0, MOST_REDIRECTS);
  let hop = readHop(request);
  for (let followed = 0; ; followed += 1) {
    const answer = await exchange(hop, means);
    const next = most > 0 ? nextHop(hop, answer) : undefined;
    if (next === undefined) return answer;
    if (followed === most) throw new FetchError("invalid", `the answer redirects more than ${most} times`);
    hop = next;
  }
}

interface Means {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  readonly lookup: LookupFunction;
}

/** Rejects with FetchError, or with what node:http says. */
function exchange({ url, method, headers, body }: Hop, { maxBytes, signal, lookup }: Means): Promise<FetchAnswer> {
  const { protocol, port, pathname, search } = url;
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(hostname) && isForbiddenAddress(hostname)) throw forbidden(hostname);
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const length = bytes && { "content-length": String(bytes.length) };
  const send = protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send({
      protocol,
      hostname,
      port,
      method,
      signal,
      lookup,
      path: pathname + search,
      headers: { ...headers, ...length, connection: "close" },
      agent: false,
    });
    request.on("error", reject);
    request.on("upgrade", (_response, socket) => {
      socket.destroy();
      reject(new Error("the server changed to another protocol unasked"));
    });
    // Not every end of a connection is an error to node:http, and an abort is none once the connection is gone.
    const closed = (): void => reject(new Error("the connection was closed without an answer"));
    request.on("close", closed);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    request.on("response", (response) => {
      request.off("close", closed);
      readBody(response, maxBytes).then(({ body, isCut }) => {
        const status = response.statusCode ?? 0;
        resolve({ ok: true, status, headers: response.headers, body, isCut, url: url.href });
        request.destroy();
      }, reject);
    });
    request.end(bytes);
  });
}

function readBody(response: IncomingMessage, maxBytes: number): Promise<{ body: Buffer; isCut: boolean }> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let sizeBytes = 0;
    response.on("data", (piece: Buffer) => {
      pieces.push(piece);
      sizeBytes += piece.length;
      if (sizeBytes > maxBytes) resolve({ body: Buffer.concat(pieces, maxBytes), isCut: true });
    });
    response.on("end", () => resolve({ body: Buffer.concat(pieces), isCut: false }));
    response.on("error", reject);
    response.on("close", () => reject(new Error("the connection was closed before the answer was whole")));
  });
}

/** The same, but for names of which any address is forbidden: such a name is not to be trusted with the others. */
function permit(resolve: typeof lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, "", 0);
      const bad = addresses.find(({ address }) => isForbiddenAddress(address));
      if (bad) return callback(forbidden(bad.address), "", 0);
      if (options.all) return callback(null, addresses);
      callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
}

function forbidden(address: string): FetchError {
  const message = `${address} is a link-local or metadata address, which no request may reach`;
  return new FetchError("forbidden-address", message);
}

/** What node:http will not send. */
const REFUSALS: readonly string[] = [
  "ERR_INVALID_HTTP_TOKEN",
  "ERR_INVALID_CHAR",
  "ERR_UNESCAPED_CHARACTERS",
  "ERR_HTTP_INVALID_HEADER_VALUE",
];

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was cut before the answer was whole",
  ENOTFOUND: "the name of the host is not known",
  EAI_AGAIN: "the name of the host cannot be looked up now",
  EHOSTUNREACH: "there is no way to the host",
  ENETUNREACH: "there is no way to the network",
  ETIMEDOUT: "the host does not answer",
};

function explain(error: unknown): FetchResult {
  if (error instanceof FetchError) return { ok: false, fault: error.fault, message: error.message };
  const { code = "", message } = firstCause(error as NodeJS.ErrnoException);
  if (REFUSALS.includes(code)) return { ok: false, fault: "invalid", message };
  return { ok: false, fault: "network", message: REASONS[code] ? `${REASONS[code]} (${message})` : message };
}

/** Of several addresses that were tried, what the first one said. */
function firstCause(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  const [first] = error instanceof AggregateError ? (error.errors as NodeJS.ErrnoException[]) : [];
  return first ?? error;
}
