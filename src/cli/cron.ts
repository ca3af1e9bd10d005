/** `cron explain`: what a schedule means, worked out here; no daemon is asked. */
import {
  describe,
  findTimeZone,
  parseSchedule,
  pointAtScheduleError,
  preview,
  type Schedule,
  type TimeZone,
} from "../core/cron.ts";
import { quote } from "../core/printable.ts";
import { type Command, type CommandCall, CommandError, EXIT } from "./command.ts";
import { readWholeNumber } from "./numbers.ts";
import { createPainter } from "./style.ts";
import { renderTable } from "./table.ts";

const DEFAULT_COUNT = 10;
const MOST_COUNT = 1000;

export const cronCommands: readonly Command[] = [
  {
    name: "cron explain",
    operands: ["SCHEDULE..."],
    options: [
      { name: "tz", value: "ZONE", summary: "the time zone (else that of this machine): Europe/Berlin" },
      { name: "count", value: "COUNT", summary: `how many of the next runs (${DEFAULT_COUNT})` },
      { name: "job", value: "NAME", summary: "the job whose times H stands for" },
    ],
    summary: "say what a schedule means, and when it runs next",
    details:
      "Five fields: minute hour day-of-month month day-of-week; with six, the first is the second. Also @daily\n" +
      "and its like, @every 5m, @at 2030-01-01T00:00:00Z, @in 10m, @reboot, @start.",
    examples: [
      'pi-daemon cron explain "0 9 * * 1-5" --tz Europe/Berlin',
      'pi-daemon cron explain "@every 90s" --count 3',
    ],
    async run(call) {
      const text = readScheduleOperand(call.args.operands);
      const zone = readZone(call.args.value("tz"));
      const count = readWholeNumber("count", call.args.value("count"), {
        fallback: DEFAULT_COUNT,
        least: 0,
        most: MOST_COUNT,
      });
      const nowMs = call.clock.wallMs();
      const job = call.args.value("job");
      const parsed = parseSchedule(text, { anchorMs: nowMs, ...(job !== undefined && { jobId: job }) });
      if (!parsed.ok) throw new CommandError(EXIT.usage, pointAtScheduleError(text, parsed.error));
      const told = { ...preview(parsed.schedule, zone, { afterMs: nowMs, count }), warnings: parsed.warnings };
      if (call.args.isSet("json"))
        call.terminal.out(
          JSON.stringify({ schedule: text, timeZone: zone.name, text: describe(parsed.schedule), ...told }),
        );
      else
        for (const line of describeLines(call, { schedule: parsed.schedule, zone, ...told })) call.terminal.out(line);
      return EXIT.ok;
    },
  },
];

/** Without quotation marks a shell makes several words of it, and names of files of each `*`. */
function readScheduleOperand(operands: readonly string[]): string {
  if (operands.length === 1) return operands[0]!;
  const hint = "put it in quotation marks: pi-daemon cron explain '0 9 * * 1-5'";
  throw new CommandError(EXIT.usage, `a schedule is one word, and here are ${operands.length}`, hint);
}

/** Throws CommandError for text that is no schedule, with a caret under the place. */
export function checkSchedule(text: string): void {
  const parsed = parseSchedule(text, { jobId: "a", anchorMs: 0 });
  if (!parsed.ok) throw new CommandError(EXIT.usage, pointAtScheduleError(text, parsed.error));
}

function readZone(name: string | undefined): TimeZone {
  const zone = findTimeZone(name ?? Intl.DateTimeFormat().resolvedOptions().timeZone);
  if (zone === undefined)
    throw new CommandError(
      EXIT.usage,
      `${quote(name ?? "")} is not a time zone`,
      "write a name such as Europe/Berlin, or UTC",
    );
  return zone;
}

function describeLines(
  call: CommandCall,
  told: ReturnType<typeof preview> & { schedule: Schedule; zone: TimeZone; warnings: readonly { message: string }[] },
): string[] {
  const paint = createPainter(call.terminal.outHasColours);
  const runs = told.runs.map(({ local, utc }) => [local, `${utc} UTC`]);
  const [titles, ...rows] = renderTable([{ title: `NEXT RUNS (${told.zone.name})` }, { title: "UTC" }], runs);
  return [
    describe(told.schedule),
    ...told.warnings.map(({ message }) => `${paint("yellow", "note:")} ${message}`),
    ...(runs.length === 0 ? [] : ["", paint("bold", titles!), ...rows]),
    ...(told.transition === null ? [] : ["", `Next change of the clocks: ${told.transition.text}`]),
  ];
}
