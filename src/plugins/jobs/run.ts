/**
 * What a run of a job is given and what becomes of it: the contract between the schedule and the runners of the kinds.
 *
 * Units: milliseconds, bytes, US dollars.
 * Errors: none are thrown. Whatever goes wrong is an outcome with a sentence in `error`.
 */
import type { Clock } from "../../system/clock.ts";
import type { Fetch } from "../../system/fetch.ts";
import type { Hide, OutputTail } from "../../system/output-tail.ts";
import type { MatchPattern } from "../../system/match-pattern.ts";
import type { LogFileOptions, Spawn } from "../../system/spawn.ts";

export type { OutputTail } from "../../system/output-tail.ts";

/** A program with its arguments, or a line for `/bin/sh -c`. */
export type CommandProgram = { readonly command: readonly string[] } | { readonly shell: string };

export type CommandSpec = CommandProgram & {
  /** The home directory when absent. */
  readonly cwd?: string | undefined;
  /** Written to the program's input, which is empty when absent. */
  readonly stdin?: string | undefined;
  readonly expect?: Expectation | undefined;
};

export interface HttpSpec {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  /** The statuses that count as success; 200 to 299 when absent. */
  readonly expectStatus?: readonly number[] | undefined;
  /** How many redirects to follow, at most 5; none when absent. */
  readonly maxRedirects?: number | undefined;
  /** How much of the answer is read; `outputBytes` of the context when absent. More is cut, not refused. */
  readonly maxBodyBytes?: number | undefined;
  readonly expect?: Expectation | undefined;
}

export interface AgentSpec {
  readonly prompt: string;
  /** `provider/id`; the person's default when absent. */
  readonly model?: string | undefined;
  /** The names of the tools that the agent may use; all of pi's when absent. */
  readonly tools?: readonly string[] | undefined;
  readonly cwd?: string | undefined;
  /** `kept` goes on with the newest session of `sessionDir`; `fresh` when absent. */
  readonly session?: "fresh" | "kept" | undefined;
  /** The job's own directory for pi's session files. */
  readonly sessionDir: string;
  /** The name of the session, for people. */
  readonly name: string;
  /**
   * The run is ended, and failed, once it has cost more than this. A soft limit: the answer that passes it is paid.
   * It holds only where pi knows the prices of the model: others cost 0.
   */
  readonly maxCostUsd?: number | undefined;
  /** Whether pi may use the resources of the project in `cwd` (`.pi/`): no when absent. */
  readonly approveProject?: boolean | undefined;
  /** Whether pi stays away from all network but the model's: no when absent. */
  readonly offline?: boolean | undefined;
  /** How pi is started; `["pi"]`, found in PATH, when absent. */
  readonly program?: readonly string[] | undefined;
  readonly expect?: Expectation | undefined;
}

export type RunSpec =
  | ({ readonly kind: "command" } & CommandSpec)
  | ({ readonly kind: "http" } & HttpSpec)
  | ({ readonly kind: "agent" } & AgentSpec);

/** What must hold, beyond the kind's own rule, for a run to be ok. */
export interface Expectation {
  /** The exit statuses that are good; 0 alone when absent. Not for `http`. */
  readonly exitCodes?: readonly number[] | undefined;
  /** A regular expression that the output must match somewhere, line by line (`m`). */
  readonly pattern?: string | undefined;
  /** A regular expression that the output must match nowhere. */
  readonly forbidden?: string | undefined;
  /** A run that ends sooner has done nothing. */
  readonly minDurationMs?: number | undefined;
}

export interface RunServices {
  readonly spawn: Spawn;
  readonly fetch: Fetch;
  readonly matchPattern: MatchPattern;
  readonly clock: Clock;
}

export interface RunContext {
  /** Random, never used before: it marks every process of the run, in `PI_DAEMON_RUN_ID`. */
  readonly runId: string;
  /** All that the program finds in its environment but the run id. */
  readonly env: Readonly<Record<string, string>>;
  /** For this one attempt. */
  readonly timeoutMs: number;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  /** How much of each stream is kept in the outcome. */
  readonly outputBytes: number;
  readonly logFile?: LogFileOptions | undefined;
  /** Hides secrets in what is kept, logged and said. */
  readonly redact?: Hide | undefined;
  readonly services: RunServices;
}

export type CancelReason = "cancelled" | "replaced" | "shutdown";

export interface RunHandle {
  /** Never rejects. Resolves when no process of the run is left, or when one is that even SIGKILL does not end. */
  readonly done: Promise<RunOutcome>;
  /** Ends the run as its timeout would. Does nothing when the run has ended. */
  cancel(reason: CancelReason): void;
  /** Of the leader of the run's process group; to be kept for `findOrphans`. */
  readonly pid?: number | undefined;
  readonly startTime?: string | undefined;
}

export interface AgentUsage {
  /** Without what the provider had cached. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly costUsd: number;
  /** The text of the last answer, cut to `outputBytes`. */
  readonly finalText: string;
}

export interface RunOutcome {
  readonly state: "ok" | "failed" | "timeout" | "cancelled";
  readonly durationMs: number;
  readonly exitCode?: number | undefined;
  /** `SIGKILL` and the like: how the program was ended, by us or by others. */
  readonly signal?: string | undefined;
  /** Why the state is not `ok`: one sentence without an end stop. */
  readonly error?: string | undefined;
  /** What the program printed; the body of an answer; the transcript of an agent. */
  readonly stdout: OutputTail;
  readonly stderr: OutputTail;
  readonly usage?: AgentUsage | undefined;
  readonly httpStatus?: number | undefined;
  /** What a person should know though it decides nothing: processes left behind, a log that is not whole. */
  readonly note?: string | undefined;
  /** Another attempt may go better: false where the fault lies in the job itself (no such program, a bad URL). */
  readonly retryable: boolean;
  /** How long the server asked us to wait before another attempt. */
  readonly retryAfterMs?: number | undefined;
}

/** What a precheck says: run, skip this slot, or something is wrong with the precheck itself. */
export type PrecheckOutcome =
  | { readonly decision: "run" | "skip" }
  | { readonly decision: "error"; readonly error: string; readonly outcome: RunOutcome };
