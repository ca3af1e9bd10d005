/** A stepped range of values of one cron field to bits of a draft. */
import { rangeOfBits } from "./bit-set.ts";
import { DAY_OF_MONTH, type Field, HOUR, MINUTE, MONTH, SECOND } from "./field.ts";
import type { CronDraft } from "./schedule.ts";

/** `low`, `low + step`, ... up to `high`. */
export interface FieldRange {
  readonly low: number;
  readonly high: number;
  readonly step: number;
}

/** Adds a range to the values of a field; 7 in a day of the week is Sunday. */
export function addRange(draft: CronDraft, field: Field, range: FieldRange): void {
  const { low, high, step } = range;
  if (field.index === SECOND) {
    draft.secondsLow |= lowHalf(range);
    draft.secondsHigh |= highHalf(range);
  } else if (field.index === MINUTE) {
    draft.minutesLow |= lowHalf(range);
    draft.minutesHigh |= highHalf(range);
  } else if (field.index === HOUR) {
    draft.hours |= rangeOfBits(low, high, step);
  } else if (field.index === DAY_OF_MONTH) {
    draft.days |= rangeOfBits(low - 1, high - 1, step);
  } else if (field.index === MONTH) {
    draft.months |= rangeOfBits(low - 1, high - 1, step);
  } else {
    const bits = rangeOfBits(low, high, step);
    draft.weekdays |= (bits & 0x7f) | (bits >>> 7);
  }
}

function lowHalf({ low, high, step }: FieldRange): number {
  return low > 30 ? 0 : rangeOfBits(low, Math.min(high, 30), step);
}

function highHalf({ low, high, step }: FieldRange): number {
  const first = low > 30 ? low : low + Math.ceil((31 - low) / step) * step;
  return first > high ? 0 : rangeOfBits(first - 31, high - 31, step);
}
