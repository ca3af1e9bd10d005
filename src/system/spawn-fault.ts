/**
 * What is wrong with a program that is to be started -> a sentence.
 *
 * Source: execve(2), "Limits on size of arguments and environment"; the figure is that of Linux with pages of 4 KiB.
 */
import { statSync } from "node:fs";
import { quote, shorten } from "../core/printable.ts";

export interface ProgramCall {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

const LONGEST_ARGUMENT_BYTES = 131_071;
const ADVICE = "Give long texts as input or in a file";
const SHOWN_CHARACTERS = 80;

/** What can be seen before it is tried; `undefined` when nothing. */
export function findSpawnFault({ argv, cwd, env }: ProgramCall): string | undefined {
  if (argv.length === 0 || argv[0] === "") return "no program is given";
  for (const [index, text] of argv.entries()) {
    const fault = findTextFault(text, Buffer.byteLength(text));
    if (fault !== undefined) return `${index === 0 ? "the program" : `argument ${index}`} ${fault}`;
  }
  for (const [name, value] of Object.entries(env)) {
    if (!/^[^=\0]+$/.test(name)) return `the environment variable ${show(name)} cannot have that name`;
    const fault = findTextFault(value, Buffer.byteLength(value) + Buffer.byteLength(name) + 1);
    if (fault !== undefined) return `the environment variable ${show(name)} ${fault}`;
  }
  return findDirectoryFault(cwd);
}

/** What the system says when it has been tried. */
export function explainSpawnError(error: unknown, { argv, cwd }: ProgramCall): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const program = show(argv[0]!);
  switch (code) {
    case "ENOENT":
      // The system says the same of a directory that has gone since it was looked at, and of a script's interpreter.
      return findDirectoryFault(cwd) ?? `the program ${program} ${whereMissing(argv[0]!)}`;
    case "EACCES":
      return `the program ${program} may not be run: permission denied (is it executable?)`;
    case "ENOEXEC":
      return `the program ${program} is neither a program nor a script with a first line that names one`;
    case "E2BIG":
      return `the arguments and the environment of ${program} are together longer than the system takes`;
    case "EAGAIN":
    case "ENOMEM":
    case "EMFILE":
    case "ENFILE":
      return `the program ${program} cannot be started now: the system has run out of something (${code})`;
    default:
      return `the program ${program} cannot be started: ${message}`;
  }
}

/** Whether the same call may go well later. */
export function isPassingSpawnError(error: unknown): boolean {
  return ["EAGAIN", "ENOMEM", "EMFILE", "ENFILE", "ETXTBSY"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function findTextFault(text: string, sizeBytes: number): string | undefined {
  const nul = text.indexOf("\0");
  if (nul !== -1) return `holds a NUL character (at ${nul}), which no program can be given`;
  if (sizeBytes <= LONGEST_ARGUMENT_BYTES) return undefined;
  return `is ${sizeBytes} bytes long; the system takes at most ${LONGEST_ARGUMENT_BYTES}. ${ADVICE}`;
}

function findDirectoryFault(cwd: string): string | undefined {
  if (cwd.includes("\0")) return "the working directory holds a NUL character";
  try {
    return statSync(cwd).isDirectory() ? undefined : `the working directory ${show(cwd)} is not a directory`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return `the working directory ${show(cwd)} does not exist`;
    if (code === "EACCES") return `the working directory ${show(cwd)} cannot be entered: permission denied`;
    return `the working directory ${show(cwd)} cannot be used: ${message}`;
  }
}

function whereMissing(program: string): string {
  return program.includes("/") ? "does not exist, or its interpreter does not" : "was not found in PATH";
}

function show(text: string): string {
  return quote(shorten(text, SHOWN_CHARACTERS));
}
