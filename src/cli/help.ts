/** Turns the table of commands into the texts of `help`. */
import { COMMON_OPTIONS, type Command, type OptionSpec } from "./command.ts";

const INTRODUCTION = `pi-daemon: metrics, scheduled jobs and knowledge for pi agents, in one local process.

Usage: pi-daemon COMMAND [OPTIONS]`;

const EXIT_CODES = `Exit codes:
  0   done; for "status": it is running; "start" and "stop" also when there was nothing to do
  1   it failed, or the daemon refused
  2   the command line is wrong
  3   the daemon is not running, or does not answer
  4   "start --foreground": another daemon has this data directory
  78  the config is bad`;

/** The help for the whole program. */
export function describeProgram(commands: readonly Command[]): string {
  const entries = commands.map((command) => [synopsis(command), command.summary] as const);
  return [
    INTRODUCTION,
    "Commands:\n" + twoColumns([...entries, ["help [COMMAND]", "show this, or more on one command"]]),
    "Options of every command:\n" + describeOptions(COMMON_OPTIONS),
    EXIT_CODES,
  ].join("\n\n");
}

/** The help for a word that begins several commands. */
export function describeGroup(word: string, commands: readonly Command[]): string {
  const members = commands.filter(({ name }) => name.startsWith(word + " "));
  const entries = members.map((command) => [synopsis(command), command.summary] as const);
  return `Usage: pi-daemon ${word} COMMAND [OPTIONS]\n\nCommands:\n${twoColumns(entries)}`;
}

export function describeCommand(command: Command): string {
  const usage = `Usage: pi-daemon ${synopsis(command)}${command.options.length > 0 ? " [OPTIONS]" : ""}`;
  const parts = [usage, sentence(command.summary)];
  if (command.details !== undefined) parts.push(command.details);
  if (command.options.length > 0) parts.push("Options:\n" + describeOptions(command.options));
  parts.push("Options of every command:\n" + describeOptions(COMMON_OPTIONS));
  if (command.examples) parts.push("Examples:\n" + command.examples.map((example) => "  " + example).join("\n"));
  return parts.join("\n\n");
}

function synopsis(command: Command): string {
  return [command.name, ...command.operands].join(" ");
}

function describeOptions(options: readonly OptionSpec[]): string {
  return twoColumns(
    options.map(({ name, short, value, summary }) => [
      (short === undefined ? "    " : `-${short}, `) + `--${name}` + (value === undefined ? "" : ` ${value}`),
      summary,
    ]),
  );
}

function twoColumns(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(...entries.map(([left]) => left.length));
  return entries.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1) + ".";
}
