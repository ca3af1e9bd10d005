/**
 * When a job runs: the text of a schedule to a value, and that value with a time zone to instants and to English.
 *
 * Source: Vixie cron's five fields and its rules for the two day fields and for changes of the clocks; the extensions
 * of Quartz (`L`, `W`, `#`) and Jenkins (`H`); seconds in a sixth field; `@every`, `@at`, `@in`, `@reboot`, `@start`.
 * Units: instants in milliseconds since 1970-01-01T00:00:00Z.
 * Errors: faults in the text are values; nothing throws but a search for runs from a time that is no number.
 */
export { describe } from "./cron/describe-schedule.ts";
export { type ParseResult } from "./cron/parse-result.ts";
export { type ParseOptions, parseSchedule } from "./cron/parse-schedule.ts";
export {
  formatLocal,
  preview,
  type PreviewedRun,
  type SchedulePreview,
  type TransitionEffect,
} from "./cron/preview.ts";
export { type CronSchedule, equalSchedules, type EverySchedule, type EventSchedule } from "./cron/schedule.ts";
export { type OnceSchedule, type Schedule } from "./cron/schedule.ts";
export { describeScheduleError, pointAtScheduleError, type ScheduleError } from "./cron/schedule-error.ts";
export { matches, nextRun, previousRun } from "./cron/schedule-runs.ts";
export { type ScheduleWarning } from "./cron/schedule-warnings.ts";
export { findTimeZone, type TimeZone } from "./time-zone.ts";
