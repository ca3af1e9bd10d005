/** What the clocks of a zone show, asked of `Intl` one instant at a time: slow and plain, to check the rest against. */
export interface ClockReading {
  readonly atMs: number;
  /** "2026-03-29T03:00:00": local times compare as texts. */
  readonly label: string;
}

/** Reads the clock at `fromMs`, `fromMs + stepMs`, ... below `toMs`. */
export function readClock(zone: string, span: { fromMs: number; toMs: number; stepMs: number }): ClockReading[] {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const readings: ClockReading[] = [];
  for (let atMs = span.fromMs; atMs < span.toMs; atMs += span.stepMs) {
    // 03/29/2026, 03:00:00
    const [, month, day, year, time] = /^(\d\d)\/(\d\d)\/(\d{4}), (.*)$/.exec(format.format(atMs))!;
    readings.push({ atMs, label: `${year}-${month}-${day}T${time}` });
  }
  return readings;
}

/** The offset from UTC that a reading shows, in seconds. */
export function offsetOfReading({ atMs, label }: ClockReading): number {
  return (Date.parse(`${label}Z`) - atMs) / 1000;
}
