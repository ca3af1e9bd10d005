/** The kinds of text that a definition of a job is made of, as schemas. */
import { describeScheduleError, findTimeZone, parseSchedule } from "../../core/cron.ts";
import { refine, type Schema, string } from "../../core/validate.ts";

/** A job's name is its id: in addresses, file names, labels. */
export const jobName = string({
  pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  expected: "a name (letters, digits, . _ -, at most 64, beginning with a letter or digit)",
  mark: "plain",
});

export const nonEmpty = string({ minLength: 1 });

export const variableName = string({
  pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
  expected: "the name of an environment variable",
});

export const headerName = string({ pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, expected: "the name of a header" });

/** Longer ones are no schedule of a person; parsing is linear, but errors quote it. */
const LONGEST_SCHEDULE = 2000;

export const schedule: Schema<string> = refine(
  string({ minLength: 1, maxLength: LONGEST_SCHEDULE, expected: "a schedule", mark: "plain" }),
  findScheduleFault,
);

export const timeZone: Schema<string> = refine(string({ expected: "a time zone", mark: "plain" }), (name) =>
  findTimeZone(name) === undefined
    ? `"${name}" is not a time zone; expected a name such as Europe/Berlin or UTC`
    : undefined,
);

export const pattern: Schema<string> = refine(string({ minLength: 1, maxLength: 2000 }), (source) => {
  try {
    new RegExp(source, "m");
    return undefined;
  } catch (error) {
    return `is not a regular expression: ${(error as Error).message}`;
  }
});

function findScheduleFault(text: string): string | undefined {
  const parsed = parseSchedule(text, { jobId: "a", anchorMs: 0 });
  if (!parsed.ok) return describeScheduleError(text, parsed.error);
  const { schedule: found } = parsed;
  return found.kind === "cron" && found.never
    ? `Cannot use schedule "${text}": no date ever matches, so it would never run`
    : undefined;
}
