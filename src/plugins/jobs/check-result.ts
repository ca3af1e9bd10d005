/**
 * What a run was expected to do and what it did -> why it is not ok, if so.
 *
 * Not: patterns see what was kept of the output; in the middle of a long one that was cut nothing is found. A pattern
 *   that cannot be decided in a moment is a fault, whether it is asked for or forbidden.
 */
import { quote, shorten } from "../../core/printable.ts";
import type { MatchPattern } from "../../system/match-pattern.ts";
import type { Expectation } from "./run.ts";

export interface RunFacts {
  /** `undefined` where there is no such thing, or where we ended the program ourselves. */
  readonly exitCode?: number | undefined;
  readonly durationMs: number;
  /** Each is searched apart. */
  readonly outputs: readonly string[];
}

const SHOWN_PATTERN = 60;
const ADVICE = "repetitions in repetitions, as in (a+)+, do that";

/** The first thing that does not hold, as a sentence without an end stop; `undefined` when all does. */
export function checkResult(
  expect: Expectation | undefined,
  facts: RunFacts,
  matches: MatchPattern,
): string | undefined {
  const { exitCodes = [0], minDurationMs = 0, pattern, forbidden } = expect ?? {};
  const { exitCode, durationMs, outputs } = facts;
  if (exitCode !== undefined && !exitCodes.includes(exitCode)) {
    return `exit status ${exitCode}` + (expect?.exitCodes ? `, where ${exitCodes.join(" or ")} was expected` : "");
  }
  if (durationMs < minDurationMs) {
    return `it ended after ${Math.round(durationMs)} ms, where at least ${minDurationMs} ms were expected`;
  }
  const check = (source: string, fault: Fault) => checkPattern({ source, outputs, fault }, matches);
  const missing = pattern === undefined ? undefined : check(pattern, "missing");
  return missing ?? (forbidden === undefined ? undefined : check(forbidden, "present"));
}

type Fault = "missing" | "present";

interface PatternQuestion {
  readonly source: string;
  readonly outputs: readonly string[];
  readonly fault: Fault;
}

function checkPattern({ source, outputs, fault }: PatternQuestion, matches: MatchPattern): string | undefined {
  const shown = quote(shorten(source, SHOWN_PATTERN));
  let pattern: RegExp;
  try {
    pattern = new RegExp(source, "m");
  } catch (error) {
    return `the pattern ${shown} is no regular expression: ${(error as Error).message}`;
  }
  const found = outputs.map((output) => matches(pattern, output));
  const isPresent = found.includes(true);
  if (!isPresent && found.includes(undefined)) return `the pattern ${shown} takes too long on the output (${ADVICE})`;
  if (fault === "missing") return isPresent ? undefined : `the output does not match ${shown}`;
  return isPresent ? `the output matches ${shown}, which it must not` : undefined;
}
