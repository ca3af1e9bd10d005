/**
 * The name of a time zone to the offsets from UTC that its clocks had and will have.
 *
 * Source: the zone data inside `Intl` (so of this Node binary), read as one table a zone and then never asked again.
 * Units: seconds since 1970-01-01T00:00:00Z; offsets are seconds to add to UTC.
 * Cost: about 2 ms for the first question to a zone, and again for each further 6 years; then some ten nanoseconds.
 * Not: changes after the year 2500 (the last offset stays).
 */
const DAY = 86_400;
/** No two changes of a zone are nearer than a week (Brazil in 2000), so none can hide between two probes. */
const PROBE_STEP = 6 * DAY;
const GROWTH = 6 * 366 * DAY;
/** Offsets are less than a day, so nothing that happens two days away can matter. */
const MARGIN = 2 * DAY;
/** No zone changed its offset before 1835. */
const EARLIEST = -4_291_747_200;
const LATEST = 16_725_225_600;

/** A moment at which a zone's clocks are put forward or back. */
export interface Transition {
  readonly atSeconds: number;
  readonly offsetBefore: number;
  readonly offsetAfter: number;
}

/** A zone and its table: `offsets[i]` holds from `starts[i]` up to `starts[i + 1]`. */
export class TimeZone {
  readonly name: string;
  #starts: number[] = [];
  #offsets: number[] = [];
  /** The table is complete from here ... */
  #from = 0;
  /** ... up to here. */
  #to = 0;
  #recent = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** The index of the stretch of constant offset that holds an instant. */
  segmentAt(second: number): number {
    if (second - MARGIN < this.#from || second + MARGIN >= this.#to) this.#cover(second);
    const starts = this.#starts;
    const recent = this.#recent;
    if (second >= starts[recent]! && (recent + 1 === starts.length || second < starts[recent + 1]!)) return recent;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= second) low = middle;
      else high = middle - 1;
    }
    this.#recent = low;
    return low;
  }

  offsetOf(segment: number): number {
    return this.#offsets[segment]!;
  }

  /** The instant at which a stretch begins; for the first known one, a bound. */
  startOf(segment: number): number {
    return this.#starts[segment]!;
  }

  /** The instant at which a stretch ends, or Infinity when that is later than `upTo`. */
  endOf(segment: number, upTo: number): number {
    if (upTo + MARGIN >= this.#to) this.#cover(upTo);
    return this.#starts[segment + 1] ?? Infinity;
  }

  /** The next change after an instant, within `horizonSeconds`. */
  nextTransition(afterSecond: number, horizonSeconds: number): Transition | undefined {
    const segment = this.segmentAt(afterSecond);
    const atSeconds = this.endOf(segment, afterSecond + horizonSeconds);
    if (atSeconds > afterSecond + horizonSeconds) return undefined;
    return { atSeconds, offsetBefore: this.offsetOf(segment), offsetAfter: this.offsetOf(segment + 1) };
  }

  #cover(second: number): void {
    const from = Math.max(EARLIEST, second - MARGIN);
    const to = Math.min(LATEST, second + MARGIN + 1);
    // Most questions after the first are about later times, so the table starts short before the first one.
    const empty = this.#starts.length === 0;
    if (empty) this.#from = this.#to = Math.min(LATEST, Math.max(EARLIEST, from - 366 * DAY));
    if (!empty && from >= this.#from && to <= this.#to) return;
    const offsetAt = readOffsets(this.name);
    if (empty) this.#append(this.#from, offsetAt(this.#from));
    if (from < this.#from) this.#growBack(Math.max(EARLIEST, from - GROWTH), offsetAt);
    if (to > this.#to) this.#growForward(Math.min(LATEST, to + GROWTH), offsetAt);
    if (this.#from === EARLIEST) this.#starts[0] = this.#from = -Infinity;
    if (this.#to === LATEST) this.#to = Infinity;
  }

  #growForward(to: number, offsetAt: (second: number) => number): void {
    let known = this.#offsets.at(-1)!;
    for (let probe = this.#to; probe < to;) {
      const next = Math.min(to, probe + PROBE_STEP);
      const offset = offsetAt(next);
      if (offset !== known) this.#append(findChange(probe, next, offsetAt), offset);
      known = offset;
      probe = next;
    }
    this.#to = to;
  }

  #growBack(from: number, offsetAt: (second: number) => number): void {
    const later = { starts: this.#starts, offsets: this.#offsets, from: this.#from, to: this.#to };
    this.#starts = [from];
    this.#offsets = [offsetAt(from)];
    this.#from = this.#to = from;
    this.#growForward(later.from, offsetAt);
    // The first stretch of the later table began at a bound, which no longer is one.
    this.#starts.push(...later.starts.slice(1));
    this.#offsets.push(...later.offsets.slice(1));
    this.#to = later.to;
  }

  #append(start: number, offset: number): void {
    this.#starts.push(start);
    this.#offsets.push(offset);
  }
}

const zones = new Map<string, TimeZone>();

/** The zone of an IANA name in any case, such as "Europe/Berlin" or "UTC"; `undefined` for any other text. */
export function findTimeZone(name: string): TimeZone | undefined {
  // `Intl` of newer engines takes "+01:00" too; a zone without a place cannot know its changes.
  if (!/^[a-z]/i.test(name) || name.length > 64) return undefined;
  const key = name.toLowerCase();
  let zone = zones.get(key);
  if (zone === undefined) {
    const spelling = officialSpelling(name);
    if (spelling === undefined) return undefined;
    zone = new TimeZone(spelling);
    zones.set(key, zone);
  }
  return zone;
}

/** The name in its usual case. An alias stays: `Intl` would make Asia/Kolkata the older Asia/Calcutta. */
function officialSpelling(name: string): string | undefined {
  try {
    const { timeZone } = new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions();
    return timeZone.toLowerCase() === name.toLowerCase() ? timeZone : name;
  } catch {
    return undefined;
  }
}

/** A function from instants to offsets, by a formatter that lives as long as the table grows. */
function readOffsets(name: string): (second: number) => number {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  return (second) => parseOffset(format.format(second * 1000));
}

/** "1/1/2026, GMT+05:30" to seconds; plain "GMT" is 0, and old offsets have seconds ("GMT-00:30:20"). */
function parseOffset(text: string): number {
  const digits = text.slice(text.indexOf("GMT") + 3);
  if (digits === "") return 0;
  const [hours = 0, minutes = 0, seconds = 0] = digits.slice(1).split(":").map(Number);
  const size = hours * 3600 + minutes * 60 + seconds;
  return digits.startsWith("-") ? -size : size;
}

/** The first second in `(low, high]` whose offset is no longer that of `low`. */
function findChange(low: number, high: number, offsetAt: (second: number) => number): number {
  const before = offsetAt(low);
  let last = low;
  let first = high;
  while (first - last > 1) {
    const middle = Math.floor((first + last) / 2);
    if (offsetAt(middle) === before) last = middle;
    else first = middle;
  }
  return first;
}
