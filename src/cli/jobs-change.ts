/** `jobs add`, `edit` and `remove`: the jobs that the daemon keeps itself, beside those of the config and of files. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, DaemonError, type JobShown } from "../client.ts";
import { parseDuration } from "../core/duration.ts";
import { findJsonFault } from "../core/json-fault.ts";
import { quote } from "../core/printable.ts";
import { type Arguments, type Command, type CommandCall, CommandError, EXIT } from "./command.ts";
import { checkSchedule } from "./cron.ts";
import { jobPath } from "./job-path.ts";
import { describeNext } from "./job-texts.ts";
import { readWholeNumber } from "./numbers.ts";
import { findDaemon } from "./place.ts";

const DEEPEST = 64;

const addCommand: Command = {
  name: "jobs add",
  operands: ["[NAME]", "[COMMAND...]"],
  options: [
    {
      name: "schedule",
      short: "s",
      value: "SCHEDULE",
      summary: 'when: "0 9 * * 1-5", @daily, "@every 5m"; without it only when asked',
    },
    { name: "tz", value: "ZONE", summary: "the time zone of the schedule (else the daemon's)" },
    { name: "shell", value: "LINE", summary: "a line for /bin/sh instead of COMMAND" },
    { name: "get", value: "URL", summary: "an HTTP request instead of COMMAND" },
    { name: "agent", value: "PROMPT", summary: "a prompt for the pi agent instead of COMMAND" },
    { name: "model", value: "MODEL", summary: "with --agent: the model, as provider/id" },
    { name: "max-cost", value: "DOLLARS", summary: "with --agent: end the run when it has cost more" },
    { name: "cwd", value: "PATH", summary: "where it runs (else the home directory)" },
    {
      name: "env",
      short: "e",
      value: "NAME=VALUE",
      isRepeatable: true,
      summary: "a variable of its environment; may be given several times",
    },
    { name: "timeout", value: "DURATION", summary: "end a run that takes longer" },
    { name: "retries", value: "COUNT", summary: "attempts after one that failed" },
    { name: "overlap", value: "HOW", summary: "when the last run still goes on: skip, queue, replace, parallel" },
    { name: "catch-up", value: "HOW", summary: "slots missed while the daemon was down: last, none, all" },
    { name: "tag", value: "TAG", isRepeatable: true, summary: "a word to find it by" },
    { name: "file", value: "PATH", summary: "the whole definition as JSON from a file, or - for standard input" },
  ],
  summary: "make a job that the daemon keeps itself",
  details:
    "What COMMAND runs is a program with its arguments; no shell reads them. Put -- before it when it has\n" +
    "options of its own. Jobs under version control belong in the config or in jobs.d beside it.",
  examples: [
    'pi-daemon jobs add backup --schedule "30 2 * * *" -- rsync -a /data /backup',
    'pi-daemon jobs add report -s "0 9 * * 1-5" --agent "Summarise what changed" --cwd ~/project',
    "pi-daemon jobs add --file job.json",
  ],
  async run(call) {
    const definition = readNewDefinition(call.args);
    const { client } = await findDaemon(call);
    const job = await client.json<JobShown>("POST", "/api/jobs", { body: definition });
    tellChange(call, job, "is made");
    return EXIT.ok;
  },
};

const editCommand: Command = {
  name: "jobs edit",
  operands: ["NAME"],
  options: [
    {
      name: "file",
      value: "PATH",
      summary: "take the definition from a file, or - for standard input, instead of an editor",
    },
  ],
  summary: "change a job that the daemon keeps itself, in your editor ($VISUAL, $EDITOR, vi)",
  details: "Hidden values show as [redacted]; left so, they stay as they are.",
  examples: ["pi-daemon jobs edit backup", "pi-daemon jobs edit backup --file job.json"],
  async run(call) {
    const { client } = await findDaemon(call);
    const file = call.args.value("file");
    if (file !== undefined)
      tellChange(call, await replace(call, client, parseDefinition(readFile(file), file)), "is changed");
    else await editByHand(call, client);
    return EXIT.ok;
  },
};

const removeCommand: Command = {
  name: "jobs remove",
  operands: ["NAME"],
  options: [],
  summary: "remove a job that the daemon keeps itself; a run that goes on runs to its end",
  async run(call) {
    const { client } = await findDaemon(call);
    const name = call.args.operands[0]!;
    const { status, text } = await client.call("DELETE", jobPath(call));
    if (status !== 204) throw new DaemonError(status, JSON.parse(text) as { error: string; code: string });
    call.terminal.out(call.args.isSet("json") ? JSON.stringify({ removed: name }) : `${name} is removed`);
    return EXIT.ok;
  },
};

/** The definition that the arguments stand for. Throws CommandError. */
export function readNewDefinition(args: Arguments): unknown {
  const file = args.value("file");
  if (file !== undefined) {
    if (args.operands.length > 0)
      throw usage("--file holds the whole definition, its name too", "write only --file PATH");
    return parseDefinition(readFile(file), file);
  }
  const [name, ...command] = args.operands;
  if (name === undefined) throw usage('"jobs add" needs NAME, or --file PATH', 'see "pi-daemon help jobs add"');
  const schedule = args.value("schedule");
  if (schedule !== undefined) checkSchedule(schedule);
  const timeout = args.value("timeout");
  return withoutGaps({
    name,
    schedule,
    timeZone: args.value("tz"),
    ...readWhat(args, command),
    env: readVariables(args.values("env")),
    timeoutMs: timeout === undefined ? undefined : readDuration(timeout),
    retries: args.isSet("retries")
      ? readWholeNumber("retries", args.value("retries"), { fallback: 0, least: 0, most: 100 })
      : undefined,
    overlap: args.value("overlap"),
    catchUp: args.value("catch-up"),
    tags: args.values("tag").length === 0 ? undefined : args.values("tag"),
  });
}

/** What the job runs: just one thing. */
function readWhat(args: Arguments, command: readonly string[]): Record<string, unknown> {
  const given = [
    ...(command.length > 0 ? ["COMMAND"] : []),
    ...["shell", "get", "agent"].filter((name) => args.isSet(name)).map((name) => `--${name}`),
  ];
  if (given.length !== 1) {
    const what = given.length === 0 ? "there is nothing to run" : `${given[0]} and ${given[1]} are both given`;
    throw usage(what, "give one of COMMAND, --shell LINE, --get URL, --agent PROMPT");
  }
  for (const name of args.isSet("agent") ? [] : ["model", "max-cost"])
    if (args.isSet(name)) throw usage(`--${name} goes with --agent`, `remove --${name}`);
  if (args.isSet("get") && args.isSet("cwd")) throw usage("--cwd means nothing to a request", "remove --cwd");
  const cwd = args.value("cwd");
  if (args.isSet("get")) return { http: { url: args.value("get") } };
  if (!args.isSet("agent")) return { ...(command.length > 0 ? { command } : { shell: args.value("shell") }), cwd };
  return {
    agent: withoutGaps({
      prompt: args.value("agent"),
      model: args.value("model"),
      cwd,
      maxCostUsd: readCost(args.value("max-cost")),
    }),
  };
}

function readCost(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const cost = text.trim() === "" ? NaN : Number(text);
  if (cost > 0 && Number.isFinite(cost)) return cost;
  throw usage(`--max-cost must be a number of dollars above 0, not ${quote(text)}`, "for example: --max-cost 0.50");
}

function readVariables(pairs: readonly string[]): Record<string, string> | undefined {
  if (pairs.length === 0) return undefined;
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at <= 0) throw usage("a variable is written NAME=VALUE", "for example: -e LANG=C");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function readDuration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw usage((error as Error).message, "for example: --timeout 5m");
  }
}

async function editByHand(call: CommandCall, client: Client): Promise<void> {
  const before = JSON.stringify(await readEditable(call, client), undefined, 2) + "\n";
  const folder = mkdtempSync(join(tmpdir(), "pi-daemon-"));
  const path = join(folder, "job.json");
  writeFileSync(path, before, { mode: 0o600 });
  let isKept = false;
  try {
    openEditor(call, path);
    const after = readFile(path);
    if (after === before) return call.terminal.out("nothing was changed");
    isKept = true;
    tellChange(call, await replace(call, client, parseDefinition(after, path)), "is changed");
    isKept = false;
  } finally {
    if (isKept) call.terminal.err(`what you wrote is kept; correct it with: jobs edit NAME --file ${path}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

/** The definition as it is shown; refused before anybody has edited in vain. */
async function readEditable(call: CommandCall, client: Client): Promise<object> {
  const { name, source, definition } = await client.json<JobShown & { definition: object | null }>(
    "GET",
    jobPath(call),
  );
  if (source !== "api") {
    const place = source === "config" ? "the config" : source;
    throw new CommandError(EXIT.failure, `the job "${name}" stands in ${place}`, "change it there, then: reload");
  }
  if (definition !== null) return definition;
  const hint = `write it anew: jobs edit ${name} --file PATH`;
  throw new CommandError(EXIT.failure, `the definition of "${name}" has a fault, so that it cannot be shown`, hint);
}

function openEditor({ env }: CommandCall, path: string): void {
  const editor = env["VISUAL"] || env["EDITOR"] || "vi";
  // An editor may come with options: "code --wait".
  const { status, error } = spawnSync("/bin/sh", ["-c", `${editor} "$1"`, "sh", path], { stdio: "inherit" });
  if (error !== undefined || status !== 0)
    throw new CommandError(EXIT.failure, `the editor ${quote(editor)} did not end well; nothing was changed`);
}

function replace(call: CommandCall, client: Client, definition: unknown): Promise<JobShown> {
  return client.json<JobShown>("PUT", jobPath(call), { body: definition });
}

function tellChange(call: CommandCall, job: JobShown, what: string): void {
  const schedule = job.scheduleText === null ? "" : ` (${job.scheduleText}, ${job.timeZone})`;
  const text = `${job.name} ${what}; next run: ${describeNext(job, call.clock.wallMs())}${schedule}`;
  call.terminal.out(call.args.isSet("json") ? JSON.stringify(job) : text);
}

function readFile(path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (error) {
    throw new CommandError(EXIT.failure, `Cannot read ${path}: ${(error as Error).message}`);
  }
}

function parseDefinition(text: string, path: string): unknown {
  const fault = findJsonFault(text, DEEPEST);
  if (fault === undefined) return JSON.parse(text);
  throw new CommandError(
    EXIT.failure,
    `${path} is not JSON: line ${fault.line}, column ${fault.column}: ${fault.message}`,
  );
}

function withoutGaps(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}

function usage(message: string, hint: string): CommandError {
  return new CommandError(EXIT.usage, message, hint);
}

export const changeCommands: readonly Command[] = [addCommand, editCommand, removeCommand];
