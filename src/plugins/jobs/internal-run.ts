/**
 * A named action of the daemon -> a run, as the runners of programs give it.
 *
 * Not: an action cannot be ended by force. It is asked to stop when its time is over, and the run ends without it.
 */
import type { Action, ActionInput, Actions } from "../../system/actions.ts";
import type { Clock } from "../../system/clock.ts";
import type { CancelReason, OutputTail, RunHandle, RunOutcome } from "./run.ts";

export interface InternalSpec {
  readonly action: string;
  readonly input?: ActionInput | undefined;
}

export interface InternalContext {
  readonly actions: Actions;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly redact: (text: string) => string;
}

const NOTHING: OutputTail = { text: "", sizeBytes: 0, cutBytes: 0 };

export function startInternal({ action: name, input = {} }: InternalSpec, context: InternalContext): RunHandle {
  const action = context.actions.find(name);
  if (action !== undefined) return startAction(action, input, context);
  const offered = context.actions.names().join(", ") || "none";
  const error = `there is no action "${name}"; there are: ${offered}`;
  return {
    done: Promise.resolve({
      state: "failed",
      durationMs: 0,
      error,
      stdout: NOTHING,
      stderr: NOTHING,
      retryable: false,
    }),
    cancel: () => undefined,
  };
}

function startAction(action: Action, input: ActionInput, { clock, timeoutMs, redact }: InternalContext): RunHandle {
  const startMs = clock.monotonicMs();
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<RunOutcome>();
  const end = (outcome: Pick<RunOutcome, "state"> & Partial<RunOutcome>): void => {
    timer.cancel();
    resolve({
      durationMs: clock.monotonicMs() - startMs,
      stdout: NOTHING,
      stderr: NOTHING,
      retryable: true,
      ...outcome,
    });
    controller.abort();
  };
  const timer = clock.after(timeoutMs, () => end({ state: "timeout", error: `took longer than ${timeoutMs} ms` }));
  // An action may throw before its first await.
  void (async () => action(input, controller.signal))().then(
    (text) => end({ state: "ok", stdout: toTail(redact(text)) }),
    (error: Error) => end({ state: "failed", error: redact(error.message) }),
  );
  return {
    done: promise,
    cancel: (reason: CancelReason) => end({ state: "cancelled", error: reason, retryable: false }),
  };
}

function toTail(text: string): OutputTail {
  return { text, sizeBytes: Buffer.byteLength(text), cutBytes: 0 };
}
