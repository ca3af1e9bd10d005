/**
 * A date and time with an offset from UTC ("2026-03-29T02:30:00+02:00") to an instant.
 *
 * Source: RFC 3339, section 5.6. Seconds may be left out; parts of a second beyond milliseconds are cut off.
 * Units: milliseconds since 1970-01-01T00:00:00Z.
 * Not: leap seconds, which no clock of this machine shows.
 */
const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d)(:\d\d)?(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;
const MINUTE_MS = 60_000;

/** The instant; `undefined` for any other text, and for a date that the calendar lacks. */
export function parseInstant(text: string): number | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [, date, time, seconds = ":00", fraction = "", offset = "Z"] = match;
  const local = `${date}T${time}${seconds}`;
  const localMs = Date.parse(`${local}${fraction.slice(0, 4)}Z`);
  // Date.parse takes 30 February and 24:00 for the next day.
  if (Number.isNaN(localMs) || !new Date(localMs).toISOString().startsWith(local)) return undefined;
  const offsetMs = parseOffset(offset);
  return offsetMs === undefined ? undefined : localMs - offsetMs;
}

function parseOffset(text: string): number | undefined {
  if (text === "Z" || text === "z") return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(4));
  if (hours > 23 || minutes > 59) return undefined;
  return (text.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
}
