/** Text of an option to a whole number. */
import { quote } from "../core/printable.ts";
import { CommandError, EXIT } from "./command.ts";

export interface NumberRange {
  readonly fallback: number;
  readonly least: number;
  readonly most: number;
}

/** Throws CommandError for text that is no whole number in the range. */
export function readWholeNumber(
  option: string,
  text: string | undefined,
  { fallback, least, most }: NumberRange,
): number {
  if (text === undefined) return fallback;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new CommandError(EXIT.usage, `--${option} must be a whole number from ${least} to ${most}, not ${quote(text)}`);
}
