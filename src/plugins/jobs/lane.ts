/** The runs of one job that are not over: those whose turn it is, and those that wait for them, oldest first. */
import type { ActiveRun } from "./active-run.ts";
import type { Policy } from "./job-policy.ts";

export class Lane {
  // Arrays, since there is mostly one run in them: a Set takes 200 bytes before its first.
  readonly current: ActiveRun[] = [];
  readonly waiting: ActiveRun[] = [];

  get size(): number {
    return this.current.length + this.waiting.length;
  }

  all(): ActiveRun[] {
    return [...this.current, ...this.waiting];
  }

  remove(run: ActiveRun): void {
    for (const list of [this.current, this.waiting]) {
      const index = list.indexOf(run);
      if (index >= 0) list.splice(index, 1);
    }
  }

  /** Gives their turn to those that need not wait any longer. */
  promote(policyOf: (run: ActiveRun) => Policy): void {
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      const { overlap, maxParallel } = policyOf(next);
      if (this.current.length >= (overlap === "parallel" ? maxParallel : 1)) return;
      this.waiting.shift();
      this.current.push(next);
      next.wake();
    }
  }
}
