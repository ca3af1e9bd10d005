/** The six fields of a cron expression: their order, their names, and what may stand in them. */
export interface Field {
  /** 0 = second to 5 = day of week, also where an expression has no seconds. */
  readonly index: number;
  readonly name: FieldName;
  readonly low: number;
  /** The largest number that may be written: 7 (Sunday again) for a day of the week. */
  readonly high: number;
  /** How many different values there are. */
  readonly size: number;
  /** Three letters for each value from `low` on; empty for a field without names. */
  readonly names: string;
}

export type FieldName = "second" | "minute" | "hour" | "day of month" | "month" | "day of week";

export const SECOND = 0;
export const MINUTE = 1;
export const HOUR = 2;
export const DAY_OF_MONTH = 3;
export const MONTH = 4;
export const DAY_OF_WEEK = 5;

const MONTH_NAMES = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
const DAY_NAMES = "SUNMONTUEWEDTHUFRISAT";

export const FIELDS: readonly Field[] = [
  { index: SECOND, name: "second", low: 0, high: 59, size: 60, names: "" },
  { index: MINUTE, name: "minute", low: 0, high: 59, size: 60, names: "" },
  { index: HOUR, name: "hour", low: 0, high: 23, size: 24, names: "" },
  { index: DAY_OF_MONTH, name: "day of month", low: 1, high: 31, size: 31, names: "" },
  { index: MONTH, name: "month", low: 1, high: 12, size: 12, names: MONTH_NAMES },
  { index: DAY_OF_WEEK, name: "day of week", low: 0, high: 7, size: 7, names: DAY_NAMES },
];

/** The largest value that is not a second name of another one. */
export function topOf(field: Field): number {
  return field.low + field.size - 1;
}

/** The value of a three-letter name in any case; -1 for any other text. */
export function valueOfName(field: Field, name: string): number {
  const at = field.names.indexOf(name.toUpperCase());
  return at < 0 || at % 3 !== 0 || name.length !== 3 ? -1 : field.low + at / 3;
}

/** The three-letter name of a value, or its number in a field without names. */
export function nameOfValue(field: Field, value: number): string {
  if (field.names === "") return String(value);
  const at = ((value - field.low) % field.size) * 3;
  return field.names.slice(at, at + 3);
}
