/**
 * The text of a schedule -> what it means: in English, with its next runs, its warnings and what the next change of
 * clocks does.
 */
import { describe, describeScheduleError, findTimeZone, parseSchedule, preview } from "../../core/cron.ts";
import { integer, object, optional, string, validate } from "../../core/validate.ts";
import { HttpError } from "../plugin.ts";

const question = object({
  schedule: string({ maxLength: 100_000 }),
  timeZone: optional(string()),
  count: optional(integer({ min: 0, max: 1000 })),
  /** The job that `H` spreads by. */
  job: optional(string()),
});

const DEFAULT_COUNT = 10;

export interface ExplainDefaults {
  readonly nowMs: number;
  readonly timeZone: string;
}

/** Throws HttpError 400; for a fault in the schedule, `details` has its place and a hint. */
export function explainSchedule(asked: unknown, defaults: ExplainDefaults): Readonly<Record<string, unknown>> {
  const checked = validate(question, asked);
  if (!checked.ok) {
    const [{ path, message }] = checked.issues as [{ path: string; message: string }];
    throw refuse(path === "" ? message : `${path}: ${message}`, checked.issues);
  }
  const { schedule: text, count = DEFAULT_COUNT, job, timeZone = defaults.timeZone } = checked.value;
  const zone = findTimeZone(timeZone);
  if (zone === undefined)
    throw refuse(`timeZone: "${timeZone}" is not a time zone; expected a name such as Europe/Berlin`, {});
  const { nowMs } = defaults;
  const parsed = parseSchedule(text, { anchorMs: nowMs, ...(job !== undefined && { jobId: job }) });
  if (!parsed.ok) throw refuse(describeScheduleError(text, parsed.error), { ...parsed.error });
  const { schedule, warnings } = parsed;
  return {
    schedule: text,
    timeZone: zone.name,
    text: describe(schedule),
    warnings,
    ...preview(schedule, zone, { afterMs: nowMs, count }),
  };
}

function refuse(message: string, details: HttpError["details"]): HttpError {
  return new HttpError(400, "VALIDATION_ERROR", message, { details });
}
