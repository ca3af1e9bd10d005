/** What handlers of several plugins do alike: private routes, bodies that must be there, refusals, bounded waits. */
import type { Issue } from "../core/validate.ts";
import type { Clock } from "./clock.ts";
import { HttpError, type Reply, type Request, type Route } from "./http.ts";

/** Makes private routes, whose paths lie below `prefix`, such as `/api/`. */
export function privateRoutes(
  prefix: string,
): (method: Route["method"], path: string, handle: Route["handle"]) => Route {
  return (method, path, handle) => ({ method, pattern: prefix + path, access: "private", handle });
}

/** The body as JSON; a BAD_REQUEST where there is none. */
export function needBody({ json }: Request): unknown {
  if (json === undefined) throw new HttpError(400, "BAD_REQUEST", "expected a JSON object in the body");
  return json;
}

/** A VALIDATION_ERROR that says the first of the issues, and has all of them as its details. */
export function refuseIssues(issues: readonly Issue[]): HttpError {
  const [first] = issues;
  const where = first!.path === "" ? "" : `${first!.path}: `;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  return new HttpError(400, "VALIDATION_ERROR", where + first!.message + more, { details: issues });
}

export function withLocation(reply: Reply, location: string): Reply {
  return { ...reply, headers: { ...reply.headers, location } };
}

/** What is waited for; `undefined` when the time is over first, the client has gone, or the daemon stops. */
export function waitFor<T>(
  clock: Clock,
  done: Promise<T>,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = clock.after(waitMs, () => resolve(undefined));
  signal.addEventListener("abort", () => resolve(undefined), { once: true });
  if (signal.aborted) resolve(undefined);
  return Promise.race([done, promise]).finally(() => timer.cancel());
}
