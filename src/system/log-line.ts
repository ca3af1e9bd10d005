/**
 * Turns one log entry into one line, as JSON or for a person to read.
 *
 * Order: time, level, message, then the fields as they were given.
 * Not: no line feed, escape or other control character comes through as it is; no secret comes through at all.
 */
import { escapeUnprintable, quote, shorten } from "../core/printable.ts";
import { redact } from "../core/redact.ts";
import type { LogFields, LogLevel } from "./log.ts";

export const LOG_FORMATS = ["json", "text"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LogEntry {
  readonly timeMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** UTF-16 units of a message or of a field's text; what is longer is cut, so that one line cannot fill the disk. */
const LONGEST_TEXT = 8192;
const OWN_KEYS: readonly string[] = ["time", "level", "message"];

/** The line of an entry, with its newline. */
export function renderLine(entry: LogEntry, format: LogFormat, secrets: readonly string[]): string {
  // Hidden before it is cut: half a secret would no longer be recognised.
  const clean = (text: string): string => shorten(redact(text, secrets), LONGEST_TEXT);
  const pairs = Object.entries(entry.fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [OWN_KEYS.includes(key) ? `${key}_` : clean(key), cleanValue(value, clean)] as const);
  const head = { time: new Date(entry.timeMs).toISOString(), level: entry.level, message: clean(entry.message) };
  return (format === "json" ? renderJson(head, pairs) : renderText(head, pairs)) + "\n";
}

type Value = string | number | boolean | null;
type Pairs = readonly (readonly [key: string, value: Value])[];
type Head = Readonly<Record<"time" | "level" | "message", string>>;

function renderJson(head: Head, pairs: Pairs): string {
  const members = [...Object.entries(head), ...pairs].map(([key, value]) => `${quote(key)}:${renderValue(value)}`);
  return `{${members.join(",")}}`;
}

function renderText(head: Head, pairs: Pairs): string {
  const show = (value: Value): string => (typeof value === "string" ? bareOrQuoted(value) : String(value));
  const fields = pairs.map(([key, value]) => ` ${bareOrQuoted(key)}=${show(value)}`);
  return `${head.time} ${head.level.toUpperCase().padEnd(5)} ${escapeUnprintable(head.message)}${fields.join("")}`;
}

function renderValue(value: Value): string {
  return typeof value === "string" ? quote(value) : String(value);
}

function bareOrQuoted(text: string): string {
  const quoted = quote(text);
  return quoted === `"${text}"` && /^[^\s=]+$/.test(text) ? text : quoted;
}

/** Numbers too are read as text: a secret may be made of digits. JSON has no word for those that are not finite. */
function cleanValue(value: LogFields[string], clean: (text: string) => string): Value {
  const text = clean(String(value));
  return typeof value === "string" || text !== String(value) || !isPlain(value) ? text : value;
}

function isPlain(value: LogFields[string]): value is number | boolean | null {
  return value === null || typeof value === "boolean" || Number.isFinite(value);
}
