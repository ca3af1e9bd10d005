/**
 * What a run was expected to do and what it did -> why it is not ok, if so.
 *
 * Not: patterns see what was kept of the output; in the middle of a long one that was cut nothing is found.
 */
import { quote, shorten } from "../../core/printable.ts";
import type { Expectation } from "./run.ts";

export interface RunFacts {
  /** `undefined` where there is no such thing, or where we ended the program ourselves. */
  readonly exitCode?: number | undefined;
  readonly durationMs: number;
  /** Each is searched apart. */
  readonly outputs: readonly string[];
}

const SHOWN_PATTERN = 60;

/** The first thing that does not hold, as a sentence without an end stop; `undefined` when all does. */
export function checkResult(expect: Expectation | undefined, facts: RunFacts): string | undefined {
  const { exitCodes = [0], minDurationMs = 0, pattern, forbidden } = expect ?? {};
  const { exitCode, durationMs, outputs } = facts;
  if (exitCode !== undefined && !exitCodes.includes(exitCode)) {
    return `exit status ${exitCode}` + (expect?.exitCodes ? `, where ${exitCodes.join(" or ")} was expected` : "");
  }
  if (durationMs < minDurationMs) {
    return `it ended after ${Math.round(durationMs)} ms, where at least ${minDurationMs} ms were expected`;
  }
  const missing = pattern === undefined ? undefined : checkPattern(pattern, outputs, "missing");
  return missing ?? (forbidden === undefined ? undefined : checkPattern(forbidden, outputs, "present"));
}

type Fault = "missing" | "present";

function checkPattern(source: string, outputs: readonly string[], fault: Fault): string | undefined {
  const shown = quote(shorten(source, SHOWN_PATTERN));
  let pattern: RegExp;
  try {
    pattern = new RegExp(source, "m");
  } catch (error) {
    return `the pattern ${shown} is no regular expression: ${(error as Error).message}`;
  }
  const isPresent = outputs.some((output) => pattern.test(output));
  if (fault === "missing") return isPresent ? undefined : `the output does not match ${shown}`;
  return isPresent ? `the output matches ${shown}, which it must not` : undefined;
}
