/**
 * Small sets of whole numbers as bit masks: one integer for up to 31 values, a pair (`low` 0-30, `high` 31-59) for 60.
 *
 * Every mask stays within 31 bits, so that it is a small integer to the engine and never negative.
 */

/** The smallest member; the set must not be empty. */
export function lowestBit(mask: number): number {
  return 31 - Math.clz32(mask & -mask);
}

/** The largest member; the set must not be empty. */
export function highestBit(mask: number): number {
  return 31 - Math.clz32(mask);
}

/** The members `low, low + step, ...` up to `high`, all within 0-30. */
export function rangeOfBits(low: number, high: number, step: number): number {
  if (step === 1) return ((2 << (high - low)) - 1) << low;
  let mask = 0;
  for (let value = low; value <= high; value += step) mask |= 1 << value;
  return mask;
}

/** The smallest member of a pair that is at least `from` (0-60); -1 when there is none. */
export function nextInPair(low: number, high: number, from: number): number {
  if (from < 31) {
    const rest = low & (-1 << from);
    if (rest !== 0) return lowestBit(rest);
    return high === 0 ? -1 : 31 + lowestBit(high);
  }
  const rest = high & (-1 << (from - 31));
  return rest === 0 ? -1 : 31 + lowestBit(rest);
}

/** The largest member of a pair that is at most `from` (-1 to 59); -1 when there is none. */
export function previousInPair(low: number, high: number, from: number): number {
  if (from >= 31) {
    const rest = high & rangeOfBits(0, from - 31, 1);
    if (rest !== 0) return 31 + highestBit(rest);
    return low === 0 ? -1 : highestBit(low);
  }
  if (from < 0) return -1;
  const rest = low & rangeOfBits(0, from, 1);
  return rest === 0 ? -1 : highestBit(rest);
}

/** Whether `value` (0-59) is a member of a pair. */
export function isInPair(low: number, high: number, value: number): boolean {
  return ((value < 31 ? low >>> value : high >>> (value - 31)) & 1) === 1;
}

/** The members of a mask, rising, each raised by `base`. */
export function membersOf(mask: number, base: number): number[] {
  const members: number[] = [];
  for (let rest = mask; rest !== 0; rest &= rest - 1) members.push(base + lowestBit(rest));
  return members;
}

/** The members of a pair, rising. */
export function membersOfPair(low: number, high: number): number[] {
  return [...membersOf(low, 0), ...membersOf(high, 31)];
}
