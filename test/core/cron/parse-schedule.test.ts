import assert from "node:assert/strict";
import { test } from "node:test";
import { describeScheduleError, equalSchedules, parseSchedule, pointAtScheduleError } from "../../../src/core/cron.ts";
import type { CronSchedule, ParseOptions, Schedule, ScheduleError } from "../../../src/core/cron.ts";
import { forEachSeed } from "../../support/random.ts";

function parse(text: string, options?: ParseOptions): Schedule {
  const result = parseSchedule(text, options);
  assert.ok(result.ok, result.ok ? "" : describeScheduleError(text, result.error));
  return result.schedule;
}

function parseCron(text: string, options?: ParseOptions): CronSchedule {
  const schedule = parse(text, options);
  assert.equal(schedule.kind, "cron");
  return schedule as CronSchedule;
}

function failure(text: string, options?: ParseOptions): ScheduleError {
  const result = parseSchedule(text, options);
  assert.ok(!result.ok, `${JSON.stringify(text)} was taken`);
  return result.error;
}

/** text, then field, its index, token, start and hint of the error. */
const FAULTS: readonly [text: string, field: string, index: number, token: string, start: number, hint: string][] = [
  ["61 * * * *", "minute", 1, "61", 0, ""],
  ["0 25 * * *", "hour", 2, "25", 2, ""],
  ["60 0 25 * * *", "second", 0, "60", 0, ""],
  ["0 0 5 * * 8", "day of week", 5, "8", 10, ""],
  ["0 0 0 * *", "day of month", 3, "0", 4, ""],
  ["0 0 * 13 *", "month", 4, "13", 6, ""],
  ["\t0  0 * *  9", "day of week", 5, "9", 11, ""],
  ["0 22-2 * * *", "hour", 2, "22-2", 2, "write 22-23,0-2"],
  ["0 23-0 * * *", "hour", 2, "23-0", 2, "write 23,0"],
  ["0 22-2/2 * * *", "hour", 2, "22-2/2", 2, "write 22,0,2"],
  ["0 0 * NOV-feb *", "month", 4, "NOV-feb", 6, "write NOV-DEC,JAN-FEB"],
  ["0 0 * * FRI-MON", "day of week", 5, "FRI-MON", 8, "write FRI-SAT,SUN-MON"],
  ["0 0 * * 7-2", "day of week", 5, "7-2", 8, "write 0-2"],
  ["*/90 * * * *", "minute", 1, "90", 2, "a step starts again in each hour; for a period write @every 90m"],
  ["0 */36 * * *", "hour", 2, "36", 4, "a step starts again in each day; for a period write @every 36h"],
  ["0 0 * */13 *", "month", 4, "13", 8, ""],
  ["*/0 * * * *", "minute", 1, "0", 2, "write 1 or more"],
  ["5/ * * * *", "minute", 1, "/", 1, ""],
  ["/2 * * * *", "minute", 1, "/2", 0, "write */ and the step"],
  ["1,,2 * * * *", "minute", 1, ",", 2, "write a number 0-59"],
  ["1, * * * *", "minute", 1, " ", 2, "write a number 0-59"],
  ["0 0 * * friday", "day of week", 5, "friday", 8, "write FRI"],
  ["0 0 * * foo", "day of week", 5, "foo", 8, "write a number 0-7 or SUN-SAT"],
  [
    "0 0 * * L",
    "day of week",
    5,
    "L",
    8,
    "write SATL for the last Saturday, or L in the day of month for the last day",
  ],
  ["0 0 * * MON-FRI#2", "day of week", 5, "#2", 15, "L and # go with a single day of the week, as in FRIL or MON#2"],
  ["0 0 * * 1#6", "day of week", 5, "1#6", 8, "write 1 to 5 after #, or L for the last one of the month"],
  ["0 0 1-2W * *", "day of month", 3, "W", 7, "W goes with a single day of the month, as in 15W"],
  ["0 0 L-31 * *", "day of month", 3, "L-31", 4, ""],
  ["? * * * *", "minute", 1, "?", 0, "write *"],
  ["0 0 ?/2 * *", "day of month", 3, "/2", 5, "separate values with commas"],
  ["0 0 ¹ * *", "day of month", 3, "¹", 4, "write a number 1-31"],
  ["H(5-1) * * * *", "minute", 1, "H(5-1)", 0, ""],
  ["H(5 * * * *", "minute", 1, "", 3, "write H(1-5)"],
  ["", "schedule", -1, "", 0, 'write five cron fields, such as "0 9 * * 1-5", or @daily'],
  ["20 15 * *", "schedule", -1, "20 15 * *", 0, "missing: day of week"],
  ["* * * * * * 2026", "schedule", -1, "2026", 12, "there is no field for a year; remove what follows the day of week"],
  ["CRON_TZ=UTC 0 0 * * *", "schedule", -1, "CRON_TZ=UTC", 0, "remove it and set the job's timeZone"],
  ["@dayly", "schedule", -1, "@dayly", 0, "did you mean @daily?"],
  ["@daily 5", "schedule", -1, "5", 7, "write @daily and nothing else"],
  ["@every 5", "schedule", -1, "5", 7, "write @every and a duration such as 90s, 5m or 1h30m"],
  ["@every 10ms", "schedule", -1, "10ms", 7, "write @every 1s"],
  ["@every 300000d", "schedule", -1, "300000d", 7, "write @every and a duration such as 90s, 5m or 1h30m"],
  ["@in", "schedule", -1, "", 3, "write @in and a duration such as 90s, 5m or 1h30m"],
  ["@in 5m", "schedule", -1, "5m", 4, "write @at and the time"],
  ["@at tomorrow", "schedule", -1, "tomorrow", 4, "write @at 2026-03-29T02:30:00+02:00, or Z for UTC"],
  [
    "@at 2026-02-30T00:00:00Z",
    "schedule",
    -1,
    "2026-02-30T00:00:00Z",
    4,
    "write @at 2026-03-29T02:30:00+02:00, or Z for UTC",
  ],
  [
    "@at 2026-03-29T02:30:00",
    "schedule",
    -1,
    "2026-03-29T02:30:00",
    4,
    "write @at 2026-03-29T02:30:00+02:00, or Z for UTC",
  ],
];

for (const [text, field, index, token, start, hint] of FAULTS) {
  test(`refuses ${JSON.stringify(text)}`, () => {
    const error = failure(text);
    const { field: actualField, index: actualIndex, token: actualToken, start: actualStart, hint: actualHint } = error;
    assert.deepEqual(
      [actualField, actualIndex, actualToken, actualStart, actualHint],
      [field, index, token, start, hint],
      error.message,
    );
  });
}

test("what is no cron at all is met with what may have been meant", () => {
  const hints: Readonly<Record<string, string>> = {
    "9:05": "for every day at 9:05 write 5 9 * * *",
    "5m": "for every 5m write @every 5m",
    "1h30m": "for every 1h30m write @every 1h30m",
    Daily: "write @Daily",
    "every 5 minutes": "write @every and a duration such as 90s, 5m or 1h30m",
    "25:00": "missing: hour, day of month, month, day of week",
  };
  for (const [text, hint] of Object.entries(hints)) {
    assert.equal(failure(text).hint, hint);
    const offer = / write (?:@every )?(.*)$/.exec(` ${hint}`)?.[0].slice(7);
    if (offer !== undefined && !offer.includes("duration")) parse(offer);
  }
});

test("a message names the field, the value and the bounds", () => {
  assert.equal(failure("0 25 * * *").message, "hour: 25 is out of range 0-23");
  assert.equal(
    failure("20 15 * *").message,
    '4 fields of at least 5: minute "20", hour "15", day of month "*", month "*"',
  );
  assert.equal(
    describeScheduleError("61 * * * *", failure("61 * * * *")),
    'Cannot parse schedule "61 * * * *": minute: 61 is out of range 0-59 (column 1)',
  );
});

test("a hint that offers another expression offers one that parses", () => {
  for (const [text, field, , token, start, hint] of FAULTS) {
    const offer = /^write ([\w,-]+)$/.exec(hint)?.[1];
    if (field === "schedule" || offer === undefined || !/[-0-9A-Z]{3}/.test(offer)) continue;
    parse(text.slice(0, start) + offer + text.slice(start + token.length));
  }
});

test("carets stand under the place", () => {
  const point = (text: string): string => pointAtScheduleError(text, failure(text));
  assert.equal(
    point("0 22-2 * * *"),
    "hour: the range 22-2 runs backwards\n  0 22-2 * * *\n    ^^^^\n  write 22-23,0-2",
  );
  assert.equal(point("0\t25 * * *"), "hour: 25 is out of range 0-23\n  0?25 * * *\n    ^^");
  assert.match(point("1, * * * *"), /\n {2}1, \* \* \* \*\n {4}\^\n/);
  assert.doesNotMatch(point("0 0 * \u001b[31m *"), /\u001b/);
});

test("of a long text only the part around the place is shown", () => {
  const text = `${"1,".repeat(5000)}99${",2".repeat(5000)} * * * *`;
  const [, line, carets] = pointAtScheduleError(text, failure(text)).split("\n") as [string, string, string];
  assert.ok(line.length <= 102, `${line.length} columns`);
  assert.equal(line.slice(carets.indexOf("^"), carets.length), "99");
  assert.ok(failure(`${"9".repeat(1e6)} * * * *`).token.length < 50);
  assert.ok(describeScheduleError(text, failure(text)).length < 300);
});

const SAME: readonly [a: string, b: string][] = [
  ["@yearly", "0 0 1 1 *"],
  [" @Annually\t", "0 0 1 JAN *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 7"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 0 * * ?"],
  ["@hourly", "0 * * * *"],
  ["0 0 * * 5-7", "0 0 * * fri-SUN"],
  ["0 0 * * 6-0", "0 0 * * 6,7"],
  ["0 0 * * 0-0", "0 0 * * SUN"],
  ["0 0 * * 7-7", "0 0 * * SUN"],
  ["0 0 * * 7/2", "0 0 * * 0/2"],
  ["0 0 * * 2/2", "0 0 * * 2,4,6"],
  ["0 0/15 * * *", "0 0-23/15 * * *"],
  ["*/60 * * * *", "*/60,0 * * * *"],
  ["1,1,0-10,5 * * * *", "0-10 * * * *"],
  ["0 0 * * 5#L", "0 0 * * friL"],
  ["0 0 l-0W * *", "0 0 LW * *"],
  ["0 0 *,L * *", "0 0 * * *"],
  ["0 0 1 * 0-6", "0 0 * * *"],
  ["@every 60s", "@every 1m"],
  ["@at 2026-03-29T02:30:00+02:00", "@at 2026-03-29t00:30z"],
];

for (const [a, b] of SAME) test(`${a} is ${b}`, () => assert.ok(equalSchedules(parse(a), parse(b))));

const DIFFERENT: readonly [a: string, b: string, why: string][] = [
  ["0 0 1 * MON", "0 0 1 * +MON", "either day or both"],
  ["0 9 * * *", "*/60 9 * * *", "the second follows real time through a change of the clocks"],
  ["0 0 31 1 *", "0 0 L 1 *", "told by their fields"],
  ["0 0 29 2 *", "0 0 28 2 *", "another day"],
  ["0 0 * * 1#5", "0 0 * * 1L", "a fifth Monday is not in every month"],
  ["@every 1m", "* * * * *", "another kind"],
  ["@every 1m", "@every 2m", "another period"],
  ["@reboot", "@start", "another event"],
];

for (const [a, b, why] of DIFFERENT) {
  test(`${a} is not ${b}: ${why}`, () => assert.ok(!equalSchedules(parse(a), parse(b))));
}

test("@every, @in and @at", () => {
  assert.deepEqual(parse("@every 1h30m"), { kind: "every", periodMs: 5_400_000, anchorMs: 0 });
  assert.deepEqual(parse("@EVERY 5s", { anchorMs: 7 }), { kind: "every", periodMs: 5000, anchorMs: 7 });
  assert.deepEqual(parse("@in 90s", { anchorMs: 1000 }), { kind: "at", atMs: 91_000 });
  const atMs = Date.parse("2026-03-29T00:30:00.250Z");
  assert.deepEqual(parse("@at 2026-03-29T02:30:00.2509+02:00"), { kind: "at", atMs });
  for (const bad of ["24:00:00Z", "23:60:00Z", "23:59:60Z", "00:00:00+24:00", "00:00:00+00:60"]) {
    failure(`@at 2026-03-29T${bad}`);
  }
});

test("H is the FNV-1a hash of job and field, within the range", () => {
  const hash = (text: string): number => {
    let value = 0x811c9dc5n;
    for (const byte of Buffer.from(text)) value = ((value ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
    return Number(value);
  };
  for (const jobId of ["backup", "Größe/✓", ""]) {
    const daily = {
      minute: hash(`${jobId}/1`) % 60,
      hour: hash(`${jobId}/2`) % 24,
      day: 1 + (hash(`${jobId}/3`) % 28),
    };
    const written = `${daily.minute} ${daily.hour} ${daily.day} * *`;
    assert.ok(equalSchedules(parse("H H H * *", { jobId }), parse(written)), `${jobId}: ${written}`);
    const start = hash(`${jobId}/1`) % 15;
    const steps = [0, 15, 30, 45].map((value) => value + start).join(",");
    assert.equal(parseCron("H/15 1 * * *", { jobId }).wild, true);
    assert.equal(parseCron("H(0-29)/15 1 * * *", { jobId }).wild, false);
    assert.ok(equalSchedules(parse("H/15 * * * *", { jobId }), parse(`${steps} * * * *`)));
    const within = 9 + (hash(`${jobId}/2`) % 9);
    assert.ok(equalSchedules(parse("0 H(9-17) * * *", { jobId }), parse(`0 ${within} * * *`)));
  }
});

test("H spreads a thousand jobs over the hour", () => {
  const counts = new Map<string, number>();
  for (let job = 0; job < 1000; job++) {
    const { minutesLow, minutesHigh } = parseCron("H * * * *", { jobId: `job-${job}` });
    const key = `${minutesLow}/${minutesHigh}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assert.equal(counts.size, 60);
  assert.ok(Math.max(...counts.values()) < 40, `${Math.max(...counts.values())} jobs in one minute`);
});

const WARNINGS: readonly [text: string, codes: string][] = [
  ["0 9 * * 1-5", ""],
  ["*/15 * * * *", ""],
  ["*/10 * * * * *", ""],
  ["0 0 L * *", ""],
  ["0 0 1-7 * +MON", ""],
  ["0 0 */2 * *", ""],
  ["0 0 31 1,3,5 *", ""],
  ["0 0 30 2 *", "never"],
  ["0 0 */2 * MON", "star-day"],
  ["0 0 1-7 * */7", "star-day"],
  ["0 0 1,15 * MON", "either-day"],
  ["* * * * * *", "often"],
  ["0,5 0 0 * * *", "often"],
  ["@every 9s", "often"],
  ["@every 10s", ""],
  ["0/15 * * * *", "open-step"],
  ["*/7 * * * *", "uneven-step"],
  ["0 0 31 * *", "short-month"],
  ["0 0 29 2 *", "short-month"],
  ["H H * * *", "hash"],
];

for (const [text, codes] of WARNINGS) {
  test(`warnings about ${text}: ${codes || "none"}`, () => {
    const result = parseSchedule(text);
    assert.ok(result.ok);
    assert.equal(result.warnings.map(({ code }) => code).join(), codes);
    for (const { message } of result.warnings) assert.match(message, /^[\w*+ -].{20}/);
  });
}

test("any text gives a schedule or an error whose place lies in the text", () => {
  const alphabet = [..."0123456789*/-,?#LWHlw()+@ \t\n", "MON", "jan", "@every ", "@at ", "5m", "¹", "\u0000", "😀"];
  const seeds = ["*/5 9-17 1,15W * MON#2", "H(1-5) H/3 L-3W JAN-MAR FRIL", "@every 1h30m", "0 0 12 ? * 6-0"];
  forEachSeed(1500, (random) => {
    let text = random.next() < 0.5 ? "" : random.pick(seeds);
    for (let edits = random.int(1, 8); edits > 0; edits--) {
      const at = random.int(0, text.length);
      text = text.slice(0, at) + random.pick(alphabet) + text.slice(at + random.int(0, 2));
    }
    const result = parseSchedule(text, { jobId: "fuzz", anchorMs: 0 });
    if (result.ok) return;
    const { start, end, token, message } = result.error;
    assert.ok(start >= 0 && end >= start && start <= text.length, `${JSON.stringify(text)}: ${start}-${end}`);
    assert.ok(token.endsWith("…") || text.slice(start, end) === token, JSON.stringify(text));
    assert.ok(message.length > 5 && pointAtScheduleError(text, result.error).includes("^"), JSON.stringify(text));
  });
});

/** Counts how many characters are looked at, which takes the clock out of a test of the cost. */
class CountedText extends String {
  reads = 0;

  override charCodeAt(index: number): number {
    this.reads++;
    return super.charCodeAt(index);
  }
}

const HOSTILE: readonly [what: string, text: (size: number) => string][] = [
  ["commas", (size) => ",".repeat(size)],
  ["commas and fields", (size) => `${",".repeat(size)} * * * *`],
  ["values", (size) => `${"1,".repeat(size / 2)}1 * * * *`],
  ["stars", (size) => `${"*/1,".repeat(size / 4)}* * * * *`],
  ["digits", (size) => `${"1".repeat(size)} * * * *`],
  ["letters", (size) => `* * * * ${"x".repeat(size)}`],
  ["days", (size) => `0 0 ${"L-3W,".repeat(size / 5)}1 * ${"MON#2,".repeat(size / 6)}1`],
  ["spaces", (size) => `${" ".repeat(size)}0 0${" ".repeat(size)}* * *`],
  ["fields", (size) => "* ".repeat(size / 2)],
  ["a word", (size) => `@${"e".repeat(size)}`],
  ["a duration", (size) => `@every ${"9".repeat(size)}m`],
];

for (const [what, write] of HOSTILE) {
  test(`a megabyte of ${what} is read once or twice`, () => {
    const counted = new CountedText(write(100_000));
    parseSchedule(counted as unknown as string);
    assert.ok(counted.reads < 600_000, `${counted.reads} reads of 100,000 characters`);
    const result = parseSchedule(write(1_000_000));
    if (!result.ok) assert.ok(result.error.message.length < 400, result.error.message.slice(0, 500));
  });
}
