/**
 * A command job -> its run: a program without a shell, or a line for `/bin/sh`.
 *
 * Errors: none are thrown.
 */
import type { SpawnOutcome } from "../../system/spawn.ts";
import { checkResult } from "./check-result.ts";
import type { CancelReason, CommandSpec, RunContext, RunHandle } from "./run.ts";
import { fail, judgeEnd, OK, toOutcome, type Verdict } from "./run-outcome.ts";

export function runCommand(spec: CommandSpec, context: RunContext): RunHandle {
  const { env, runId, timeoutMs, graceMs, outputBytes, logFile, redact, services } = context;
  let reason: CancelReason | undefined;
  const child = services.spawn({
    argv: "shell" in spec ? ["/bin/sh", "-c", spec.shell] : spec.command,
    cwd: spec.cwd ?? env["HOME"] ?? "/",
    stdin: spec.stdin,
    env,
    runId,
    timeoutMs,
    graceMs,
    outputBytes,
    logFile,
    redact,
  });
  return {
    pid: child.pid,
    startTime: child.startTime,
    done: child.done.then((end) => {
      return toOutcome(end, judgeEnd(end, context, reason) ?? judge(end, spec, context), context);
    }),
    cancel(why) {
      reason ??= why;
      child.terminate();
    },
  };
}

function judge(end: SpawnOutcome, { expect }: CommandSpec, { services }: RunContext): Verdict {
  const { exitCode, signal, durationMs, stdout, stderr } = end;
  if (signal !== undefined) return fail(`it was ended by ${signal}, which the daemon did not send`);
  const facts = { exitCode, durationMs, outputs: [stdout.text, stderr.text] };
  const fault = checkResult(expect, facts, services.matchPattern);
  return fault === undefined ? OK : fail(fault);
}
