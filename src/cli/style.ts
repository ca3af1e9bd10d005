/** Text as a terminal and a person want it: colours where they are wanted, sizes and times in large units. */
import { formatDuration } from "../core/duration.ts";

const COLOURS = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;
export type Colour = keyof typeof COLOURS;

/** Paints text for one stream. */
export type Painter = (colour: Colour, text: string) => string;

export function createPainter(hasColours: boolean): Painter {
  if (!hasColours) return (_, text) => text;
  return (colour, text) => `\u001b[${COLOURS[colour][0]}m${text}\u001b[${COLOURS[colour][1]}m`;
}

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** "1.5 MiB". */
export function readableBytes(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** "3d 4h", "12m 5s", "850 ms": the two largest units. */
export function readableDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const text = formatDuration(Math.round(ms / 1000) * 1000);
  return text
    .match(/\d+[a-z]+/g)!
    .slice(0, 2)
    .join(" ");
}

/** At most six significant digits, as few as say the same: 1234567, 0.125, 1.2e-9. */
export function readableNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
