/**
 * What a job is, as people write it: the schema of a definition, and the definition with every default filled in.
 *
 * Units: fields ending in `Ms` are milliseconds, those ending in `Usd` dollars; durations without a unit in their name
 *   are text such as "24h".
 * Errors: issues with the path of the field. A schedule that never matches is refused: it could only be a mistake.
 */
import {
  array,
  boolean,
  filePath,
  type Infer,
  integer,
  type Issue,
  number,
  object,
  optional,
  record,
  refine,
  type Schema,
  secret,
  string,
  union,
} from "../../core/validate.ts";
import { headerName, jobName, nonEmpty, pattern, schedule, timeZone, variableName } from "./job-text.ts";
import { policyFields } from "./job-policy.ts";

/** Where a run's outcome is told: another job, or a POST of JSON to an address. */
const followUp = union(
  object({ job: jobName }),
  object({
    url: secret(string({ pattern: /^https?:\/\//, expected: "an http or https URL" })),
    headers: optional(headers()),
  }),
);

// What is run is taken as it is written: shells and programs have their own `${`. Secrets come to them by `env`.
const argument = string({ pattern: /^[^\0]*$/, expected: "a string without NUL", mark: "verbatim" });
const argv = array(argument, { min: 1, max: 10_000 });
const line = string({
  minLength: 1,
  pattern: /^[^\0]+$/,
  expected: "a line for /bin/sh (not empty, no NUL)",
  mark: "verbatim",
});
const duration = integer({ min: 1, max: 2 ** 31 - 1 });

const precheck = refine(
  object({ command: optional(argv), shell: optional(line), timeoutMs: optional(duration) }),
  ({ command, shell }) =>
    (command === undefined) === (shell === undefined) ? "expected either command or shell" : undefined,
);

const expectation = object({
  exitCodes: optional(array(integer({ min: 0, max: 255 }), { min: 1 })),
  pattern: optional(pattern),
  forbidden: optional(pattern),
  minDurationMs: optional(duration),
});

const http = object({
  method: optional(string({ pattern: /^[A-Z]{1,20}$/, expected: "a method in capitals, such as GET" })),
  url: string({ pattern: /^https?:\/\//, expected: "an http or https URL" }),
  headers: optional(headers()),
  body: optional(string()),
  expectStatus: optional(array(integer({ min: 100, max: 599 }), { min: 1 })),
  maxRedirects: optional(integer({ min: 0, max: 5 })),
  maxBodyBytes: optional(integer({ min: 0, max: 67_108_864 })),
});

const agent = object({
  prompt: string({ minLength: 1, mark: "verbatim" }),
  model: optional(nonEmpty),
  tools: optional(array(string({ pattern: /^[\w.:-]+$/, expected: "the name of a tool" }))),
  cwd: optional(filePath()),
  session: optional(string({ pattern: /^(fresh|kept)$/, expected: '"fresh" or "kept"' }) as Schema<"fresh" | "kept">),
  maxCostUsd: optional(number({ min: 0.000_001 })),
  approveProject: optional(boolean()),
  offline: optional(boolean()),
  program: optional(argv),
});

const internal = object({ action: nonEmpty, input: optional(record(union(string(), number(), boolean()))) });

const fields = {
  name: jobName,
  description: optional(string({ maxLength: 1000 })),
  enabled: optional(boolean()),
  schedule: optional(schedule),
  timeZone: optional(timeZone),
  kind: optional(
    string({
      pattern: /^(command|http|agent|internal)$/,
      expected: '"command", "http", "agent" or "internal"',
    }) as Schema<Kind>,
  ),
  command: optional(argv),
  shell: optional(line),
  cwd: optional(filePath()),
  stdin: optional(string()),
  env: optional(record(secret(string({ pattern: /^[^\0]*$/, expected: "text without NUL" })), { key: variableName })),
  passEnv: optional(array(variableName)),
  http: optional(http),
  agent: optional(agent),
  internal: optional(internal),
  precheck: optional(precheck),
  expect: optional(expectation),
  onFailure: optional(followUp),
  onSuccess: optional(followUp),
  tags: optional(
    array(string({ pattern: /^[\w.:/@-]{1,64}$/, expected: "a tag (letters, digits and . : / @ _ -)" }), { max: 32 }),
  ),
  ...policyFields,
};

export type Kind = "command" | "http" | "agent" | "internal";

/** A definition as it is written. */
export const jobSchema: Schema<JobDefinition> = refine(object(fields), findJobFault);

export interface JobDefinition extends Infer<ReturnType<typeof object<typeof fields>>> {}

export type FollowUp = Infer<typeof followUp>;

/** What a definition runs: exactly one of these fields stands in it. `shell` is a command too. */
const KIND_OF = { command: "command", shell: "command", http: "http", agent: "agent", internal: "internal" } as const;
const KIND_FIELDS = Object.keys(KIND_OF) as (keyof typeof KIND_OF)[];
/** Fields that mean something for programs only. */
const COMMAND_FIELDS = ["cwd", "stdin"] as const;

export function kindOf(definition: JobDefinition): Kind {
  return KIND_OF[KIND_FIELDS.find((field) => definition[field] !== undefined)!];
}

/** Whether each run goes on where the one before it ended. */
export function keepsSession({ agent }: JobDefinition): boolean {
  return agent?.session === "kept";
}

function findJobFault(job: JobDefinition): readonly Issue[] {
  const given = KIND_FIELDS.filter((field) => job[field] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? "none of them" : given.join(" and ");
    return [{ path: "", message: `expected exactly one of ${KIND_FIELDS.join(", ")}, got ${found}` }];
  }
  const kind = kindOf(job);
  const issues: Issue[] = [];
  if (job.kind !== undefined && job.kind !== kind)
    issues.push({ path: "kind", message: `is "${job.kind}", but the job has "${given[0]}"` });
  if (kind !== "command") {
    for (const field of COMMAND_FIELDS)
      if (job[field] !== undefined) issues.push({ path: field, message: `means nothing for kind "${kind}"` });
  }
  if (kind === "internal" && job.expect !== undefined)
    issues.push({ path: "expect", message: 'means nothing for kind "internal"' });
  else if (kind !== "command" && job.expect?.exitCodes !== undefined)
    issues.push({ path: "expect.exitCodes", message: `means nothing for kind "${kind}"` });
  if ((kind === "http" || kind === "internal") && job.precheck === undefined) {
    for (const field of ["env", "passEnv"] as const)
      if (job[field] !== undefined) issues.push({ path: field, message: `means nothing for kind "${kind}"` });
  }
  if (keepsSession(job) && job.overlap === "parallel")
    issues.push({ path: "overlap", message: '"parallel" does not go with a session that is kept' });
  for (const field of ["onFailure", "onSuccess"] as const) {
    const next = job[field];
    if (next !== undefined && "job" in next && next.job === job.name)
      issues.push({ path: `${field}.job`, message: "is the job itself" });
  }
  if (job.maxParallel !== undefined && job.overlap !== "parallel")
    issues.push({ path: "maxParallel", message: 'needs "overlap": "parallel"' });
  if (job.catchUpMax !== undefined && job.catchUp !== "all")
    issues.push({ path: "catchUpMax", message: 'needs "catchUp": "all"' });
  return issues;
}

function headers() {
  return record(secret(string({ pattern: /^[\t\x20-\x7e\x80-\xff]*$/, expected: "a header's value (one line)" })), {
    key: headerName,
  });
}
