/** The table of `jobs` commands, and those that only look. */
import type { JobShown, RunShown } from "../client.ts";
import { escapeUnprintable } from "../core/printable.ts";
import { type Command, type CommandCall, EXIT } from "./command.ts";
import { jobPath } from "./job-path.ts";
import {
  describeDuration,
  describeLast,
  describeNext,
  describeSlots,
  describeTime,
  describeWhy,
  paintStates,
} from "./job-texts.ts";
import { changeCommands } from "./jobs-change.ts";
import { runCommands } from "./jobs-run.ts";
import { readWholeNumber } from "./numbers.ts";
import { findDaemon } from "./place.ts";
import { createPainter } from "./style.ts";
import { type Column, renderFacts, renderTable } from "./table.ts";

const listCommand: Command = {
  name: "jobs list",
  operands: ["[PREFIX]"],
  options: [{ name: "tag", value: "TAG", summary: "only jobs with this tag" }],
  summary: "show the scheduled jobs: when each runs next, and how its last run went",
  examples: ["pi-daemon jobs list", "pi-daemon jobs list --tag backup --json"],
  async run(call) {
    const { client } = await findDaemon(call);
    const { jobs, problems } = await client.json<{ jobs: JobShown[]; problems: string[] }>("GET", "/api/jobs");
    const [prefix = ""] = call.args.operands;
    const tag = call.args.value("tag");
    const shown = jobs.filter((job) => job.name.startsWith(prefix) && (tag === undefined || job.tags.includes(tag)));
    if (call.args.isSet("json")) call.terminal.out(JSON.stringify(shown));
    else tellJobs(call, shown, problems);
    return EXIT.ok;
  },
};

function tellJobs(call: CommandCall, jobs: readonly JobShown[], problems: readonly string[]): void {
  const nowMs = call.clock.wallMs();
  const cells = jobs.map((job) => [
    job.name,
    job.scheduleText ?? "-",
    describeNext(job, nowMs),
    describeLast(job, nowMs),
    describeDuration(job.last),
  ]);
  if (jobs.length === 0)
    call.terminal.out('there are no jobs yet; make one: pi-daemon jobs add NAME --schedule "0 9 * * *" -- COMMAND');
  else
    tellTable(
      call,
      [{ title: "NAME" }, { title: "WHEN" }, { title: "NEXT RUN" }, { title: "LAST RUN" }, { title: "TOOK" }],
      cells,
    );
  for (const problem of problems) call.terminal.err(`warning: ${escapeUnprintable(problem)}`);
}

function tellTable(call: CommandCall, columns: readonly Column[], cells: readonly (readonly string[])[]): void {
  const paint = createPainter(call.terminal.outHasColours);
  const [titles, ...lines] = renderTable(columns, cells);
  for (const line of [paint("bold", titles!), ...lines.map((each) => paintStates(each, paint))])
    call.terminal.out(line);
}

const showCommand: Command = {
  name: "jobs show",
  operands: ["NAME"],
  options: [],
  summary: "show one job: its definition without secrets, its state, its last run",
  examples: ["pi-daemon jobs show backup"],
  async run(call) {
    const { client } = await findDaemon(call);
    const job = await client.json<JobShown & { definition: unknown }>("GET", jobPath(call));
    if (call.args.isSet("json")) {
      call.terminal.out(JSON.stringify(job));
      return EXIT.ok;
    }
    const facts = factsOf(job, call.clock.wallMs());
    const definition = JSON.stringify(job.definition, undefined, 2)
      .split("\n")
      .map((line) => `  ${escapeUnprintable(line)}`);
    call.terminal.out([...renderFacts(facts), "definition", ...definition].join("\n"));
    return EXIT.ok;
  },
};

function factsOf(job: JobShown, nowMs: number): [name: string, value: string][] {
  const { description, schedule, last, paused, problem, timeZone } = job;
  const next = describeNext(job, nowMs);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["name", job.name],
    ["about", description ?? undefined],
    ["when", schedule === null ? "when asked" : `${job.scheduleText} (${schedule}, ${timeZone})`],
    ["next run", job.nextRunMs === null ? next : `${describeTime(job.nextRunMs, timeZone)} (${next})`],
    ["last run", describeLast(job, nowMs) + (last === null ? "" : ` (run ${last.id}) ${describeWhy(last)}`)],
    ["last good", describeTime(job.lastOkMs, timeZone)],
    ["paused", paused === null ? undefined : `since ${describeTime(paused.sinceMs, timeZone)} ${paused.note}`],
    ["problem", problem ?? undefined],
    ["from", job.source],
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

const runsCommand: Command = {
  name: "jobs runs",
  operands: ["NAME"],
  options: [
    { name: "count", value: "COUNT", summary: "how many of the last runs (20)" },
    {
      name: "state",
      value: "STATE",
      summary: "only these: ok, failed, timeout, skipped, missed, interrupted, cancelled, ...",
    },
  ],
  summary: "show the runs of a job, the newest first, with slots that were missed or skipped",
  examples: ["pi-daemon jobs runs backup", "pi-daemon jobs runs backup --state failed --count 5"],
  async run(call) {
    const { client } = await findDaemon(call);
    const limit = readWholeNumber("count", call.args.value("count"), { fallback: 20, least: 1, most: 1000 });
    const state = call.args.value("state");
    const query = new URLSearchParams({ limit: String(limit), ...(state === undefined ? {} : { state }) });
    const { timeZone } = await client.json<JobShown>("GET", jobPath(call));
    const { runs } = await client.json<{ runs: RunShown[] }>("GET", `${jobPath(call)}/runs?${query.toString()}`);
    const columns: Column[] = [
      { title: "RUN", isNumber: true },
      { title: "STATE" },
      { title: "WHEN" },
      { title: "WHY" },
      { title: "TOOK" },
      { title: "" },
    ];
    const cells = runs.map((run) => [
      String(run.id),
      run.state,
      describeSlots(run, timeZone),
      run.trigger,
      describeDuration(run),
      describeWhy(run),
    ]);
    if (call.args.isSet("json")) call.terminal.out(JSON.stringify(runs));
    else if (runs.length === 0) call.terminal.out("there are none");
    else tellTable(call, columns, cells);
    return EXIT.ok;
  },
};

const nextCommand: Command = {
  name: "jobs next",
  operands: ["NAME"],
  options: [{ name: "count", value: "COUNT", summary: "how many (10)" }],
  summary: "show when a job runs next, in its zone and in UTC",
  examples: ["pi-daemon jobs next backup --count 3"],
  async run(call) {
    const { client } = await findDaemon(call);
    const count = readWholeNumber("count", call.args.value("count"), { fallback: 10, least: 1, most: 1000 });
    const next = await client.json<NextRuns>("GET", `${jobPath(call)}/next?count=${count}`);
    if (call.args.isSet("json")) call.terminal.out(JSON.stringify(next));
    else tellNext(call, next);
    return EXIT.ok;
  },
};

interface NextRuns {
  readonly timeZone: string;
  readonly runs: readonly { readonly local: string; readonly utc: string }[];
  readonly transition: { readonly text: string } | null;
}

function tellNext(call: CommandCall, { timeZone, runs, transition }: NextRuns): void {
  if (runs.length === 0) call.terminal.out("no clock says when");
  else
    tellTable(
      call,
      [{ title: `NEXT RUNS (${timeZone})` }, { title: "UTC" }],
      runs.map(({ local, utc }) => [local, utc]),
    );
  if (transition !== null) call.terminal.out(`\nNext change of the clocks: ${transition.text}`);
}

export const jobCommands: readonly Command[] = [
  listCommand,
  showCommand,
  ...changeCommands,
  ...runCommands,
  runsCommand,
  nextCommand,
];
