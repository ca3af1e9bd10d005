/**
 * What a schedule is once its text has been read: a plain value without a time zone.
 *
 * A cron schedule is a handful of small integers (about 0.2 KB), each a bit mask as in `bit-set.ts`.
 */

/** Runs at the seconds whose local date and time match. */
export interface CronSchedule {
  readonly kind: "cron";
  readonly secondsLow: number;
  readonly secondsHigh: number;
  readonly minutesLow: number;
  readonly minutesHigh: number;
  readonly hours: number;
  /** Bit 0 = the 1st. */
  readonly days: number;
  /** `L-n`: bit n = n days before the last day of the month. */
  readonly daysFromEnd: number;
  /** `nW`: bit 0 = the weekday (Monday to Friday) nearest to the 1st, within the month. */
  readonly nearDays: number;
  /** `L-nW`: bit n = the weekday nearest to n days before the last day. */
  readonly nearDaysFromEnd: number;
  /** Bit 0 = January. */
  readonly months: number;
  /** Bit 0 = Sunday. */
  readonly weekdays: number;
  /** `d#1` to `d#4`: seven bits for each week, bit 0 = the first Sunday. */
  readonly nthWeekdays: number;
  /** `d#5`: bit 0 = the fifth Sunday. */
  readonly fifthWeekdays: number;
  /** `dL`: bit 0 = the last Sunday. */
  readonly lastWeekdays: number;
  /** A day matches when either day field does; otherwise both must. */
  readonly eitherDay: boolean;
  /** Follows real time through a change of the clocks; otherwise each local time gives exactly one run. */
  readonly wild: boolean;
  /** No date of any year matches. */
  readonly never: boolean;
}

/** Runs at `anchorMs + k * periodMs` for k = 1, 2, ... */
export interface EverySchedule {
  readonly kind: "every";
  readonly periodMs: number;
  readonly anchorMs: number;
}

/** Runs once. */
export interface OnceSchedule {
  readonly kind: "at";
  readonly atMs: number;
}

/** Runs when something happens, never by the clock: once a boot of the machine, or at each start of the daemon. */
export interface EventSchedule {
  readonly kind: "reboot" | "start";
}

export type Schedule = CronSchedule | EverySchedule | OnceSchedule | EventSchedule;

/** A cron schedule while its fields are being read. */
export type CronDraft = { -readonly [Key in keyof CronSchedule]: CronSchedule[Key] };

const CRON_KEYS: readonly (keyof CronSchedule)[] = [
  "secondsLow",
  "secondsHigh",
  "minutesLow",
  "minutesHigh",
  "hours",
  "days",
  "daysFromEnd",
  "nearDays",
  "nearDaysFromEnd",
  "months",
  "weekdays",
  "nthWeekdays",
  "fifthWeekdays",
  "lastWeekdays",
  "eitherDay",
  "wild",
];

/** Whether two schedules run alike in every zone, told by their fields: `31` and `L` differ, also in January alone. */
export function equalSchedules(a: Schedule, b: Schedule): boolean {
  if (a.kind === "cron" && b.kind === "cron") return CRON_KEYS.every((key) => a[key] === b[key]);
  if (a.kind === "every" && b.kind === "every") return a.periodMs === b.periodMs && a.anchorMs === b.anchorMs;
  if (a.kind === "at" && b.kind === "at") return a.atMs === b.atMs;
  return a.kind === b.kind;
}
