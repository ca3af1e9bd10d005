/**
 * An agent job -> its run: pi without a terminal, on one prompt.
 *
 * The run is ok if and only if pi has settled, its last answer ended with `stop`, and it exited with 0, or lingered
 * after that and was ended by us. pi's exit status alone is 0 also when the provider fails.
 * Errors: none are thrown.
 */
import { shorten } from "../../core/printable.ts";
import type { Timer } from "../../system/clock.ts";
import type { SpawnOutcome } from "../../system/spawn.ts";
import { type AgentProgress, AgentStream } from "./agent-stream.ts";
import { checkResult } from "./check-result.ts";
import type { AgentSpec, AgentUsage, CancelReason, OutputTail, RunContext, RunHandle, RunOutcome } from "./run.ts";
import { cancelled, fail, failForGood, judgeEnd, OK, toOutcome, type Verdict } from "./run-outcome.ts";

/** How long an extension may hold pi after the agent has settled. */
const LINGER_MS = 5_000;
const SHOWN_ERROR = 300;
const NO_OUTPUT: OutputTail = { text: "", sizeBytes: 0, cutBytes: 0 };

/** Why we ended pi, apart from its time limit. */
type Ending = CancelReason | "cost" | "lingering";

export function runAgent(spec: AgentSpec, context: RunContext): RunHandle {
  // pi takes an empty prompt for none, does nothing, and exits with 0.
  if (spec.prompt.trim() === "") return refuse("the prompt is empty", context);
  const { env, runId, timeoutMs, graceMs, outputBytes, logFile, redact, services } = context;
  const stream = new AgentStream();
  let ending: Ending | undefined;
  let lingering: Timer | undefined;

  function stop(why: Ending): void {
    ending ??= why;
    child.terminate();
  }
  function readStdout(chunk: Uint8Array): string {
    const transcript = stream.push(chunk);
    const { hasSettled, costUsd } = stream.progress;
    if (spec.maxCostUsd !== undefined && costUsd > spec.maxCostUsd) stop("cost");
    if (!hasSettled) lingering = void lingering?.cancel();
    else lingering ??= services.clock.after(LINGER_MS, () => stop("lingering"));
    return transcript;
  }
  const child = services.spawn({
    argv: [...(spec.program ?? ["pi"]), ...agentArguments(spec)],
    cwd: spec.cwd ?? env["HOME"] ?? "/",
    // The shell tools of pi lead groups of their own.
    endsEscapees: true,
    env,
    runId,
    timeoutMs,
    graceMs,
    outputBytes,
    logFile,
    redact,
    readStdout,
  });

  async function finish(): Promise<RunOutcome> {
    const end = await child.done;
    lingering?.cancel();
    const { progress } = stream;
    const verdict = judge(end, { spec, context, progress, ending });
    return { ...toOutcome(end, verdict, context), usage: toUsage(progress, context) };
  }
  return { pid: child.pid, startTime: child.startTime, done: finish(), cancel: stop };
}

/** What pi is called with. */
export function agentArguments(spec: AgentSpec): string[] {
  const { sessionDir, name, model, tools, session, approveProject, offline, prompt } = spec;
  return [
    "--mode",
    "json",
    "--session-dir",
    sessionDir,
    "--name",
    name,
    ...(session === "kept" ? ["--continue"] : []),
    ...(model === undefined ? [] : ["--model", model]),
    ...(tools === undefined ? [] : tools.length === 0 ? ["--no-tools"] : ["--tools", tools.join(",")]),
    approveProject ? "--approve" : "--no-approve",
    ...(offline ? ["--offline"] : []),
    "--",
    // pi would take what begins with @ for the name of a file.
    prompt.startsWith("@") ? ` ${prompt}` : prompt,
  ];
}

interface Circumstances {
  readonly spec: AgentSpec;
  readonly context: RunContext;
  readonly progress: AgentProgress;
  readonly ending: Ending | undefined;
}

function judge(end: SpawnOutcome, { spec, context, progress, ending }: Circumstances): Verdict {
  const isDone = progress.hasSettled && progress.stopReason === "stop";
  if (ending === "cost") {
    return failForGood(`it has cost $${progress.costUsd.toFixed(4)}, more than its limit of $${spec.maxCostUsd}`);
  }
  // What holds pi after its work is done is no fault of the work, whoever ends the wait.
  const wasHeld = isDone && (ending === "lingering" || end.end === "deadline");
  if (!wasHeld) {
    const reason = ending === "lingering" ? undefined : ending;
    const verdict = judgeEnd(end, context, reason);
    // What an agent has done before its limit it would do again.
    if (verdict) return { ...verdict, retryable: verdict.retryable && end.end === "not-started" };
    if (end.end === "terminated" && reason) return cancelled(reason);
    const fault = findFault(end, progress);
    if (fault !== undefined) return fail(fault);
  }
  const facts = { durationMs: end.durationMs, outputs: [progress.finalText, end.stdout.text, end.stderr.text] };
  const fault = checkResult(spec.expect, facts, context.services.matchPattern);
  return fault === undefined ? OK : fail(fault);
}

function findFault({ exitCode, signal, stderr }: SpawnOutcome, progress: AgentProgress): string | undefined {
  const { hasSettled, stopReason, errorMessage } = progress;
  if (stopReason === "error") {
    return `the model's provider failed: ${shorten(errorMessage ?? "it did not say why", SHOWN_ERROR)}`;
  }
  if (stopReason === "length") return "the answer was cut off at the limit of the model";
  if (exitCode !== 0) {
    const lastLine = stderr.text.trimEnd().split("\n").at(-1) ?? "";
    return `pi ended with ${signal ?? `exit status ${exitCode}`}${lastLine && `: ${shorten(lastLine, SHOWN_ERROR)}`}`;
  }
  if (stopReason === undefined) return "pi ended without an answer";
  if (!hasSettled) return "pi ended before the agent had settled";
  return stopReason === "stop" ? undefined : `the last answer ended with ${stopReason}, not with stop`;
}

function toUsage(progress: AgentProgress, { outputBytes, redact = (text) => text }: RunContext): AgentUsage {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costUsd, finalText } = progress;
  const text = shorten(redact(finalText), outputBytes);
  return { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costUsd, finalText: text };
}

function refuse(error: string, context: RunContext): RunHandle {
  const end: SpawnOutcome = { end: "not-started", durationMs: 0, error, stdout: NO_OUTPUT, stderr: NO_OUTPUT };
  return { done: Promise.resolve(toOutcome(end, failForGood(error), context)), cancel: () => undefined };
}
