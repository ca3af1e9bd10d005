/** What is wrong with the text of a schedule, where, and what to write instead; as a value and as lines to print. */
import { escapeUnprintable, quote, shorten } from "../printable.ts";
import type { Field, FieldName } from "./field.ts";

export interface ScheduleError {
  /** A sentence that begins with the field: `hour: 25 is out of range 0-23`. */
  readonly message: string;
  /** "schedule" where the fault lies in no single field. */
  readonly field: FieldName | "schedule";
  /** 0 = second to 5 = day of week; -1 for "schedule". */
  readonly index: number;
  /** The text at fault, shortened when it is long. */
  readonly token: string;
  /** UTF-16 offsets of the token in the whole text, `end` exclusive. */
  readonly start: number;
  readonly end: number;
  /** What to write instead; may be empty. */
  readonly hint: string;
}

/** A part of the text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A span and what is wrong with it. */
export interface Fault extends Span {
  readonly what: string;
  readonly hint?: string;
}

const LONGEST_TOKEN = 40;
const LINE_WIDTH = 100;

/** The text of a span, shortened when it is long. */
export function tokenAt(text: string, { start, end }: Span): string {
  return shorten(text.slice(start, Math.min(end, start + LONGEST_TOKEN + 1)), LONGEST_TOKEN);
}

/** The same in quotation marks, without characters that a terminal would act on. */
export function quoteAt(text: string, span: Span): string {
  return quote(tokenAt(text, span));
}

export function fieldError(field: Field, text: string, fault: Fault): ScheduleError {
  const { start, end, what, hint = "" } = fault;
  const token = tokenAt(text, fault);
  return { message: `${field.name}: ${what}`, field: field.name, index: field.index, token, start, end, hint };
}

export function scheduleError(text: string, fault: Fault): ScheduleError {
  const { start, end, what, hint = "" } = fault;
  return { message: what, field: "schedule", index: -1, token: tokenAt(text, fault), start, end, hint };
}

/** One line: the text, what is wrong, where, and what to write instead. */
export function describeScheduleError(text: string, error: ScheduleError): string {
  const hint = error.hint === "" ? "" : `; ${error.hint}`;
  const place = `${error.message} (column ${error.start + 1})`;
  return `Cannot parse schedule ${quote(shorten(text, LINE_WIDTH))}: ${place}${hint}`;
}

/** Several lines: the message, the text, carets under the place, and the hint. Long text is cut around the place. */
export function pointAtScheduleError(text: string, error: ScheduleError): string {
  const from = Math.max(0, Math.min(error.start - LINE_WIDTH / 2, text.length - LINE_WIDTH));
  const line = text.slice(from, from + LINE_WIDTH);
  // One column a character, whatever the terminal would make of it.
  const shown = escapeUnprintable(line) === line ? line : line.replace(/[^\x20-\x7e]/g, "?");
  const carets = Math.max(1, Math.min(error.end, from + LINE_WIDTH) - error.start);
  const lines = [error.message, `  ${shown}`, `  ${" ".repeat(error.start - from)}${"^".repeat(carets)}`];
  if (error.hint !== "") lines.push(`  ${error.hint}`);
  return lines.join("\n");
}
