/**
 * How long reading an expression and finding its next run take, beside croner, cron-parser and cron-schedule.
 *
 * The others are installed into a folder of their own for the run; without a registry only our figures are printed. All
 * take turns, and the medians of the CPU time are compared. Searches go from run to run, and begin anew now and then.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type CronSchedule, findTimeZone, nextRun, parseSchedule } from "../../src/core/cron.ts";
import { nextLocalTime } from "../../src/core/cron/local-time.ts";
import { TimeZone } from "../../src/core/time-zone.ts";

const PEERS = ["croner", "cron-parser", "cron-schedule"];
const ROUNDS = 11;
const ROUND_MS = 20;
const WARM_UP_MS = 300;
/** What all four understand alike. */
const EXPRESSIONS = [
  "*/15 * * * *",
  "0 9 * * 1-5",
  "30 2 1 * *",
  "15,45 8-18/2 * 1-6 1-5",
  "*/10 * * * * *",
  "45 23 28 * *",
  "5 4 * * 0",
  "0 22 * 1,4,7,10 5",
];
const RARE = "0 0 * 2 1#5";
/** Searches that begin anew each time would weigh on those to whom beginning is dear. */
const RUNS_IN_A_ROW = 20;
const START_MS = Date.UTC(2026, 0, 1);

/** A program under test: makes a function that does the work once, or nothing when it cannot do that work. */
interface Contender {
  readonly name: string;
  parse(text: string): unknown;
  search(text: string, zone: string): Search | undefined;
}

/** Goes from run to run of one expression, with all preparation done before. */
interface Search {
  startAfter(atMs: number): void;
  next(): number;
}

type Work = (turn: number) => unknown;

export async function bench(): Promise<void> {
  const savedZone = process.env["TZ"];
  // cron-schedule knows only the zone of the process.
  process.env["TZ"] = "UTC";
  const folder = mkdtempSync(join(tmpdir(), "cron-bench-"));
  try {
    const contenders = [ours(), ...(await installPeers(folder))];
    printRace("parse, 8 expressions in turn", contenders, (contender) => (turn) => contender.parse(pickText(turn)));
    for (const zone of ["UTC", "America/New_York"]) {
      checkAgreement(contenders, zone);
      printRace(`next run, ${zone}, 8 expressions in turn`, contenders, (contender) => searchAll(contender, zone));
      printRace(`next run, ${zone}, ${RARE}`, contenders, (contender) => searchRare(contender, zone));
    }
    printOwnFigures();
  } finally {
    rmSync(folder, { recursive: true, force: true });
    if (savedZone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = savedZone;
  }
}

function ours(): Contender {
  return {
    name: "pi-daemon",
    parse: (text) => parseSchedule(text),
    search(text, zone) {
      const schedule = parseOrThrow(text);
      const timeZone = findTimeZone(zone)!;
      return searchBy((afterMs) => nextRun(schedule, timeZone, afterMs)!);
    },
  };
}

function searchBy(next: (afterMs: number) => number): Search {
  let lastMs = START_MS;
  return { startAfter: (atMs) => void (lastMs = atMs), next: () => (lastMs = next(lastMs)) };
}

async function installPeers(folder: string): Promise<Contender[]> {
  try {
    const args = ["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, ...PEERS];
    execFileSync("npm", args, { stdio: ["ignore", "ignore", "pipe"], timeout: 120_000 });
  } catch (error) {
    console.log(`The peers could not be installed, so only our own figures follow: ${(error as Error).message}\n`);
    return [];
  }
  const require = createRequire(join(folder, "index.js"));
  const version = (name: string): string => {
    const manifest = readFileSync(join(folder, "node_modules", name, "package.json"), "utf8");
    return `${name} ${(JSON.parse(manifest) as { version: string }).version}`;
  };
  const [croner, cronParser, cronSchedule] = await Promise.all(PEERS.map((name) => import(require.resolve(name))));
  return [
    fromCroner(version("croner"), croner as CronerModule),
    fromCronParser(version("cron-parser"), cronParser as CronParserModule),
    fromCronSchedule(version("cron-schedule"), cronSchedule as CronScheduleModule),
  ];
}

interface CronerModule {
  Cron: new (text: string, options: object) => { nextRun(after: Date): Date | null };
}

function fromCroner(name: string, { Cron }: CronerModule): Contender {
  return {
    name,
    parse: (text) => new Cron(text, { timezone: "UTC", paused: true }),
    search(text, zone) {
      const job = new Cron(text, { timezone: zone, paused: true });
      return searchBy((afterMs) => job.nextRun(new Date(afterMs))!.getTime());
    },
  };
}

interface CronParserModule {
  CronExpressionParser: {
    parse(text: string, options: object): { reset(date: object): void; next(): { getTime(): number } };
  };
  CronDate: new (date: Date, zone: string) => object;
}

function fromCronParser(name: string, { CronExpressionParser, CronDate }: CronParserModule): Contender {
  return {
    name,
    parse: (text) => CronExpressionParser.parse(text, { tz: "UTC" }),
    search(text, zone) {
      const expression = CronExpressionParser.parse(text, { tz: zone });
      return {
        startAfter: (atMs) => expression.reset(new CronDate(new Date(atMs), zone)),
        next: () => expression.next().getTime(),
      };
    },
  };
}

interface CronScheduleModule {
  parseCronExpression(text: string): { getNextDate(after: Date): Date };
}

function fromCronSchedule(name: string, { parseCronExpression }: CronScheduleModule): Contender {
  return {
    name,
    parse: (text) => parseCronExpression(text),
    search(text, zone) {
      if (zone !== "UTC" || text.includes("#")) return undefined;
      const cron = parseCronExpression(text);
      return searchBy((afterMs) => cron.getNextDate(new Date(afterMs)).getTime());
    },
  };
}

function pickText(turn: number): string {
  return EXPRESSIONS[turn % EXPRESSIONS.length]!;
}

/** An instant of the year, scattered by the turn. */
function pickInstant(turn: number): number {
  return START_MS + ((turn * 7919) % 105_120) * 300_000;
}

function searchAll(contender: Contender, zone: string): Work | undefined {
  const searches = EXPRESSIONS.map((text) => contender.search(text, zone));
  if (searches.includes(undefined)) return undefined;
  return (turn) => {
    const search = searches[turn % searches.length]!;
    if (turn % (RUNS_IN_A_ROW * searches.length) < searches.length) search.startAfter(pickInstant(turn));
    return search.next();
  };
}

function searchRare(contender: Contender, zone: string): Work | undefined {
  const search = contender.search(RARE, zone);
  if (search === undefined) return undefined;
  return (turn) => {
    search.startAfter(pickInstant(turn));
    return search.next();
  };
}

/** Finds out before the race whether all come to the same runs, away from changes of the clocks. */
function checkAgreement(contenders: readonly Contender[], zone: string): void {
  const findRun = (contender: Contender, text: string): number | undefined => {
    const search = contender.search(text, zone);
    search?.startAfter(Date.UTC(2026, 5, 17, 11, 7, 3));
    return search?.next();
  };
  for (const text of EXPRESSIONS) {
    const expected = findRun(ours(), text);
    for (const contender of contenders) {
      const actual = findRun(contender, text);
      if (actual === undefined || actual === expected) continue;
      console.log(`${contender.name} finds ${actual} for ${text} in ${zone}, not ${expected}`);
    }
  }
}

function printRace(
  title: string,
  contenders: readonly Contender[],
  prepare: (contender: Contender) => Work | undefined,
): void {
  const works = contenders.map(prepare);
  const sizes = works.map((work) => (work === undefined ? 0 : batchSize(work)));
  const times: number[][] = works.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    works.forEach((work, index) => work && times[index]!.push(timeBatch(work, sizes[index]!)));
  }
  const ownUs = median(times[0]!);
  console.log(title);
  contenders.forEach(({ name }, index) => {
    const us = times[index]!.length === 0 ? undefined : median(times[index]!);
    const figure = us === undefined ? "-".padStart(11) : `${us.toFixed(us < 10 ? 3 : 1).padStart(8)} us`;
    console.log(
      `  ${name.padEnd(22)}${figure}${us === undefined || index === 0 ? "" : `   ${(us / ownUs).toFixed(1)} x`}`,
    );
  });
  console.log("");
}

/** How many turns fill a round, found after the engine has had time to compile the work. */
function batchSize(work: Work): number {
  const warmUntil = performance.now() + WARM_UP_MS;
  for (let turn = 0; performance.now() < warmUntil; turn++) work(turn);
  let size = 1;
  while (timeBatch(work, size) * size < ROUND_MS * 1000) size *= 2;
  return size;
}

/** Microseconds of CPU a turn: what other programs take from the machine does not count. */
function timeBatch(work: Work, size: number): number {
  let kept: unknown;
  const start = process.cpuUsage();
  for (let turn = 0; turn < size; turn++) kept = work(turn);
  const { user, system } = process.cpuUsage(start);
  if (kept === START_MS) throw new Error("unreachable: keeps the engine from dropping the work");
  return (user + system) / size;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function medianOf(work: Work): number {
  const size = batchSize(work);
  return median(Array.from({ length: ROUNDS }, () => timeBatch(work, size)));
}

function printOwnFigures(): void {
  // The month loop is entered by itself here: nextRun knows beforehand that there is no 30 February.
  const dry = parseOrThrow("0 0 30 2 *");
  const rows: [what: string, figure: string][] = [
    ["the whole calendar in vain (400 years)", `${medianOf(() => nextLocalTime(dry, 1.8e9)).toFixed(2)} us`],
    ["first question to a zone", `${medianOf(() => new TimeZone("America/New_York").segmentAt(1.8e9)).toFixed(0)} us`],
    ["memory of a schedule", `${measureBytes().toFixed(0)} bytes`],
    ["a megabyte of commas", `${medianOf(() => parseSchedule(`${",".repeat(1e6)} * * * *`)).toFixed(0)} us`],
    ["a megabyte of values", `${medianOf(() => parseSchedule(`${"1,".repeat(5e5)}1 * * * *`)).toFixed(0)} us`],
  ];
  for (const [what, figure] of rows) console.log(`  ${what.padEnd(42)}${figure.padStart(14)}`);
}

function measureBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const count = 100_000;
  collect();
  const before = process.memoryUsage().heapUsed;
  const schedules = Array.from({ length: count }, (_, turn) => parseOrThrow(pickText(turn)));
  collect();
  return (process.memoryUsage().heapUsed - before) / schedules.length;
}

function parseOrThrow(text: string): CronSchedule {
  const result = parseSchedule(text);
  if (!result.ok || result.schedule.kind !== "cron") throw new TypeError(`${text} is no cron expression`);
  return result.schedule;
}
