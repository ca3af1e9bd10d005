/** A runner that starts nothing: its runs end when a test says so, or after a time of the fake clock. */
import type { Runner } from "../../src/plugins/jobs/attempts.ts";
import type { CancelReason, PrecheckOutcome, RunContext, RunOutcome, RunSpec } from "../../src/plugins/jobs/run.ts";
import type { Clock } from "../../src/system/clock.ts";

export interface FakeRun {
  readonly spec: RunSpec;
  readonly context: RunContext;
  readonly startedMs: number;
  cancelled: CancelReason | undefined;
  isOver: boolean;
  end(outcome?: Partial<RunOutcome>): void;
}

export interface FakeRunner extends Runner {
  /** All that were started, oldest first. */
  readonly runs: FakeRun[];
  readonly prechecks: RunContext[];
  /** How long runs take; `undefined`: until they are told to end. */
  takesMs: number | undefined;
  /** How runs end that end by themselves. */
  outcome: Partial<RunOutcome>;
  /** How long a run that is cancelled takes to die. */
  diesAfterMs: number;
  precheck: PrecheckOutcome;
  /** Runs that are not over. */
  going(): FakeRun[];
}

const EMPTY = { text: "", sizeBytes: 0, cutBytes: 0 };

export function fakeRunner(clock: Clock): FakeRunner {
  const runs: FakeRun[] = [];
  const prechecks: RunContext[] = [];
  return {
    runs,
    prechecks,
    takesMs: 0,
    outcome: {},
    diesAfterMs: 0,
    precheck: { decision: "run" },
    going: () => runs.filter(({ isOver }) => !isOver),
    startRun(spec, context) {
      const { promise, resolve } = Promise.withResolvers<RunOutcome>();
      const startMs = clock.monotonicMs();
      const run: FakeRun = {
        spec,
        context,
        startedMs: clock.wallMs(),
        cancelled: undefined,
        isOver: false,
        end(outcome = {}) {
          run.isOver = true;
          resolve({
            state: "ok",
            durationMs: clock.monotonicMs() - startMs,
            exitCode: 0,
            stdout: EMPTY,
            stderr: EMPTY,
            retryable: true,
            ...outcome,
          });
        },
      };
      runs.push(run);
      if (this.takesMs === 0) run.end(this.outcome);
      else if (this.takesMs !== undefined) clock.after(this.takesMs, () => run.end(this.outcome));
      return {
        done: promise,
        pid: 1000 + runs.length,
        startTime: "then",
        cancel: (reason) => {
          run.cancelled = reason;
          const die = (): void =>
            run.end({ state: "cancelled", exitCode: undefined, signal: "SIGTERM", retryable: false });
          if (this.diesAfterMs === 0) die();
          else clock.after(this.diesAfterMs, die);
        },
      };
    },
    startPrecheck(_spec, context) {
      prechecks.push(context);
      return { done: Promise.resolve(this.precheck), cancel: () => undefined };
    },
  };
}
