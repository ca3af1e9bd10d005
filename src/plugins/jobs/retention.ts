/**
 * A job's rows and how long they are kept -> those that go; and the files of output that go with them or for want of
 * room.
 *
 * Not: rows of runs that are not over are kept whatever their age.
 */
import type { FileFacts } from "../../system/plugin-files.ts";
import type { JobRecord } from "./history.ts";
import type { Policy } from "./job-policy.ts";
import { outputFile } from "./run-files.ts";
import { isOver, type RunRow } from "./run-row.ts";

/** What is kept of a job that is defined nowhere any more. */
export const KEEP_OF_GONE: Pick<Policy, "keepRuns" | "keepForMs"> = { keepRuns: 50, keepForMs: 30 * 86_400_000 };

/** Rows are dropped when there are so many too many, so that a job does not write two events for each run. */
const SLACK = 10;

export function hasTooMany(record: JobRecord, { keepRuns }: Pick<Policy, "keepRuns">): boolean {
  return record.runs.length > keepRuns + SLACK;
}

/** The rows that go, oldest first. */
export function findStale(
  record: JobRecord,
  { keepRuns, keepForMs }: Pick<Policy, "keepRuns" | "keepForMs">,
  nowMs: number,
): RunRow[] {
  const over = record.runs.filter(isOver);
  const tooMany = over.length - keepRuns;
  return over.filter((row, index) => index < tooMany || (row.endedMs ?? row.createdMs) < nowMs - keepForMs);
}

/** The files that the rows' output stands in. */
export function filesOf(rows: readonly RunRow[]): string[] {
  return rows.flatMap(({ job, id, attempts = 0 }) =>
    Array.from({ length: attempts }, (_, index) => outputFile(job, id, index + 1)),
  );
}

/** What was written to so lately may be in use. */
const SESSION_REST_MS = 86_400_000;

/** Files of sessions that go as runs do, by age and by count of their job; never the newest of a job that is there. */
export function findOldSessions(
  files: readonly FileFacts[],
  limitsOf: (job: string) => Pick<Policy, "keepRuns" | "keepForMs"> | undefined,
  nowMs: number,
): string[] {
  const sessions = files.filter(({ name }) => name.startsWith("sessions/"));
  return [...Map.groupBy(sessions, ({ name }) => name.split("/")[1]!)].flatMap(([job, own]) => {
    const limits = limitsOf(job);
    const { keepRuns, keepForMs } = limits ?? KEEP_OF_GONE;
    own.sort((a, b) => b.changedMs - a.changedMs);
    return own.flatMap(({ name, changedMs }, index) => {
      const ageMs = nowMs - changedMs;
      const isKept = (index === 0 && limits !== undefined) || ageMs < SESSION_REST_MS;
      return isKept || (index < keepRuns && ageMs < keepForMs) ? [] : [name];
    });
  });
}

/** The oldest files of output that have to go for all of them to stay within `maxBytes`. */
export function findSurplus(files: readonly FileFacts[], maxBytes: number): string[] {
  const output = files.filter(({ name }) => name.startsWith("output/")).sort((a, b) => a.changedMs - b.changedMs);
  let total = output.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const surplus: string[] = [];
  for (const { name, sizeBytes } of output) {
    if (total <= maxBytes) break;
    surplus.push(name);
    total -= sizeBytes;
  }
  return surplus;
}
