/** What becomes of a run that is asked for while others of its job are not over. */
import type { Policy } from "./job-policy.ts";

export interface OverlapQuestion {
  readonly policy: Pick<Policy, "overlap" | "maxParallel">;
  /** Runs of the job that have their turn: running, or about to. */
  readonly current: number;
  /** Runs of the job that wait for those. */
  readonly waiting: number;
  /** `always`: whatever runs. `after-all`: when the others are over, however many wait already. */
  readonly insistence?: "always" | "after-all" | undefined;
}

/** `replace`: the others are ended first. A string of any other kind says why it is skipped. */
export type OverlapDecision =
  { readonly do: "start" | "wait" | "replace" } | { readonly do: "skip"; readonly reason: string };

export function decideOverlap({ policy, current, waiting, insistence }: OverlapQuestion): OverlapDecision {
  const { overlap, maxParallel } = policy;
  if (insistence === "always" || current + waiting === 0) return { do: "start" };
  if (overlap === "parallel" && current < maxParallel) return { do: "start" };
  if (insistence === "after-all") return { do: "wait" };
  if (overlap === "replace") return { do: "replace" };
  if (overlap === "queue" && waiting === 0) return { do: "wait" };
  if (overlap === "queue") return { do: "skip", reason: "a run is going on and another waits" };
  if (overlap === "parallel") return { do: "skip", reason: `${maxParallel} runs are going on` };
  return { do: "skip", reason: "a run is going on" };
}
