/** The `jobs` section of the config. */
import {
  array,
  filePath,
  type Infer,
  integer,
  type Issue,
  nullable,
  object,
  refine,
  withDefault,
} from "../../core/validate.ts";
import { jobSchema } from "./job.ts";
import { policyDefaults } from "./job-policy.ts";
import { timeZone } from "./job-text.ts";

const MOST_JOBS = 100_000;

export const jobsSchema = object({
  jobs: withDefault(refine(array(jobSchema, { max: MOST_JOBS }), findDuplicates), []),
  /** A folder of `*.json` files with a job or a list of jobs each; relative to the folder of the config file. */
  directory: withDefault(filePath(), "jobs.d"),
  /** Runs of all jobs together; others wait for their turn. */
  maxConcurrent: withDefault(integer({ min: 1, max: 10_000 }), 10),
  /** Of jobs that name none; `null` is that of the machine when the job first comes. */
  timeZone: withDefault(nullable(timeZone), null),
  /** What jobs do that do not say otherwise. */
  defaults: withDefault(policyDefaults, {}),
  /** How much of each stream is kept in the history. */
  outputBytes: withDefault(integer({ min: 0, max: 1_048_576 }), 4096),
  /** How much of a run's output is kept in its file, and of all runs together. */
  maxLogBytes: withDefault(integer({ min: 4096, max: 1_073_741_824 }), 1_048_576),
  maxLogBytesTotal: withDefault(integer({ min: 4096 }), 268_435_456),
  /** How long runs may go on when the daemon stops, before they are ended. */
  stopGraceMs: withDefault(integer({ min: 0, max: 600_000 }), 3000),
});

export type JobsConfig = Infer<typeof jobsSchema>;

function findDuplicates(jobs: readonly { readonly name: string }[]): readonly Issue[] {
  const seen = new Map<string, number>();
  return jobs.flatMap(({ name }, index) => {
    const first = seen.get(name);
    if (first === undefined) seen.set(name, index);
    return first === undefined
      ? []
      : [{ path: `${index}.name`, message: `"${name}" is the name of job ${first} already` }];
  });
}
