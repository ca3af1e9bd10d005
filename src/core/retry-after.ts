/**
 * The value of a Retry-After header -> how long to wait.
 *
 * Source: RFC 9110 (10.2.3): seconds, or a date.
 * Units: milliseconds; `nowMs` since the epoch.
 */

/** `undefined` for a header that is not there, is neither, or lies in the past. */
export function readRetryAfter(value: unknown, nowMs: number): number | undefined {
  if (typeof value !== "string") return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return ms >= 0 ? ms : undefined;
}
