/**
 * Turns lines of the log, JSON or not, into lines for a person.
 *
 * Not: a line that is none of the log's own, such as the last words of a crash, is only made safe to print.
 */
import { escapeUnprintable } from "../core/printable.ts";
import { renderLine } from "../system/log-line.ts";
import { LOG_LEVELS, type LogFields, type LogLevel } from "../system/log.ts";
import type { Colour, Painter } from "./style.ts";

const COLOUR_OF: Readonly<Partial<Record<LogLevel, Colour>>> = { debug: "dim", warn: "yellow", error: "red" };

export function toReadableLine(line: string, paint: Painter): string {
  const entry = parseEntry(line);
  if (entry === undefined) return escapeUnprintable(line);
  const text = renderLine(entry, "text", []).trimEnd();
  const colour = COLOUR_OF[entry.level];
  return colour === undefined ? text : paint(colour, text);
}

function parseEntry(line: string): Parameters<typeof renderLine>[0] | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const { time, level, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
    const timeMs = typeof time === "string" ? Date.parse(time) : NaN;
    const isEntry = Number.isFinite(timeMs) && LOG_LEVELS.includes(level as LogLevel) && typeof message === "string";
    return isEntry ? { timeMs, level: level as LogLevel, message, fields: fields as LogFields } : undefined;
  } catch {
    return undefined;
  }
}
