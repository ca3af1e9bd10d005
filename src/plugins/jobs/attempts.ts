/**
 * A run that has its turn -> how it ended, after its precheck and as many attempts as its job allows.
 *
 * Errors: none are thrown; what goes wrong is in the end of the run.
 */
import { hashOfField } from "../../core/cron/hash.ts";
import type { Actions } from "../../system/actions.ts";
import type { Clock } from "../../system/clock.ts";
import type { Hide } from "../../system/output-tail.ts";
import type { PluginFiles } from "../../system/plugin-files.ts";
import type { ActiveRun } from "./active-run.ts";
import { startInternal } from "./internal-run.ts";
import type { Places } from "./places.ts";
import { environmentOf, precheckOf, specOf } from "./job-spec.ts";
import { retryDelay } from "./retry.ts";
import { outputFile, sessionFolder } from "./run-files.ts";
import type { CommandSpec, PrecheckOutcome, RunContext, RunHandle, RunOutcome, RunServices, RunSpec } from "./run.ts";
import type { ProcessMark, RunEnd } from "./run-row.ts";

/** What starts programs and requests. */
export interface Runner {
  startRun(spec: RunSpec, context: RunContext): RunHandle;
  startPrecheck(
    spec: CommandSpec,
    context: RunContext,
  ): { readonly done: Promise<PrecheckOutcome>; cancel: RunHandle["cancel"] };
}

export interface AttemptServices {
  readonly clock: Clock;
  readonly runner: Runner;
  readonly runServices: RunServices;
  readonly actions: Actions;
  readonly files: PluginFiles;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly places: Places;
  readonly outputLimits: () => { readonly outputBytes: number; readonly maxLogBytes: number };
  /** In [0, 1). */
  readonly random: () => number;
  readonly redact: Hide;
  /** Notes the processes of an attempt, so that they can be found again after a crash. */
  readonly noteProcess: (run: ActiveRun, mark: ProcessMark, attempts: number) => void;
}

export async function runAttempts(run: ActiveRun, services: AttemptServices): Promise<RunEnd> {
  const { clock } = services;
  const startMs = clock.monotonicMs();
  const close = (end: Omit<RunEnd, "endedMs" | "durationMs">): RunEnd => ({
    ...end,
    endedMs: clock.wallMs(),
    durationMs: Math.round(clock.monotonicMs() - startMs),
  });
  const refusal = run.job.definition.precheck === undefined ? undefined : await checkBefore(run, services);
  if (refusal !== undefined) return close(refusal);
  for (let number = 1; ; number++) {
    const outcome = await attempt(run, number, services);
    const delayMs =
      run.cancelReason === undefined
        ? retryDelay({ kind: run.job.kind, number, outcome }, run.job.policy, services.random())
        : undefined;
    if (delayMs === undefined) return close(endOf(run, outcome, number));
    // Others may have the place meanwhile.
    services.places.free(run);
    await run.sleepFor(clock, delayMs);
    await services.places.take(run);
    if (run.cancelReason !== undefined) return close(endOf(run, outcome, number));
  }
}

/** When the scheduled runs of a job begin after their slot: the same for all of them. */
export function jitterOf(job: string, jitterMs: number): number {
  return jitterMs === 0 ? 0 : hashOfField(job, JITTER_FIELD) % (jitterMs + 1);
}

/** Beyond the six fields of a schedule, which are spread by the same hash. */
const JITTER_FIELD = 6;

type PlainEnd = Omit<RunEnd, "endedMs" | "durationMs">;

async function checkBefore(run: ActiveRun, services: AttemptServices): Promise<PlainEnd | undefined> {
  const { definition } = run.job;
  const timeoutMs = definition.precheck!.timeoutMs ?? run.job.policy.timeoutMs;
  const precheck = services.runner.startPrecheck(precheckOf(definition)!, { ...contextOf(run, services), timeoutMs });
  const outcome = await run.waitFor(precheck);
  if (run.cancelReason !== undefined) return describeCancel(run);
  if (outcome.decision !== "error")
    return outcome.decision === "run" ? undefined : { state: "skipped", reason: "the precheck said no" };
  return { ...endOf(run, { ...outcome.outcome, state: "failed", error: outcome.error }, 0), attempts: undefined };
}

function attempt(run: ActiveRun, number: number, services: AttemptServices): Promise<RunOutcome> {
  const { job } = run;
  if (job.kind === "internal") {
    return run.waitFor(startInternal(job.definition.internal!, { ...services, timeoutMs: job.policy.timeoutMs }));
  }
  const spec = specOf(job, () => services.files.pathOf(sessionFolder(job.name)));
  const path = services.files.pathOf(outputFile(job.name, run.id, number));
  const maxBytes = services.outputLimits().maxLogBytes;
  const handle = services.runner.startRun(spec, { ...contextOf(run, services), logFile: { path, maxBytes } });
  if (handle.pid !== undefined)
    services.noteProcess(run, { runId: run.mark, pid: handle.pid, startTime: handle.startTime }, number);
  return run.waitFor(handle);
}

function contextOf(run: ActiveRun, services: AttemptServices): RunContext {
  const { submission, job, id } = run;
  return {
    runId: run.mark,
    env: environmentOf(job, { ...submission, id }, services.env),
    timeoutMs: job.policy.timeoutMs,
    graceMs: job.policy.graceMs,
    outputBytes: services.outputLimits().outputBytes,
    redact: services.redact,
    services: services.runServices,
  };
}

function endOf(run: ActiveRun, outcome: RunOutcome, attempts: number): PlainEnd {
  const { exitCode, signal, error, note, usage, httpStatus, stdout, stderr } = outcome;
  const facts = { attempts, exitCode, signal, httpStatus, note, usage, stdout, stderr };
  // What succeeded before the word to stop reached it has succeeded.
  if (outcome.state === "ok") return { state: "ok", ...facts };
  if (run.cancelReason !== undefined) return { ...describeCancel(run), ...facts };
  const state = outcome.state === "cancelled" ? "failed" : outcome.state;
  return { state, ...facts, error };
}

/** The end of a run that was told to end. */
export function describeCancel(run: ActiveRun): Pick<RunEnd, "state" | "reason"> {
  if (run.cancelReason === "shutdown") return { state: "interrupted", reason: "the daemon was stopped" };
  if (run.cancelReason === "replaced") return { state: "cancelled", reason: "a newer run took its place" };
  return { state: "cancelled", reason: "it was cancelled" };
}
