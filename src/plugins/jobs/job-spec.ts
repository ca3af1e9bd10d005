/**
 * A job and what set it off -> what its runner is given: the spec of its kind and the environment of its programs.
 *
 * Not: the daemon's own environment holds secrets; a job sees of it {@link SHARED_VARIABLES} and what it names in
 *   `passEnv`.
 */
import type { JobDefinition } from "./job.ts";
import type { CommandSpec, RunSpec } from "./run.ts";
import type { Job } from "./sources.ts";

const SHARED_VARIABLES = ["PATH", "HOME", "LANG", "TZ"] as const;
/** Where programs are looked for when the daemon itself was not told. */
const USUAL_PATH = "/usr/local/bin:/usr/bin:/bin";

/** The spec; `internal` jobs have none. `sessionDir` is for the session files of an agent. */
export function specOf(job: Job, sessionDir: () => string): RunSpec {
  const { definition, kind } = job;
  const { expect } = definition;
  if (kind === "http") {
    const { method, ...rest } = definition.http!;
    return { kind, method: method ?? (rest.body === undefined ? "GET" : "POST"), ...rest, expect };
  }
  if (kind === "agent") return { kind, ...definition.agent!, sessionDir: sessionDir(), name: job.name, expect };
  return { kind: "command", ...programOf(definition), cwd: definition.cwd, stdin: definition.stdin, expect };
}

export function precheckOf({ precheck, cwd }: JobDefinition): CommandSpec | undefined {
  return precheck === undefined ? undefined : { ...programOf(precheck), cwd };
}

function programOf({
  command,
  shell,
}: Pick<JobDefinition, "command" | "shell">): { command: readonly string[] } | { shell: string } {
  return command === undefined ? { shell: shell! } : { command };
}

/** What a job may want to know of its run. */
export interface RunFacts {
  readonly id: number;
  readonly trigger: string;
  readonly slotMs?: number | undefined;
  /** The run that set it off, for `onFailure` and `onSuccess`. */
  readonly cause?:
    | { readonly job: string; readonly id: number; readonly state: string; readonly error?: string | undefined }
    | undefined;
}

export function environmentOf(
  { definition }: Job,
  facts: RunFacts,
  daemonEnv: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const env: Record<string, string> = { PATH: USUAL_PATH };
  for (const name of [...SHARED_VARIABLES, ...(definition.passEnv ?? [])]) {
    const value = daemonEnv[name];
    if (value !== undefined) env[name] = value;
  }
  Object.assign(env, definition.env);
  return Object.assign(env, describeFacts(definition.name, facts));
}

function describeFacts(job: string, { id, trigger, slotMs, cause }: RunFacts): Record<string, string> {
  return {
    PI_DAEMON_JOB: job,
    PI_DAEMON_RUN: String(id),
    PI_DAEMON_TRIGGER: trigger,
    ...(slotMs === undefined ? {} : { PI_DAEMON_SLOT: new Date(slotMs).toISOString() }),
    ...(cause === undefined
      ? {}
      : {
          PI_DAEMON_CAUSE_JOB: cause.job,
          PI_DAEMON_CAUSE_RUN: String(cause.id),
          PI_DAEMON_CAUSE_STATE: cause.state,
          PI_DAEMON_CAUSE_ERROR: cause.error ?? "",
        }),
  };
}
