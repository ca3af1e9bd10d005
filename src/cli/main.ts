/**
 * Turns the words of a command line into a run of their command, and what goes wrong into a sentence and an exit code.
 */
import { UnreachableError, DaemonError } from "../client.ts";
import { escapeUnprintable } from "../core/printable.ts";
import { readArguments, selectCommand, unknownCommand } from "./arguments.ts";
import {
  COMMON_OPTIONS,
  type Command,
  type CommandCall,
  CommandError,
  EXIT,
  type Surroundings,
  type Terminal,
} from "./command.ts";
import { commands } from "./commands.ts";
import { describeCommand, describeGroup, describeProgram } from "./help.ts";
import { describeIssues } from "./issues.ts";
import { createPainter } from "./style.ts";

export { systemClock } from "../system/clock.ts";

/** Runs one command line; answers the exit code. Never throws. */
export async function runCommandLine(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const isPlain = words.includes("--no-color");
  const terminal = { ...surroundings.terminal, ...(isPlain ? { outHasColours: false, errHasColours: false } : {}) };
  try {
    return await dispatch(words, { ...surroundings, terminal });
  } catch (error) {
    const { code, lines } = explain(error);
    const paint = createPainter(terminal.errHasColours);
    lines.forEach((line, index) => terminal.err(index === 0 ? `${paint("red", "pi-daemon:")} ${line}` : `  ${line}`));
    return code;
  }
}

async function dispatch(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const { terminal } = surroundings;
  const [first, ...others] = words;
  if (first === "--version" || first === "-v") return dispatch(["version", ...others], surroundings);
  if (first === "help") return showHelp(others, terminal);
  const { command, group, rest } = selectCommand(commands, words);
  if (command === undefined) return showOverview(group, rest, terminal);
  const args = readArguments(command, rest);
  if (args.isSet("help")) {
    terminal.out(describeCommand(command));
    return EXIT.ok;
  }
  const call: CommandCall = { ...surroundings, args };
  return command.run(call);
}

/** `pi-daemon` or `pi-daemon config` without a command: what was asked for with --help is no mistake. */
function showOverview(group: string | undefined, rest: readonly string[], terminal: Terminal): number {
  const text = group === undefined ? describeProgram(commands) : describeGroup(group, commands);
  const isAskedFor = rest.includes("--help") || rest.includes("-h");
  if (isAskedFor) terminal.out(text);
  else terminal.err(text);
  return isAskedFor ? EXIT.ok : EXIT.usage;
}

function showHelp(words: readonly string[], terminal: Terminal): number {
  const options = COMMON_OPTIONS.flatMap(({ name, short }) => [`--${name}`, `-${short}`]);
  terminal.out(describeTopic(words.filter((word) => !options.includes(word)).join(" ")));
  return EXIT.ok;
}

function describeTopic(topic: string): string {
  if (topic === "" || topic === "help") return describeProgram(commands);
  const command: Command | undefined = commands.find(({ name }) => name === topic);
  if (command) return describeCommand(command);
  if (commands.some(({ name }) => name.startsWith(topic + " "))) return describeGroup(topic, commands);
  throw unknownCommand(topic, commands);
}

function explain(error: unknown): { code: number; lines: readonly string[] } {
  if (error instanceof CommandError) {
    return { code: error.code, lines: [error.message, ...(error.hint === undefined ? [] : [error.hint])] };
  }
  if (error instanceof UnreachableError) return { code: EXIT.notRunning, lines: [error.message, adviceFor(error)] };
  if (error instanceof DaemonError) return { code: EXIT.failure, lines: explainRefusal(error) };
  if (error instanceof Error && "syscall" in error) return { code: EXIT.failure, lines: [error.message] };
  const trace = error instanceof Error ? String(error.stack) : String(error);
  return { code: EXIT.failure, lines: [trace, "this is a fault of pi-daemon itself; please report it"] };
}

function adviceFor({ code }: UnreachableError): string {
  if (code === "EACCES") return "the daemon belongs to another user; ask for its token and use --url and --token-file";
  if (code === "TIMEOUT") return 'it may be busy or stuck; see "pi-daemon doctor" and "pi-daemon logs"';
  return 'is it running? see "pi-daemon status", and start it with "pi-daemon start"';
}

/** The daemon's text may hold what others sent, so it is made safe to print. */
function explainRefusal(error: DaemonError): string[] {
  const lines = [escapeUnprintable(error.message)];
  if (Array.isArray(error.details)) lines.push(...describeIssues(error.details).filter((line) => line !== lines[0]));
  if (error.code.startsWith("AUTH_")) {
    lines.push('pass it with --token-file or PI_DAEMON_TOKEN; its owner prints it with "pi-daemon token"');
  }
  return lines;
}
