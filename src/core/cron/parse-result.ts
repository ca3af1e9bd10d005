/** What reading the text of a schedule comes to: a schedule with warnings, or an error with its place. */
import type { Schedule } from "./schedule.ts";
import { type Fault, type ScheduleError, scheduleError } from "./schedule-error.ts";
import type { ScheduleWarning } from "./schedule-warnings.ts";

export type ParseResult =
  | { readonly ok: true; readonly schedule: Schedule; readonly warnings: readonly ScheduleWarning[] }
  | { readonly ok: false; readonly error: ScheduleError };

export function failedParse(text: string, fault: Fault): ParseResult {
  return { ok: false, error: scheduleError(text, fault) };
}
