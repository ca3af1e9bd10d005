/**
 * The runs that a daemon left behind when it died -> the processes of theirs that still live, ended.
 *
 * Errors: none are thrown. A process that cannot be told with certainty to belong to a run is let live.
 */
import type { Clock } from "./clock.ts";

/** What was noted of a run when it began. */
export interface RunMark {
  readonly runId: string;
  readonly pid?: number | undefined;
  /** As {@link import("./spawn.ts").SpawnedProcess} gave it. */
  readonly startTime?: string | undefined;
}

export interface Orphan {
  readonly runId: string;
  readonly pid: number;
  readonly startTime: string;
  readonly processGroup: number;
}

export interface EndedOrphans {
  readonly ended: readonly Orphan[];
  /** Those that live on though SIGKILL was sent. */
  readonly left: readonly Orphan[];
}

/** Finds the processes of `runs` and ends them: SIGTERM to their groups, SIGKILL after `graceMs`. */
export type EndOrphans = (runs: readonly RunMark[], graceMs: number) => Promise<EndedOrphans>;

export declare function findOrphans(runs: readonly RunMark[]): readonly Orphan[];
export declare function createEndOrphans(services: { readonly clock: Clock }): EndOrphans;
