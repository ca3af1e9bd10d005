/**
 * The text of a schedule to a value: cron fields, `@daily` and its like, `@every 5m`, `@at <time>`, `@in 10m`,
 * `@reboot` and `@start`.
 *
 * Errors: never thrown; what is wrong comes back as an object with its place in the text.
 * Cost: linear in the text; about a microsecond for a usual expression.
 */
import { nearest } from "../nearest.ts";
import { parseCron } from "./parse-cron.ts";
import { failedParse, type ParseResult } from "./parse-result.ts";
import { parseAt, parseEvery, parseIn } from "./parse-timed.ts";
import { quoteAt, type Span, tokenAt } from "./schedule-error.ts";

export interface ParseOptions {
  /** The job that `H` spreads by. */
  readonly jobId?: string;
  /**
   * The instant that `@in` counts from and `@every` keeps in step with: the birth of the job, kept with it, so that a
   * restart reads the same schedule. Without it `@every` keeps in step with 1970-01-01T00:00:00Z, and `@in` is an
   * error.
   */
  readonly anchorMs?: number;
}

const AT_SIGN = 64;
const MACROS = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);
const WORDS = [...MACROS.keys(), "@every", "@at", "@in", "@reboot", "@start"];

export function parseSchedule(text: string, options: ParseOptions = {}): ParseResult {
  const span = trim(text);
  if (span.start === span.end) {
    const hint = 'write five cron fields, such as "0 9 * * 1-5", or @daily';
    return failedParse(text, { ...span, what: "the schedule is empty", hint });
  }
  if (text.charCodeAt(span.start) === AT_SIGN) return parseWord(text, span, options);
  if (/^(cron_)?tz=/i.test(text.slice(span.start, span.start + 8))) {
    const what = "a time zone stands beside the schedule, not in it";
    return failedParse(text, { ...wordAt(text, span), what, hint: "remove it and set the job's timeZone" });
  }
  return parseCron(text, span, options.jobId);
}

function parseWord(text: string, span: Span, { jobId, anchorMs }: ParseOptions): ParseResult {
  const wordSpan = wordAt(text, span);
  const word = tokenAt(text, wordSpan).toLowerCase();
  const rest = { start: skipSpace(text, wordSpan.end, span.end), end: span.end };
  if (word === "@every") return parseEvery(text, rest, anchorMs ?? 0);
  if (word === "@in") return parseIn(text, rest, anchorMs);
  if (word === "@at") return parseAt(text, rest);
  if (!WORDS.includes(word)) return failWord(text, wordSpan);
  if (rest.start < rest.end) {
    return failedParse(text, { ...rest, what: `${word} stands alone`, hint: `write ${word} and nothing else` });
  }
  const macro = MACROS.get(word);
  if (macro !== undefined) return parseCron(macro, { start: 0, end: macro.length }, jobId);
  return { ok: true, schedule: { kind: word === "@start" ? "start" : "reboot" }, warnings: [] };
}

function failWord(text: string, span: Span): ParseResult {
  const meant = nearest(tokenAt(text, span), WORDS);
  const hint = meant === undefined ? `the words are ${WORDS.join(", ")}` : `did you mean ${meant}?`;
  return failedParse(text, { ...span, what: `unknown word ${quoteAt(text, span)}`, hint });
}

function trim(text: string): Span {
  let end = text.length;
  const start = skipSpace(text, 0, end);
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return { start, end };
}

function wordAt(text: string, { start, end }: Span): Span {
  let at = start;
  while (at < end && !isSpace(text.charCodeAt(at))) at++;
  return { start, end: at };
}

function skipSpace(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && isSpace(text.charCodeAt(at))) at++;
  return at;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9;
}
