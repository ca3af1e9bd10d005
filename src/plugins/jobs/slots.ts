/**
 * A schedule, the slot decided last and the present to what is due: slots to run, and slots that were missed.
 *
 * A slot is an instant at which the schedule asks for a run. Every slot is decided once, in order, and then left
 * behind.
 *
 * Units: milliseconds since the epoch.
 * Cost: counts at most {@link MOST_COUNTED} slots of a cron schedule; what lies farther back is not counted one by one.
 */
import { nextRun, previousRun, type Schedule, type TimeZone } from "../../core/cron.ts";

export interface CatchUpRule {
  readonly catchUp: "last" | "none" | "all";
  readonly catchUpMax: number;
  readonly catchUpWindowMs: number;
}

export interface Due {
  /** Slots to run now, oldest first; all but one that is on time are late. */
  readonly runs: readonly DueSlot[];
  /** Slots that are not run. */
  readonly missed: SlotRange | undefined;
}

export interface DueSlot {
  readonly slotMs: number;
  readonly isLate: boolean;
}

export interface SlotRange {
  readonly firstSlotMs: number;
  readonly lastSlotMs: number;
  readonly count: number;
  /** There were more than were counted. */
  readonly isAtLeast: boolean;
}

export interface DueQuestion {
  readonly schedule: Schedule;
  readonly zone: TimeZone;
  /** Slots up to this one have been decided. */
  readonly decidedMs: number;
  readonly nowMs: number;
  readonly rule: CatchUpRule;
  /** A recurring job that never ran has nothing to catch up. */
  readonly hasRun: boolean;
}

/** A slot found this late is on time still: the timer looks every 5 s at the latest, and machines are busy. */
export const ON_TIME_MS = 10_000;
const MOST_COUNTED = 10_000;

/** What is due in `(decidedMs, nowMs]`; `undefined` when nothing is. */
export function findDue(question: DueQuestion): Due | undefined {
  const { schedule, zone, decidedMs, nowMs, rule, hasRun } = question;
  const first = nextRun(schedule, zone, decidedMs);
  if (first === null || first > nowMs) return undefined;
  // As it mostly is: one slot, on time.
  if (nowMs - first <= ON_TIME_MS && (nextRun(schedule, zone, first) ?? Infinity) > nowMs)
    return { runs: [{ slotMs: first, isLate: false }], missed: undefined };
  const newest = latestSlots(question, rule.catchUp === "all" ? rule.catchUpMax : 1);
  const mayRunLate = rule.catchUp !== "none" && (hasRun || schedule.kind === "at");
  const runs = newest
    .map((slotMs) => ({ slotMs, isLate: nowMs - slotMs > ON_TIME_MS }))
    .filter(({ slotMs, isLate }, index) => {
      // The newest is what is due now; those before it are late even when they are young.
      if (!isLate && index === newest.length - 1) return true;
      return mayRunLate && nowMs - slotMs <= rule.catchUpWindowMs;
    });
  const lastMissedMs = runs.length === 0 ? newest.at(-1)! : previousRun(schedule, zone, runs[0]!.slotMs);
  const missed = lastMissedMs === null ? undefined : countSlots(question, lastMissedMs);
  return { runs, missed };
}

/** The newest slot in `(decidedMs, nowMs]`. */
export function latestSlot(
  question: Pick<DueQuestion, "schedule" | "zone" | "decidedMs" | "nowMs">,
): number | undefined {
  return latestSlots(question, 1)[0];
}

/** The newest due slots, at most `most`, oldest first. */
function latestSlots({ schedule, zone, decidedMs, nowMs }: Parameters<typeof latestSlot>[0], most: number): number[] {
  const slots: number[] = [];
  for (let slot = previousRun(schedule, zone, nowMs + 1); slot !== null && slot > decidedMs && slots.length < most;) {
    slots.unshift(slot);
    slot = previousRun(schedule, zone, slot);
  }
  return slots;
}

/** The slots in `(decidedMs, lastSlotMs]`; `undefined` when there are none. */
export function countSlots(
  { schedule, zone, decidedMs }: Pick<DueQuestion, "schedule" | "zone" | "decidedMs">,
  lastSlotMs: number,
): SlotRange | undefined {
  const firstSlotMs = nextRun(schedule, zone, decidedMs);
  if (firstSlotMs === null || firstSlotMs > lastSlotMs) return undefined;
  if (schedule.kind === "every") {
    return {
      firstSlotMs,
      lastSlotMs,
      count: Math.round((lastSlotMs - firstSlotMs) / schedule.periodMs) + 1,
      isAtLeast: false,
    };
  }
  let count = 1;
  let slot: number | null = firstSlotMs;
  while (slot !== null && slot < lastSlotMs && count < MOST_COUNTED) {
    slot = nextRun(schedule, zone, slot);
    count++;
  }
  return { firstSlotMs, lastSlotMs, count, isAtLeast: slot !== lastSlotMs };
}
