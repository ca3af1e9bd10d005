/**
 * Decides, from the head of a request alone, which route answers it or why none may.
 *
 * Order: guards, rate limit, unknown paths, right of access; so a flood of unknown paths or guessed tokens is limited.
 */
import { RateLimiter, type RateLimitSettings } from "../core/rate-limit.ts";
import { compileRoutes, matchRoute, type RouteMatch, type RouteTable } from "../core/route.ts";
import { createAuthority, type Authority } from "./http-auth.ts";
import type { Exchange } from "./http-exchange.ts";
import { createGuards, type Guards } from "./http-guards.ts";
import { HttpError, type HttpSettings, type Route } from "./http.ts";

/** All that the settings and the routes say; replaced as a whole on reconfiguration. */
export interface Admission {
  readonly settings: HttpSettings;
  readonly table: RouteTable<Route>;
  readonly guards: Guards;
  readonly authority: Authority;
  readonly limiter: RateLimiter;
}

/** Keeps the token buckets of `previous` when the limit is the same. Throws a `TypeError` for faulty routes. */
export function createAdmission(settings: HttpSettings, routes: readonly Route[], previous?: Admission): Admission {
  const limiter =
    previous && isSameLimit(previous.settings.rateLimit, settings.rateLimit)
      ? previous.limiter
      : new RateLimiter(settings.rateLimit);
  return {
    settings,
    table: compileRoutes(routes),
    guards: createGuards(settings),
    authority: createAuthority(settings.auth),
    limiter,
  };
}

/** Sets the exchange's route and parameters. Answers the refusal, or `undefined` when the route may handle it. */
export function admit(admission: Admission, exchange: Exchange, hasBody: boolean): HttpError | undefined {
  const match = matchRoute(admission.table, exchange.method, exchange.path);
  if (match.kind === "found") {
    exchange.route = match.route;
    exchange.params = match.params;
  }
  const refusal = admission.guards.check(exchange.req, hasBody);
  if (refusal) return refusal;
  const { connection, route } = exchange;
  const credentials = connection.isTrusted ? "valid" : admission.authority.judge(exchange.req.headers.authorization);
  if (!route?.unlimited) {
    const key = credentials === "valid" && !connection.isTrusted ? "token" : connection.address;
    const waitSeconds = admission.limiter.take(key, exchange.startMs);
    if (waitSeconds > 0) return tooMany(waitSeconds);
  }
  if (match.kind !== "found") return notFound(match, exchange);
  return admission.authority.refuse(match.route.access, credentials);
}

function notFound(match: Exclude<RouteMatch<Route>, { kind: "found" }>, exchange: Exchange): HttpError {
  if (match.kind === "unknown") return new HttpError(404, "NOT_FOUND", `There is nothing at ${exchange.path}`);
  if (match.kind === "malformed") {
    return new HttpError(400, "BAD_REQUEST", `The path segment "${match.segment}" is not percent-encoded UTF-8`);
  }
  const allow = match.allow.join(", ");
  const message = `${exchange.path} takes ${allow}, not ${exchange.method}`;
  return new HttpError(405, "METHOD_NOT_ALLOWED", message, { headers: { allow } });
}

function tooMany(waitSeconds: number): HttpError {
  const message = `Too many requests; try again in ${waitSeconds} s`;
  return new HttpError(429, "RATE_LIMITED", message, { headers: { "retry-after": String(waitSeconds) } });
}

function isSameLimit(left: RateLimitSettings, right: RateLimitSettings): boolean {
  return left.requestsPerSecond === right.requestsPerSecond && left.burst === right.burst;
}
