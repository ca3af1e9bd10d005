/** What follows `@every`, `@in` and `@at`, a duration or a time, to a schedule. */
import { formatDuration, parseDuration } from "../duration.ts";
import { parseInstant } from "./instant.ts";
import { failedParse, type ParseResult } from "./parse-result.ts";
import { quoteAt, type Span } from "./schedule-error.ts";
import type { ScheduleWarning } from "./schedule-warnings.ts";

const SHORTEST_PERIOD_MS = 1000;
const SHORTEST_CALM_PERIOD_MS = 10_000;
const LONGEST_DURATION_MS = 100 * 366 * 86_400_000;
const LONGEST_INSTANT = 64;

export function parseEvery(text: string, span: Span, anchorMs: number): ParseResult {
  const periodMs = readDuration(text, span);
  if (typeof periodMs === "string") return failedDuration(text, { ...span, what: periodMs, word: "@every" });
  if (periodMs < SHORTEST_PERIOD_MS) {
    return failedParse(text, { ...span, what: "the shortest period of @every is 1 second", hint: "write @every 1s" });
  }
  const message = `runs every ${formatDuration(periodMs)}, which is too often for a job that starts an agent`;
  const isCalm = periodMs >= SHORTEST_CALM_PERIOD_MS;
  const warnings: ScheduleWarning[] = isCalm ? [] : [{ code: "often", field: "schedule", message }];
  return { ok: true, schedule: { kind: "every", periodMs, anchorMs }, warnings };
}

export function parseIn(text: string, span: Span, anchorMs: number | undefined): ParseResult {
  const delayMs = readDuration(text, span);
  if (typeof delayMs === "string") return failedDuration(text, { ...span, what: delayMs, word: "@in" });
  if (anchorMs !== undefined) return { ok: true, schedule: { kind: "at", atMs: anchorMs + delayMs }, warnings: [] };
  const what = "@in has no moment to count from here, and would start again at each reading";
  return failedParse(text, { ...span, what, hint: "write @at and the time" });
}

export function parseAt(text: string, span: Span): ParseResult {
  const atMs = parseInstant(text.slice(span.start, Math.min(span.end, span.start + LONGEST_INSTANT)));
  if (atMs !== undefined) return { ok: true, schedule: { kind: "at", atMs }, warnings: [] };
  const isMissing = span.start === span.end;
  const what = isMissing
    ? "@at needs a time"
    : `${quoteAt(text, span)} is not a time with a date and an offset from UTC`;
  return failedParse(text, { ...span, what, hint: "write @at 2026-03-29T02:30:00+02:00, or Z for UTC" });
}

/** Milliseconds, or what is wrong. */
function readDuration(text: string, span: Span): number | string {
  if (span.start === span.end) return "a duration is missing";
  try {
    const ms = parseDuration(text.slice(span.start, span.end));
    return ms <= LONGEST_DURATION_MS ? ms : `${quoteAt(text, span)} is longer than 100 years`;
  } catch {
    return `${quoteAt(text, span)} is not a duration`;
  }
}

function failedDuration(text: string, fault: Span & { what: string; word: string }): ParseResult {
  return failedParse(text, { ...fault, hint: `write ${fault.word} and a duration such as 90s, 5m or 1h30m` });
}
