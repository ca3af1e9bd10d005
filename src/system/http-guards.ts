/**
 * Turns the head of a request into the refusal it deserves before any route is looked up, or into nothing.
 *
 * Source: RFC 9112 sections 2.3, 3.2 and 6.1; the Fetch standard (`Origin`), Fetch Metadata (`Sec-Fetch-Site`).
 * Order: version, Host (DNS rebinding), origin (requests forged by a web page), then what is said about the body.
 * Cost: well under a microsecond for a request that passes: one walk over the header names, a few look-ups.
 * Not: never an `Access-Control-*` header, so no page of another origin can read an answer.
 */
import type { IncomingMessage } from "node:http";
import { callableHost, isLoopbackHost, parseHostPort } from "../core/host.ts";
import { protocolError } from "./http-errors.ts";
import { HttpError, type HttpSettings } from "./http.ts";

export interface Guards {
  /** `hasBody`: a length above 0 or a transfer coding is announced. */
  check(req: IncomingMessage, hasBody: boolean): HttpError | undefined;
}

const ABSOLUTE_TARGET = /^https?:\/\/([^/?#]*)/i;
const OWN_FETCH_SITES = new Set<unknown>([undefined, "same-origin", "none"]);
const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?$/i;

export function createGuards(settings: Pick<HttpSettings, "allowedHosts" | "listenAddress">): Guards {
  const allowed = new Set(settings.allowedHosts.map((host) => host.toLowerCase()));
  allowed.add(callableHost(settings.listenAddress).toLowerCase());
  /** The Host that passed last: nearly always that of the next request too. */
  let lastPassed: string | undefined;

  function checkHost(host: string): HttpError | undefined {
    if (host === lastPassed) return undefined;
    const parsed = parseHostPort(host);
    if (!parsed) return badRequest(`The Host header ${JSON.stringify(host)} is not a host name with an optional port`);
    const bracketed = parsed.name.includes(":") ? `[${parsed.name}]` : parsed.name;
    const isOurs =
      isLoopbackHost(parsed.name) ||
      allowed.has(parsed.name) ||
      allowed.has(bracketed) ||
      allowed.has(`${bracketed}:${parsed.port}`);
    if (!isOurs) return foreignHost(host);
    lastPassed = host;
    return undefined;
  }

  return {
    check(req, hasBody) {
      if (req.httpVersionMajor !== 1) return protocolError("HPE_INVALID_VERSION");
      const host = req.headers.host;
      if (host === undefined || countHosts(req.rawHeaders) !== 1) return badRequest("A request needs one Host header");
      const refusal = checkHost(host) ?? (req.url!.charCodeAt(0) === SLASH ? undefined : checkTarget(req.url!));
      if (refusal || isSafe(req.method!)) return refusal;
      return checkOrigin(req, host) ?? (hasBody ? checkBodyHeaders(req) : undefined);
    },
  };

  /** A target in absolute form names the host a second time, and that name wins over the Host header. */
  function checkTarget(target: string): HttpError | undefined {
    const authority = ABSOLUTE_TARGET.exec(target)?.[1];
    return authority === undefined ? undefined : checkHost(authority);
  }
}

const SLASH = 0x2f;

/** The path and query of a target in origin or absolute form; any other comes back as it is, and matches no route. */
export function originForm(target: string): string {
  if (target.charCodeAt(0) === SLASH) return target;
  const prefix = ABSOLUTE_TARGET.exec(target)?.[0];
  if (prefix === undefined) return target;
  const rest = target.slice(prefix.length);
  return rest.startsWith("/") ? rest : `/${rest}`;
}

/** Safe in the sense of RFC 9110: no route changes anything for these, and none reads a body. */
export function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

/** `req.headers` keeps the first of several Hosts and drops the others, so they are counted in the raw list. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (name.length === 4 && (name === "Host" || name.toLowerCase() === "host")) count++;
  }
  return count;
}

function checkOrigin(req: IncomingMessage, host: string): HttpError | undefined {
  const { origin, "sec-fetch-site": site } = req.headers;
  if (!OWN_FETCH_SITES.has(site)) return forgedRequest("Sec-Fetch-Site", String(site));
  if (origin === undefined) return undefined;
  const scheme = /^https?:\/\//.exec(origin)?.[0];
  const isOwn = scheme !== undefined && origin.slice(scheme.length).toLowerCase() === host.toLowerCase();
  return isOwn ? undefined : forgedRequest("Origin", origin);
}

function checkBodyHeaders(req: IncomingMessage): HttpError | undefined {
  const { "content-type": type, "content-encoding": encoding, "transfer-encoding": transfer } = req.headers;
  if (transfer !== undefined && transfer.toLowerCase() !== "chunked") {
    return badRequest('The only transfer coding taken is "chunked"');
  }
  if (encoding !== undefined) return unsupported(`Send the body plain, without Content-Encoding (${encoding})`);
  if (type === "application/json" || (type !== undefined && JSON_TYPE.test(type))) return undefined;
  const got = type === undefined ? "there was none" : `not ${JSON.stringify(type)}`;
  return unsupported(`A body must have Content-Type application/json (charset utf-8), ${got}`);
}

function badRequest(message: string): HttpError {
  return new HttpError(400, "BAD_REQUEST", message);
}

function unsupported(message: string): HttpError {
  return new HttpError(415, "UNSUPPORTED_MEDIA_TYPE", message);
}

function foreignHost(host: string): HttpError {
  const advice = "call it by 127.0.0.1 or localhost, or add the name to server.allowedHosts";
  return new HttpError(403, "FORBIDDEN", `${JSON.stringify(host)} is not a name of this daemon: ${advice}`);
}

function forgedRequest(header: string, value: string): HttpError {
  return new HttpError(403, "FORBIDDEN", `Refused because a page of another origin sent it (${header}: ${value})`);
}
