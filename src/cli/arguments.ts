/**
 * Turns the words of a command line into a command and its checked arguments, or a sentence on the word that is wrong.
 *
 * Order: common options may stand anywhere, a command's own options after its name; `--` ends the options.
 * Errors: CommandError with the usage exit code, with the near word where there is one.
 */
import { parseArgs } from "node:util";
import { nearest } from "../core/nearest.ts";
import { quote } from "../core/printable.ts";
import { type Arguments, COMMON_OPTIONS, type Command, CommandError, EXIT, type OptionSpec } from "./command.ts";

/** A command with what is left of the words; without a command only the words that are none. */
export interface Selection {
  readonly command: Command | undefined;
  /** The first word of a group of commands that was given alone: `config`. */
  readonly group: string | undefined;
  readonly rest: readonly string[];
}

const NUMBER = /^-\.?\d/;

/** Finds the command among the words. Throws CommandError for a word that is none. */
export function selectCommand(commands: readonly Command[], words: readonly string[]): Selection {
  const first = takeOperand(words);
  if (first === undefined) return { command: undefined, group: undefined, rest: words };
  const single = commands.find(({ name }) => name === first.word);
  if (single) return { command: single, group: undefined, rest: first.rest };
  const group = commands.filter(({ name }) => name.startsWith(first.word + " "));
  if (group.length === 0) throw unknownCommand(first.word, commands);
  const second = takeOperand(first.rest);
  if (second === undefined) return { command: undefined, group: first.word, rest: first.rest };
  const command = group.find(({ name }) => name === `${first.word} ${second.word}`);
  if (command) return { command, group: undefined, rest: second.rest };
  throw unknownCommand(`${first.word} ${second.word}`, group);
}

/** Checks the words after a command. Throws CommandError. */
export function readArguments(command: Command, words: readonly string[]): Arguments {
  const specs = [...command.options, ...COMMON_OPTIONS];
  const operands: string[] = [];
  const found = new Map<string, string[]>();
  for (const token of tokenize(words, specs)) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const spec = specs.find(({ name }) => name === token.name);
    if (!spec) throw unknownOption(token.rawName, specs, `see "pi-daemon help ${command.name}"`);
    const values = found.get(spec.name) ?? [];
    found.set(spec.name, [...values, readValue(spec, token)]);
  }
  const args: Arguments = {
    operands,
    isSet: (name) => found.has(name),
    value: (name) => found.get(name)?.at(-1),
    values: (name) => found.get(name) ?? [],
  };
  if (!args.isSet("help")) checkOperands(command, operands);
  return args;
}

type Token = ReturnType<typeof tokenize>[number];

function tokenize(words: readonly string[], specs: readonly OptionSpec[]) {
  const options = Object.fromEntries(
    specs.map(({ name, short, value }) => {
      const type = value === undefined ? ("boolean" as const) : ("string" as const);
      return [name, short === undefined ? { type } : { type, short }];
    }),
  );
  return parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

/** The first word that is no option, and the words without it. */
function takeOperand(words: readonly string[]): { word: string; rest: string[] } | undefined {
  for (const token of tokenize(words, COMMON_OPTIONS)) {
    if (token.kind === "positional") return { word: token.value, rest: words.toSpliced(token.index, 1) };
    if (token.kind === "option" && !COMMON_OPTIONS.some(({ name }) => name === token.name)) {
      const hint = "options of a command stand after it: pi-daemon COMMAND " + token.rawName;
      throw unknownOption(token.rawName, COMMON_OPTIONS, hint);
    }
  }
  return undefined;
}

function readValue(spec: OptionSpec, token: Extract<Token, { kind: "option" }>): string {
  if (spec.value === undefined) {
    if (token.value === undefined) return "";
    throw usage(`option ${token.rawName} takes no value`, `write only ${token.rawName}`);
  }
  const { value } = token;
  if (value === undefined) throw usage(`option ${token.rawName} needs a value`, `write ${token.rawName} ${spec.value}`);
  if (!token.inlineValue && value.startsWith("-") && value !== "-" && !NUMBER.test(value)) {
    const hint = `write ${token.rawName} ${spec.value}, or --${spec.name}=${value} if that is meant`;
    throw usage(`option ${token.rawName} needs a value, but the next word is the option ${quote(value)}`, hint);
  }
  return value;
}

function checkOperands(command: Command, operands: readonly string[]): void {
  const hint = `see "pi-daemon help ${command.name}"`;
  const needed = command.operands.filter((operand) => !operand.startsWith("["));
  if (operands.length < needed.length) {
    throw usage(`"${command.name}" needs ${needed.slice(operands.length).join(" and ")}`, hint);
  }
  const isOpenEnded = command.operands.at(-1)?.includes("...") ?? false;
  if (isOpenEnded || operands.length <= command.operands.length) return;
  const extra = quote(operands[command.operands.length]!);
  const takes = command.operands.length === 0 ? "no operand" : `only ${command.operands.join(" ")}`;
  throw usage(`"${command.name}" takes ${takes}, but there is also ${extra}`, hint);
}

/** The refusal of a command that does not exist, with the near one. */
export function unknownCommand(word: string, commands: readonly Command[]): CommandError {
  const names = new Set(["help", ...commands.flatMap(({ name }) => [name, name.split(" ")[0]!])]);
  const near = nearest(word, names);
  const hint = near === undefined ? 'see "pi-daemon help" for the commands' : `did you mean "pi-daemon ${near}"?`;
  return usage(`there is no command ${quote(word)}`, hint);
}

function unknownOption(rawName: string, specs: readonly OptionSpec[], otherwise: string): CommandError {
  const near = nearest(
    rawName.replace(/^--?/, ""),
    specs.map(({ name }) => name),
  );
  return usage(`there is no option ${quote(rawName)}`, near === undefined ? otherwise : `did you mean --${near}?`);
}

function usage(message: string, hint: string): CommandError {
  return new CommandError(EXIT.usage, message, hint);
}
