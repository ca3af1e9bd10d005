/** The spec of a run and its context -> the run, begun by the runner of its kind. */
import type { CommandSpec, PrecheckOutcome, RunContext, RunHandle, RunSpec } from "./run.ts";

export declare function startRun(spec: RunSpec, context: RunContext): RunHandle;

/** A command whose exit status decides: 0 run, 10 skip, all else is an error. */
export declare function startPrecheck(
  spec: CommandSpec,
  context: RunContext,
): { readonly done: Promise<PrecheckOutcome>; cancel: RunHandle["cancel"] };
