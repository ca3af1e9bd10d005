/**
 * Failures of the disk as they happen -> what to answer to commits, when to try again, and one sentence for people.
 *
 * Units: milliseconds.
 */
import type { Log } from "./log.ts";
import { describeError, StorageError } from "./storage-error.ts";

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;

export interface HealthListener {
  readonly name: string;
  /** Told the problem when there is a new one, and `undefined` when all is well again. */
  onHealth(problem: string | undefined): void;
}

export class StorageHealth {
  readonly #log: Log;
  readonly #listener: HealthListener;
  /** Why commits are refused. */
  #refusal: StorageError | undefined;
  /** Why the newest snapshot could not be written: commits go on. */
  #snapshotProblem: string | undefined;
  #told: string | undefined;
  #failures = 0;
  #mustRewrite = false;

  constructor(log: Log, listener: HealthListener) {
    this.#log = log;
    this.#listener = listener;
  }

  /** What to answer to a commit, as long as commits cannot be kept. */
  get refusal(): StorageError | undefined {
    return this.#refusal;
  }

  /** Whether the files can no longer be trusted: commits are refused until the whole state has been written anew. */
  get mustRewrite(): boolean {
    return this.#mustRewrite;
  }

  /** Twice as long after each failure in a row. */
  get retryMs(): number {
    return Math.min(FIRST_RETRY_MS * 2 ** Math.max(0, this.#failures - 1), LAST_RETRY_MS);
  }

  /** Commits are refused from now on; answers the error for those that failed. */
  refuse(what: string, error: unknown): StorageError {
    this.#failures++;
    this.#refusal = new StorageError(`${this.#listener.name}: ${what}: ${describeError(error)}`, { cause: error });
    this.#tell();
    return this.#refusal;
  }

  /** Like {@link refuse}, until {@link rewritten}. */
  refuseUntilRewritten(what: string, error: unknown): StorageError {
    this.#mustRewrite = true;
    return this.refuse(what, error);
  }

  rewritten(): void {
    this.#mustRewrite = false;
    this.#snapshotProblem = undefined;
    this.accept();
  }

  /**
   * Commits are taken again. The next failure still waits longer than the one before, until a commit {@link succeeded}.
   */
  accept(): void {
    this.#refusal = undefined;
    this.#tell();
  }

  succeeded(): void {
    this.#failures = 0;
  }

  snapshotFailed(error: unknown): void {
    this.#snapshotProblem = `${this.#listener.name}: the snapshot cannot be written: ${describeError(error)}`;
    this.#tell();
  }

  snapshotWritten(): void {
    this.#snapshotProblem = undefined;
    this.#tell();
  }

  #tell(): void {
    const problem = this.#refusal?.message ?? this.#snapshotProblem;
    if (problem === this.#told) return;
    this.#told = problem;
    if (problem === undefined) this.#log.info("storage is well again");
    else this.#log.error("storage problem", { problem });
    this.#listener.onHealth(problem);
  }
}
