/** The list of items in one cron field (`*`, `1-5`, `0/15`, `L-3W`, `MON#2`, `H`) to bits of a draft. */
import { DAY_OF_MONTH, DAY_OF_WEEK, type Field, nameOfValue, topOf } from "./field.ts";
import { addRange, type FieldRange } from "./field-range.ts";
import { endOfItem, fail, FAILED, failUnexpected, type FieldReader, isDigit, peek } from "./field-reader.ts";
import { isLetter, readStep, readValue, take, takeLetter } from "./field-reader.ts";
import { hashOfField } from "./hash.ts";
import type { Span } from "./schedule-error.ts";

/** Days of the month that `H` may choose: those that every month has. */
const LAST_HASHED_DAY = 28;
const LONGEST_LIST_HINT = 12;
const ASTERISK = 42;
const QUESTION = 63;
const LETTER_H = 72;
const LETTER_L = 76;
const LETTER_W = 87;
const HASH_SIGN = 35;
const SLASH = 47;

/** Reads one whole field into `reader.draft`, up to the first fault. */
export function readField(reader: FieldReader, field: Field, span: Span): void {
  reader.field = field;
  reader.at = span.start;
  reader.end = span.end;
  do readItem(reader);
  while (reader.error === undefined && take(reader, ","));
  if (reader.at < reader.end) failUnexpected(reader, trailingHint(reader));
}

function readItem(reader: FieldReader): void {
  const { field } = reader;
  const code = peek(reader);
  if (code === ASTERISK) return readStar(reader);
  if (code === QUESTION) return readQuestion(reader);
  const letter = code & ~32;
  if (letter === LETTER_H) return readHash(reader);
  if (letter === LETTER_L && field.index === DAY_OF_MONTH) return readFromEnd(reader);
  if (letter === LETTER_L && field.index === DAY_OF_WEEK) {
    const hint = "write SATL for the last Saturday, or L in the day of month for the last day";
    return void fail(reader, { start: reader.at, end: endOfItem(reader), what: "L needs a day before it", hint });
  }
  readNumbers(reader);
}

function readStar(reader: FieldReader): void {
  reader.at++;
  const { field } = reader;
  const step = readStep(reader);
  if (step !== FAILED) addRange(reader.draft, field, { low: field.low, high: topOf(field), step });
}

function readQuestion(reader: FieldReader): void {
  const { at, field } = reader;
  if (field.index !== DAY_OF_MONTH && field.index !== DAY_OF_WEEK) {
    return void fail(reader, { start: at, end: at + 1, what: "? stands only in the two day fields", hint: "write *" });
  }
  reader.at++;
  addRange(reader.draft, field, { low: field.low, high: topOf(field), step: 1 });
}

/** A value, a range or an open step, and what may follow a single day. */
function readNumbers(reader: FieldReader): void {
  const start = reader.at;
  const low = readValue(reader);
  if (low === FAILED) return;
  if (take(reader, "-")) return readRange(reader, start, low);
  const { field, draft } = reader;
  if (field.index === DAY_OF_MONTH && takeLetter(reader, "W")) {
    draft.nearDays |= 1 << (low - 1);
  } else if (field.index === DAY_OF_WEEK && takeLetter(reader, "L")) {
    draft.lastWeekdays |= 1 << (low % 7);
  } else if (field.index === DAY_OF_WEEK && take(reader, "#")) {
    readNth(reader, start, low % 7);
  } else if (peek(reader) === SLASH) {
    const step = readStep(reader);
    if (step === FAILED) return;
    reader.openSteps |= 1 << field.index;
    // 7/2 begins on Sunday as 0/2 does.
    addRange(draft, field, { low: low > topOf(field) ? 0 : low, high: topOf(field), step });
  } else {
    addRange(reader.draft, field, { low, high: low, step: 1 });
  }
}

function readRange(reader: FieldReader, start: number, low: number): void {
  const high = readUpperEnd(reader, low);
  if (high === FAILED) return;
  const { field } = reader;
  const end = reader.at;
  const step = readStep(reader);
  if (step === FAILED) return;
  if (low <= high) return addRange(reader.draft, field, { low, high, step });
  const write = isLetter(reader.text.charCodeAt(start)) ? nameOfValue : plainValue;
  const what = `the range ${reader.text.slice(start, end)} runs backwards`;
  fail(reader, { start, end: reader.at, what, hint: wrapHint(field, { low, high, step }, write) });
}

/** FRI-SUN and 6-0: at the upper end of a range Sunday is the seventh day. */
function readUpperEnd(reader: FieldReader, low: number): number {
  const high = readValue(reader);
  return high === 0 && low > 0 && reader.field.index === DAY_OF_WEEK ? 7 : high;
}

/** `#1` to `#5` and `#L` after a day of the week. */
function readNth(reader: FieldReader, start: number, weekday: number): void {
  const { draft } = reader;
  if (takeLetter(reader, "L")) {
    draft.lastWeekdays |= 1 << weekday;
    return;
  }
  const nth = peek(reader) - 48;
  const isAlone = !isDigit(reader.at + 1 < reader.end ? reader.text.charCodeAt(reader.at + 1) : NaN);
  if (!(nth >= 1 && nth <= 5 && isAlone)) {
    const what = "# counts the weeks of a month from 1 to 5";
    const hint = "write 1 to 5 after #, or L for the last one of the month";
    return void fail(reader, { start, end: endOfItem(reader), what, hint });
  }
  reader.at++;
  if (nth === 5) draft.fifthWeekdays |= 1 << weekday;
  else draft.nthWeekdays |= 1 << (7 * (nth - 1) + weekday);
}

/** `L`, `L-n`, `LW` and `L-nW` in the day of the month. */
function readFromEnd(reader: FieldReader): void {
  const start = reader.at++;
  let days = 0;
  if (take(reader, "-")) {
    let digits = 0;
    for (; digits < 3 && isDigit(peek(reader)); digits++) days = days * 10 + reader.text.charCodeAt(reader.at++) - 48;
    if (digits === 0 || digits > 2 || days > 30) {
      const what = "L- counts 0 to 30 days back from the last day";
      return void fail(reader, { start, end: endOfItem(reader), what });
    }
  }
  if (takeLetter(reader, "W")) reader.draft.nearDaysFromEnd |= 1 << days;
  else reader.draft.daysFromEnd |= 1 << days;
}

/** `H`, `H/n`, `H(a-b)` and `H(a-b)/n`: a value of the range that is always the same for the same job. */
function readHash(reader: FieldReader): void {
  const { field, jobId } = reader;
  const start = reader.at++;
  let low = field.low;
  let high = field.index === DAY_OF_MONTH ? LAST_HASHED_DAY : topOf(field);
  if (take(reader, "(")) {
    low = readValue(reader);
    if (low !== FAILED && !take(reader, "-")) failUnexpected(reader, "write H(1-5)");
    high = reader.error === undefined ? readUpperEnd(reader, low) : FAILED;
    if (high !== FAILED && !take(reader, ")")) failUnexpected(reader, "write H(1-5)");
    if (reader.error !== undefined) return;
    if (low > high) return void fail(reader, { start, end: reader.at, what: "the range of H runs backwards" });
  }
  const isStepped = peek(reader) === SLASH;
  const step = readStep(reader);
  if (step === FAILED) return;
  reader.hashes |= 1 << field.index;
  const first = low + (hashOfField(jobId, field.index) % Math.min(isStepped ? step : Infinity, high - low + 1));
  addRange(reader.draft, field, { low: first, high: isStepped ? high : first, step });
}

function plainValue(_field: Field, value: number): string {
  return String(value);
}

/** A backward range as one or two forward ones, or as a list when it has a step. */
function wrapHint(field: Field, range: FieldRange, write: (field: Field, value: number) => string): string {
  const top = topOf(field);
  const low = range.low > top ? field.low : range.low;
  const join = (from: number, to: number): string =>
    from === to ? write(field, from) : `${write(field, from)}-${write(field, to)}`;
  if (low <= range.high) return `write ${join(low, range.high)}${range.step > 1 ? `/${range.step}` : ""}`;
  if (range.step === 1) return `write ${join(low, top)},${join(field.low, range.high)}`;
  const values: string[] = [];
  for (let value = low; value <= range.high + field.size; value += range.step) {
    values.push(write(field, value > top ? value - field.size : value));
  }
  return values.length > LONGEST_LIST_HINT ? "" : `write ${values.join(",")}`;
}

function trailingHint(reader: FieldReader): string {
  const letter = peek(reader) & ~32;
  if (letter === LETTER_W) return "W goes with a single day of the month, as in 15W";
  const isCount = letter === LETTER_L || peek(reader) === HASH_SIGN;
  return isCount ? "L and # go with a single day of the week, as in FRIL or MON#2" : "separate values with commas";
}
