/**
 * Durations as people write them ("5m", "1h30m", "250ms", "2d") to milliseconds and back.
 *
 * Units: whole milliseconds; `ms s m h d w`, a day being 24 hours and a week 7 days whatever the calendar says.
 * Order: units fall from left to right and none stands twice.
 * Errors: SyntaxError for text that is no duration, RangeError for one too long to count exactly; both quote the text.
 */
import { quote, shorten } from "./printable.ts";

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];
const UNIT_NAMES = UNITS.map(([unit]) => unit);
const PART = /(\d+)([a-zA-Zµ]*)/y;

/** The milliseconds of a duration such as "1h30m". Throws SyntaxError or RangeError. */
export function parseDuration(text: string): number {
  if (text === "") throw fault(text, 'is empty; expected something like "5m" or "1h30m"', 0);
  let totalMs = 0;
  let lastRank = -1;
  for (let at = 0; at < text.length; at = PART.lastIndex) {
    const [digits, unit] = readPart(text, at);
    const rank = UNIT_NAMES.indexOf(unit);
    if (rank <= lastRank) throw fault(text, orderFault(unit, UNIT_NAMES[lastRank]!), at);
    lastRank = rank;
    totalMs += Number(digits) * UNITS[rank]![1];
  }
  if (Number.isSafeInteger(totalMs)) return totalMs;
  throw new RangeError(`Cannot use duration ${show(text)}: it is longer than can be counted in milliseconds exactly`);
}

/** The text that {@link parseDuration} turns back into the same number, largest units first. Throws RangeError. */
export function formatDuration(ms: number): string {
  if (!Number.isSafeInteger(ms) || ms < 0) {
    throw new RangeError(`Cannot write ${ms} as a duration: expected whole milliseconds, 0 or more`);
  }
  let rest = ms;
  let text = "";
  for (const [unit, unitMs] of UNITS) {
    // "1w2d" reads worse than "9d": weeks are written only when nothing is left over.
    if (unit === "w" && rest % unitMs !== 0) continue;
    const count = Math.floor(rest / unitMs);
    if (count > 0) text += count + unit;
    rest -= count * unitMs;
  }
  return text || "0s";
}

function readPart(text: string, at: number): [digits: string, unit: string] {
  PART.lastIndex = at;
  const match = PART.exec(text);
  if (!match) throw fault(text, `expected a whole number, found ${show(text.slice(at, at + 1))}`, at);
  const [whole, digits, unit] = match as unknown as [string, string, string];
  if (UNIT_NAMES.includes(unit)) return [digits, unit];
  const unitAt = at + digits.length;
  if (/[.,]/.test(text.charAt(unitAt))) throw fault(text, 'only whole numbers: "1h30m", not "1.5h"', unitAt);
  const what = unit === "" ? `the number ${whole} has no unit` : `unknown unit ${show(unit)}`;
  throw fault(text, `${what}; expected one of ${UNIT_NAMES.join(", ")}`, unitAt);
}

function orderFault(unit: string, after: string): string {
  if (unit === after) return `the unit "${unit}" stands twice`;
  return `"${unit}" may not come after "${after}": larger units come first`;
}

function fault(text: string, what: string, at: number): SyntaxError {
  return new SyntaxError(`Cannot parse duration ${show(text)}: ${what} (column ${at + 1})`);
}

function show(text: string): string {
  return quote(shorten(text, 40));
}
