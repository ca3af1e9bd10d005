/** Five or six cron fields to a schedule: splits them, reads each, and settles how the two day fields work together. */
import { hasNoDate } from "./day-mask.ts";
import { DAY_OF_MONTH, FIELDS, HOUR, MINUTE, SECOND } from "./field.ts";
import { readField } from "./field-items.ts";
import type { FieldReader } from "./field-reader.ts";
import { failedParse, type ParseResult } from "./parse-result.ts";
import type { CronDraft } from "./schedule.ts";
import { quoteAt, type Span, tokenAt } from "./schedule-error.ts";
import { findWarnings } from "./schedule-warnings.ts";

const MOST_FIELDS = 6;
const EVERY_DAY = 0x7fffffff;
const EVERY_WEEKDAY = 0x7f;

interface FieldSpan extends Span {
  start: number;
}

/** Reads the fields within `span`; `H` needs a job to be spread by. */
export function parseCron(text: string, span: Span, jobId: string | undefined): ParseResult {
  const spans = splitFields(text, span);
  const firstField = MOST_FIELDS - spans.length;
  if (firstField !== SECOND && firstField !== MINUTE) return failCount(text, span, spans);
  const reader = createReader(text, jobId ?? "");
  const { draft } = reader;
  if (firstField === MINUTE) draft.secondsLow = 1;
  const weekdays = spans[spans.length - 1]!;
  const needsBothDays = text[weekdays.start] === "+";
  if (needsBothDays) weekdays.start++;
  for (let index = firstField; index < MOST_FIELDS; index++) {
    readField(reader, FIELDS[index]!, spans[index - firstField]!);
    if (reader.error !== undefined) return { ok: false, error: reader.error };
  }
  const isOpen = isStar(text, spans[DAY_OF_MONTH - firstField]!) || isStar(text, weekdays);
  draft.eitherDay = !needsBothDays && !isOpen;
  draft.wild = isWild(text, spans, firstField);
  draft.never = hasNoDate(draft);
  const warnings = findWarnings(draft, { reader, spans, firstField, needsBothDays, hasJob: jobId !== undefined });
  settleDays(draft);
  return { ok: true, schedule: draft, warnings };
}

function createReader(text: string, jobId: string): FieldReader {
  const draft = emptyDraft();
  return { text, draft, jobId, field: FIELDS[0]!, at: 0, end: 0, error: undefined, openSteps: 0, hashes: 0 };
}

function emptyDraft(): CronDraft {
  return {
    kind: "cron",
    secondsLow: 0,
    secondsHigh: 0,
    minutesLow: 0,
    minutesHigh: 0,
    hours: 0,
    days: 0,
    daysFromEnd: 0,
    nearDays: 0,
    nearDaysFromEnd: 0,
    months: 0,
    weekdays: 0,
    nthWeekdays: 0,
    fifthWeekdays: 0,
    lastWeekdays: 0,
    eitherDay: false,
    wild: false,
    never: false,
  };
}

/** The fields between spaces and tabs; at most one more than can be right. */
function splitFields(text: string, { start, end }: Span): FieldSpan[] {
  const spans: FieldSpan[] = [];
  let fieldStart = start;
  for (let at = start; at <= end; at++) {
    const code = at < end ? text.charCodeAt(at) : 32;
    if (code !== 32 && code !== 9) continue;
    if (at > fieldStart) spans.push({ start: fieldStart, end: at });
    if (spans.length > MOST_FIELDS) break;
    fieldStart = at + 1;
  }
  return spans;
}

function isStar(text: string, { start }: Span): boolean {
  const first = text[start];
  return first === "*" || first === "?";
}

/** Whether the schedule follows real time: a clock field begins with `*`, or is `H` with a step. */
function isWild(text: string, spans: readonly Span[], firstField: number): boolean {
  for (let index = firstField; index <= HOUR; index++) {
    const { start } = spans[index - firstField]!;
    if (text[start] === "*" || ((text[start] === "H" || text[start] === "h") && text[start + 1] === "/")) return true;
  }
  return false;
}

/** Brings day fields that mean the same to the same bits, so that schedules can be compared. */
function settleDays(draft: CronDraft): void {
  if (draft.eitherDay && (draft.days === EVERY_DAY || draft.weekdays === EVERY_WEEKDAY)) {
    draft.eitherDay = false;
    draft.days = EVERY_DAY;
    draft.weekdays = EVERY_WEEKDAY;
  }
  if (draft.days === EVERY_DAY) draft.daysFromEnd = draft.nearDays = draft.nearDaysFromEnd = 0;
  if (draft.weekdays === EVERY_WEEKDAY) draft.nthWeekdays = draft.fifthWeekdays = draft.lastWeekdays = 0;
}

function failCount(text: string, span: Span, spans: readonly Span[]): ParseResult {
  const extra = spans[MOST_FIELDS];
  if (extra !== undefined) {
    const what = `more than 6 fields: after ${describeReadings(text, spans.slice(0, MOST_FIELDS), SECOND)}`;
    const hint = "there is no field for a year; remove what follows the day of week";
    return failedParse(text, { start: extra.start, end: span.end, what, hint });
  }
  const missing = FIELDS.slice(MINUTE + spans.length).map((field) => field.name);
  const count = spans.length === 1 ? "1 field" : `${spans.length} fields`;
  const what = `${count} of at least 5: ${describeReadings(text, spans, MINUTE)}`;
  const hint = guessMeaning(tokenAt(text, span)) ?? `missing: ${missing.join(", ")}`;
  return failedParse(text, { ...span, what, hint });
}

/** What somebody may have meant who did not write cron fields. */
function guessMeaning(text: string): string | undefined {
  const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (minute !== undefined) return `for every day at ${text} write ${Number(minute)} ${Number(hour)} * * *`;
  if (/^(\d+[smhdw])+$/.test(text)) return `for every ${text} write @every ${text}`;
  if (/^(hourly|daily|midnight|weekly|monthly|yearly|annually|reboot)$/i.test(text)) return `write @${text}`;
  return /^every\b/i.test(text) ? "write @every and a duration such as 90s, 5m or 1h30m" : undefined;
}

/** Says what each field was read as: `minute "20", hour "15"`. */
function describeReadings(text: string, spans: readonly Span[], firstField: number): string {
  return spans.map((span, at) => `${FIELDS[firstField + at]!.name} ${quoteAt(text, span)}`).join(", ");
}
