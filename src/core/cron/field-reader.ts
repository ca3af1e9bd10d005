/**
 * The place in the text of one cron field, and the smallest things read there: a number or name, and a step.
 *
 * Errors: the first fault is kept in `reader.error` and ends the reading; a function that failed gives {@link FAILED}.
 */
import { DAY_OF_WEEK, type Field, nameOfValue, valueOfName } from "./field.ts";
import type { CronDraft } from "./schedule.ts";
import { type Fault, fieldError, quoteAt, type ScheduleError, tokenAt } from "./schedule-error.ts";

export interface FieldReader {
  readonly text: string;
  readonly draft: CronDraft;
  /** Decides what `H` stands for. */
  readonly jobId: string;
  field: Field;
  at: number;
  end: number;
  error: ScheduleError | undefined;
  /** A bit for each field (by index) with `a/n` in it. */
  openSteps: number;
  /** A bit for each field with `H` in it. */
  hashes: number;
}

export const FAILED = -1;
const LONGEST_STEP_HINT = 5;

/** The character at the place, or NaN at the end of the field. */
export function peek(reader: FieldReader): number {
  return reader.at < reader.end ? reader.text.charCodeAt(reader.at) : NaN;
}

/** Steps over `char` if it stands here. */
export function take(reader: FieldReader, char: string): boolean {
  if (peek(reader) !== char.charCodeAt(0)) return false;
  reader.at++;
  return true;
}

/** Steps over `letter` (a capital) in either case. */
export function takeLetter(reader: FieldReader, letter: string): boolean {
  if ((peek(reader) & ~32) !== letter.charCodeAt(0)) return false;
  reader.at++;
  return true;
}

export function fail(reader: FieldReader, fault: Fault): typeof FAILED {
  reader.error ??= fieldError(reader.field, reader.text, fault);
  return FAILED;
}

/** Says that the list item must not go on here. */
export function failUnexpected(reader: FieldReader, hint: string): typeof FAILED {
  const span = { start: reader.at, end: endOfItem(reader) };
  return fail(reader, { ...span, what: `unexpected ${quoteAt(reader.text, span)}`, hint });
}

export function endOfItem(reader: FieldReader): number {
  const comma = reader.text.indexOf(",", reader.at);
  return comma < 0 || comma > reader.end ? reader.end : comma;
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

export function isLetter(code: number): boolean {
  return (code & ~32) >= 65 && (code & ~32) <= 90;
}

/** A number of one or two digits or a name, within the bounds of the field. */
export function readValue(reader: FieldReader): number {
  const { field, at } = reader;
  const first = peek(reader);
  if (isLetter(first)) return readName(reader);
  if (!isDigit(first)) return failMissingValue(reader);
  const value = readDigits(reader, 2);
  if (value >= field.low && value <= field.high) return value;
  const span = { start: at, end: endOfDigits(reader) };
  return fail(reader, { ...span, what: `${tokenAt(reader.text, span)} is out of range ${field.low}-${field.high}` });
}

/** The step after a `/`; 1 where there is none. */
export function readStep(reader: FieldReader): number {
  if (!take(reader, "/")) return 1;
  const { field, at, text } = reader;
  if (!isDigit(peek(reader))) {
    const what = "a step must be a whole number after /";
    return fail(reader, { start: at - 1, end: Math.max(at, endOfItem(reader)), what });
  }
  const step = readDigits(reader, 3);
  if (step >= 1 && step <= field.size) return step;
  const span = { start: at, end: endOfDigits(reader) };
  if (step === 0) return fail(reader, { ...span, what: "a step of 0 never moves on", hint: "write 1 or more" });
  const what = `step ${tokenAt(text, span)} is larger than the ${field.size} values of the field`;
  return fail(reader, { ...span, what, hint: stepHint(field, text.slice(at, span.end)) });
}

/** A number of at most `most` digits; NaN, and the place left on the digits, when there are more. */
function readDigits(reader: FieldReader, most: number): number {
  const start = reader.at;
  let value = 0;
  for (let code = peek(reader); isDigit(code); code = peek(reader)) {
    if (reader.at - start === most) return NaN;
    value = value * 10 + code - 48;
    reader.at++;
  }
  return value;
}

function endOfDigits(reader: FieldReader): number {
  let end = reader.at;
  while (end < reader.end && isDigit(reader.text.charCodeAt(end))) end++;
  return end;
}

function readName(reader: FieldReader): number {
  const { field, text, at } = reader;
  let end = at;
  while (end < reader.end && isLetter(text.charCodeAt(end))) end++;
  const value = valueOfName(field, text.slice(at, at + 3));
  // FRIL, the last Friday.
  const isLast = end - at === 4 && field.index === DAY_OF_WEEK && (text.charCodeAt(at + 3) & ~32) === 76;
  if (value >= 0 && (end - at === 3 || isLast)) {
    reader.at = at + 3;
    return value;
  }
  const what = `${quoteAt(text, { start: at, end })} is not a ${field.names === "" ? "number" : field.name}`;
  const hint = value >= 0 ? `write ${nameOfValue(field, value)}` : rangeHint(field);
  return fail(reader, { start: at, end, what, hint });
}

function failMissingValue(reader: FieldReader): typeof FAILED {
  const { field, at, text, end } = reader;
  if (at === end || text[at] === ",") {
    return fail(reader, { start: at, end: at + 1, what: "a value is missing", hint: rangeHint(field) });
  }
  const span = { start: at, end: Math.max(at + 1, endOfItem(reader)) };
  const hint = text[at] === "/" ? "write */ and the step" : rangeHint(field);
  return fail(reader, { ...span, what: `expected a value, found ${quoteAt(text, span)}`, hint });
}

function rangeHint({ low, high, names }: Field): string {
  return `write a number ${low}-${high}${names === "" ? "" : ` or ${names.slice(0, 3)}-${names.slice(-3)}`}`;
}

/** A step over the end of a field is most often meant as a period. */
function stepHint(field: Field, digits: string): string {
  const unit = "smhd"[field.index];
  if (unit === undefined || digits.length > LONGEST_STEP_HINT) return "";
  const whole = ["minute", "hour", "day", "month"][field.index]!;
  return `a step starts again in each ${whole}; for a period write @every ${Number(digits)}${unit}`;
}
