/** What a command of the command line is, what it is given, and what it may answer. */
import type { Writable } from "node:stream";
import type { Clock } from "../system/clock.ts";

/** Exit codes, the same for every command; `help` lists them. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notRunning: 3,
  alreadyRunning: 4,
  badConfig: 78,
} as const;

/** An option as it is written: `--name`, `-short`, and the name of its value when it takes one. */
export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** What the value is called in the help (`KEY=VALUE`); an option without one is a switch. */
  readonly value?: string;
  readonly isRepeatable?: true;
  readonly summary: string;
}

/** What stood on the command line after the command, checked against its options and operands. */
export interface Arguments {
  readonly operands: readonly string[];
  isSet(name: string): boolean;
  /** The last value of the option. */
  value(name: string): string | undefined;
  values(name: string): readonly string[];
}

/** Where text goes. Text comes without a closing line feed. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Whether a person looks at what `out` and `err` write, and wants it in colour. */
  readonly outHasColours: boolean;
  readonly errHasColours: boolean;
  /** Puts a line on the terminal in place of the one put there before; an empty one takes it away. */
  readonly showStatus?: (line: string) => void;
  /** Columns of the terminal that `out` writes to; `undefined` when it is a file or a pipe. */
  readonly columns: number | undefined;
}

/** What a daemon in the foreground needs of its process. */
export interface Host {
  /** Where the log goes that goes to no file. */
  readonly stderr: Writable & { readonly isTTY?: boolean };
  on(event: "SIGTERM" | "SIGINT" | "SIGHUP", run: () => void): void;
  on(event: "uncaughtExceptionMonitor", run: (error: Error) => void): void;
  /** Tells the process that started this one in the background, if one did, and lets go of it. */
  tellParent(message: unknown): void;
  /** Whether standard error was a terminal when the process began and is one no more. */
  hasLostTerminal(): boolean;
  /** Ends the process without waiting for anything. */
  exitNow(code: number): void;
}

/** The process as commands see it; tests make their own. */
export interface Surroundings {
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** Waits and, unlike a timer of the clock, keeps the process alive meanwhile. */
  readonly pause: (ms: number) => Promise<void>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when a command that would go on for ever is to end. */
  readonly signal: AbortSignal;
  readonly home: string;
  readonly uid: number | undefined;
  /** How this very program is started again: the Node executable, its options and the file. */
  readonly program: readonly string[];
  readonly host: Host;
}

export interface CommandCall extends Surroundings {
  readonly args: Arguments;
}

export interface Command {
  /** One word, or two where commands form a group: `config check`. */
  readonly name: string;
  /** Operands as the help shows them: `NAME`, `[PREFIX]`. In brackets: may be left out. */
  readonly operands: readonly string[];
  readonly options: readonly OptionSpec[];
  readonly summary: string;
  /** More for `help COMMAND`: paragraphs of text, already wrapped. */
  readonly details?: string;
  readonly examples?: readonly string[];
  /** The exit code. Throws {@link CommandError} for everything that ends it early. */
  readonly run: (call: CommandCall) => Promise<number>;
}

/** Ends a command with a sentence on stderr and an exit code; `hint` is the next step. */
export class CommandError extends Error {
  readonly code: number;
  readonly hint: string | undefined;

  constructor(code: number, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** Options that every command takes, before or after its name. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: "config", value: "PATH", summary: "the config file (else PI_DAEMON_CONFIG, else ~/.pi/daemon/config.json)" },
  { name: "url", value: "URL", summary: "a daemon by its address (else PI_DAEMON_URL, else your own, by its socket)" },
  { name: "token", value: "TOKEN", summary: "the token for that address (else PI_DAEMON_TOKEN); ps shows it to all" },
  { name: "token-file", value: "PATH", summary: "a file that holds the token" },
  { name: "json", summary: "print data as JSON" },
  { name: "no-color", summary: "no colours (as NO_COLOR)" },
  { name: "help", short: "h", summary: "show the help of the command" },
];
