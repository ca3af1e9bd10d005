/** `jobs run`, `pause`, `resume`, `cancel` and `output`: what is done to a job and its runs. */
import type { JobShown, RunShown } from "../client.ts";
import { parseDuration } from "../core/duration.ts";
import { escapeUnprintable } from "../core/printable.ts";
import { type Command, type CommandCall, CommandError, EXIT, type Terminal } from "./command.ts";
import { jobPath } from "./job-path.ts";
import { describeDuration, describeNext, describeWhy } from "./job-texts.ts";
import { findDaemon } from "./place.ts";
import { createPainter, plural } from "./style.ts";

const LONGEST_WAIT = "1h";
/** The daemon ends the wait; this is for one that has gone silent. */
const SPARE_MS = 30_000;
const A_DAY_MS = 86_400_000;

const runCommand: Command = {
  name: "jobs run",
  operands: ["NAME"],
  options: [
    { name: "wait", short: "w", summary: "wait for its end and tell how it went (exit code 1: not ok)" },
    { name: "timeout", value: "DURATION", summary: `how long to wait at most (${LONGEST_WAIT})` },
    { name: "force", summary: "also beside runs of the job that are going on" },
  ],
  summary: "run a job now; its schedule stays as it is, and a paused job is run too",
  examples: ["pi-daemon jobs run backup", "pi-daemon jobs run backup --wait --timeout 5m && echo done"],
  async run(call) {
    const timeout = call.args.value("timeout") ?? LONGEST_WAIT;
    const waitMs = readDuration(timeout);
    const isWaiting = call.args.isSet("wait") || call.args.isSet("timeout");
    const query = new URLSearchParams({
      ...(isWaiting && { wait: timeout }),
      ...(call.args.isSet("force") && { force: "" }),
    });
    const { client } = await findDaemon(call);
    const { run } = await client.json<{ run: RunShown }>("POST", `${jobPath(call)}/run?${query.toString()}`, {
      timeoutMs: (isWaiting ? waitMs : 0) + SPARE_MS,
    });
    if (call.args.isSet("json")) call.terminal.out(JSON.stringify(run));
    else tellRun(call, run);
    return !isWaiting || run.state === "ok" ? EXIT.ok : EXIT.failure;
  },
};

function tellRun(call: CommandCall, run: RunShown): void {
  const { terminal } = call;
  if (run.endedMs === undefined)
    return terminal.out(
      `run ${run.id} of ${run.job} is ${run.state}; see: pi-daemon jobs output ${run.job} ${run.id} -f`,
    );
  const paint = createPainter(terminal.outHasColours);
  const output = (run.stdout?.text ?? "").trimEnd();
  const errors = (run.stderr?.text ?? "").trimEnd();
  if (output !== "") terminal.out(showForeign(terminal, output));
  if (errors !== "") terminal.err(showForeign(terminal, errors));
  const why = escapeUnprintable(describeWhy(run));
  const state = paint(run.state === "ok" ? "green" : "red", run.state);
  terminal.out(`run ${run.id} of ${run.job}: ${state} after ${describeDuration(run)}${why === "" ? "" : `: ${why}`}`);
}

const pauseCommand: Command = {
  name: "jobs pause",
  operands: ["NAME"],
  options: [{ name: "note", value: "TEXT", summary: "why, for whoever looks at it later" }],
  summary: "keep a job from running by its schedule; slots meanwhile are recorded as skipped",
  examples: ['pi-daemon jobs pause backup --note "disk is being replaced"'],
  async run(call) {
    const { client } = await findDaemon(call);
    const note = call.args.value("note");
    const job = await client.json<JobShown>("POST", `${jobPath(call)}/pause`, {
      body: note === undefined ? {} : { note },
    });
    call.terminal.out(
      call.args.isSet("json")
        ? JSON.stringify(job)
        : `${job.name} is paused; "pi-daemon jobs resume ${job.name}" ends that`,
    );
    return EXIT.ok;
  },
};

const resumeCommand: Command = {
  name: "jobs resume",
  operands: ["NAME"],
  options: [],
  summary: "let a paused job run by its schedule again",
  async run(call) {
    const { client } = await findDaemon(call);
    const job = await client.json<JobShown>("POST", `${jobPath(call)}/resume`);
    call.terminal.out(
      call.args.isSet("json")
        ? JSON.stringify(job)
        : `${job.name} is resumed; next run: ${describeNext(job, call.clock.wallMs())}`,
    );
    return EXIT.ok;
  },
};

const cancelCommand: Command = {
  name: "jobs cancel",
  operands: ["NAME"],
  options: [{ name: "run", value: "RUN", summary: "only this run, by its number" }],
  summary: "end the runs of a job that are going on or wait for their turn",
  async run(call) {
    const { client } = await findDaemon(call);
    const id = call.args.value("run");
    const { cancelled } = await client.json<{ cancelled: number }>(
      "POST",
      `${jobPath(call)}/cancel${id === undefined ? "" : `?run=${encodeURIComponent(id)}`}`,
    );
    call.terminal.out(
      call.args.isSet("json")
        ? JSON.stringify({ cancelled })
        : cancelled === 0
          ? "nothing was running"
          : `${plural(cancelled, "run")} told to end`,
    );
    return EXIT.ok;
  },
};

const outputCommand: Command = {
  name: "jobs output",
  operands: ["NAME", "[RUN]"],
  options: [
    { name: "follow", short: "f", summary: "go on while the run goes on" },
    { name: "stream", value: "STREAM", summary: "only stdout or stderr, as far as the history keeps it" },
    { name: "attempt", value: "N", summary: "that of an earlier attempt" },
  ],
  summary: "print what a run has printed; without RUN, the last one",
  examples: [
    "pi-daemon jobs output backup",
    "pi-daemon jobs output backup 42 --stream stderr",
    "pi-daemon jobs output backup -f",
  ],
  async run(call) {
    const { client } = await findDaemon(call);
    const query = new URLSearchParams();
    for (const name of ["stream", "attempt"]) if (call.args.isSet(name)) query.set(name, call.args.value(name)!);
    if (call.args.isSet("follow")) query.set("follow", "");
    const run = encodeURIComponent(call.args.operands[1] ?? "last");
    const path = `${jobPath(call)}/runs/${run}/output?${query.toString()}`;
    const show = createLineWriter((lines) => call.terminal.out(showForeign(call.terminal, lines)));
    await client.stream(path, show.write, { timeoutMs: A_DAY_MS, signal: call.signal });
    show.end();
    return EXIT.ok;
  },
};

/** What a program printed may hold what a terminal would act on; a file or a pipe gets it as it is. */
function showForeign({ columns }: Terminal, text: string): string {
  return columns === undefined ? text : text.replace(/[^\n\t]+/g, escapeUnprintable);
}

/** Pieces of text to whole lines: the terminal ends what it is given with a line feed. */
function createLineWriter(out: (text: string) => void): { write: (piece: Buffer) => void; end: () => void } {
  const decoder = new TextDecoder();
  let rest = "";
  return {
    write(piece) {
      rest += decoder.decode(piece, { stream: true });
      const end = rest.lastIndexOf("\n");
      if (end < 0) return;
      out(rest.slice(0, end));
      rest = rest.slice(end + 1);
    },
    end() {
      if (rest !== "") out(rest);
    },
  };
}

function readDuration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new CommandError(EXIT.usage, (error as Error).message);
  }
}

export const runCommands: readonly Command[] = [runCommand, pauseCommand, resumeCommand, cancelCommand, outputCommand];
