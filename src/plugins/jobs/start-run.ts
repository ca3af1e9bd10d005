/** The spec of a run and its context -> the run, begun by the runner of its kind. */
import type { CommandSpec, PrecheckOutcome, RunContext, RunHandle, RunOutcome, RunSpec } from "./run.ts";
import { runAgent } from "./run-agent.ts";
import { runCommand } from "./run-command.ts";
import { runHttp } from "./run-http.ts";

export interface PrecheckHandle {
  /** Never rejects. */
  readonly done: Promise<PrecheckOutcome>;
  readonly cancel: RunHandle["cancel"];
}

const SKIP_STATUS = 10;

export function startRun(spec: RunSpec, context: RunContext): RunHandle {
  switch (spec.kind) {
    case "command":
      return runCommand(spec, context);
    case "http":
      return runHttp(spec, context);
    case "agent":
      return runAgent(spec, context);
  }
}

/** A command whose exit status decides: 0 run, 10 skip, all else is an error. */
export function startPrecheck(spec: CommandSpec, context: RunContext): PrecheckHandle {
  const { done, cancel } = runCommand({ ...spec, expect: undefined }, context);
  return { done: done.then(decide), cancel };
}

function decide(outcome: RunOutcome): PrecheckOutcome {
  if (outcome.state === "ok") return { decision: "run" };
  if (outcome.state === "failed" && outcome.exitCode === SKIP_STATUS) return { decision: "skip" };
  return { decision: "error", error: `the precheck failed: ${outcome.error}`, outcome };
}
