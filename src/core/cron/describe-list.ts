/** Rising lists of numbers or words to English: "1 to 5 and 9", and the even steps hidden in them. */

/** "a", "a and b", "a, b and c". */
export function listText(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)!}`;
}

/** The values as words, three or more in a row drawn together: "1, 3 to 6 and 9". */
export function listNumbers(values: readonly number[], write: (value: number) => string = String): string {
  const words: string[] = [];
  for (let start = 0, end = 0; start < values.length; start = end) {
    end = start + 1;
    while (end < values.length && values[end]! === values[end - 1]! + 1) end++;
    const run = values.slice(start, end).map(write);
    if (run.length < 3) words.push(...run);
    else words.push(`${run[0]!} to ${run.at(-1)!}`);
  }
  return listText(words);
}

/** Whether `values` are all of a field that counts from 0. */
export function isAll(values: readonly number[], size: number): boolean {
  return values.length === size;
}

/** The distance between values that begin at 0 and come round evenly within `size`; `undefined` when they do not. */
export function stepOf(values: readonly number[], size: number): number | undefined {
  const step = size / values.length;
  if (values.length < 2 || !Number.isInteger(step)) return undefined;
  return values.every((value, at) => value === at * step) ? step : undefined;
}

export function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** "1st", "22nd", "13th". */
export function ordinal(value: number): string {
  const teen = value % 100 >= 11 && value % 100 <= 13;
  return `${value}${(!teen && ["th", "st", "nd", "rd"][value % 10]) || "th"}`;
}
