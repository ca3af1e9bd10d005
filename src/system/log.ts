/**
 * Turns what the daemon has to say into lines for a sink: with levels and fields, without secrets or forged lines.
 *
 * Errors: never throws. Lines that the sink cannot take are counted; the count is logged as soon as lines flow again.
 */
import type { Clock } from "./clock.ts";
import { type LogFormat, renderLine } from "./log-line.ts";

/** Levels of the log, from the most to the least talkative. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a log line carries besides its message: plain values only. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log that adds `fields` to every line. */
  child(fields: LogFields): Log;
}

/** The log that all others are children of. */
export interface RootLog extends Log {
  /** Lines below this level are left out from now on, of all children too. */
  setLevel(level: LogLevel): void;
  /** How many lines were lost so far. */
  droppedLines(): number;
  /** Waits, within the sink's own bound, until every line has gone out. */
  close(): Promise<void>;
}

/** Where lines go. Bounded, and never throws. */
export interface LogSink {
  /** Takes one line with its newline; false when it is lost. */
  write(line: string): boolean;
  /** `resume` is called when lines are taken again after some were lost. */
  onFlow(resume: () => void): void;
  close(): Promise<void>;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly sink: LogSink;
  readonly clock: Clock;
  /** The exact texts that must never be shown; asked for each line, so that a reload takes effect. */
  readonly secrets?: () => readonly string[];
}

export function createLog(options: LogOptions): RootLog {
  const { format, sink, clock, secrets = () => [] } = options;
  let rank = LOG_LEVELS.indexOf(options.level);
  let unreported = 0;
  let dropped = 0;

  function write(level: LogLevel, message: string, fields: LogFields): boolean {
    return sink.write(renderLine({ timeMs: clock.wallMs(), level, message, fields }, format, secrets()));
  }
  function reportDropped(): void {
    const count = unreported;
    if (count === 0) return;
    if (write("warn", "log lines were lost because they could not be written", { count })) unreported -= count;
  }
  function emit(level: LogLevel, message: string, fields: LogFields): void {
    if (LOG_LEVELS.indexOf(level) < rank) return;
    reportDropped();
    if (write(level, message, fields)) return;
    unreported++;
    dropped++;
  }
  function createChild(inherited: LogFields): Log {
    const emitAt = (level: LogLevel) => (message: string, fields?: LogFields) =>
      emit(level, message, { ...inherited, ...fields });
    return {
      debug: emitAt("debug"),
      info: emitAt("info"),
      warn: emitAt("warn"),
      error: emitAt("error"),
      child: (fields) => createChild({ ...inherited, ...fields }),
    };
  }

  sink.onFlow(reportDropped);
  return {
    ...createChild({}),
    setLevel: (level) => void (rank = LOG_LEVELS.indexOf(level)),
    droppedLines: () => dropped,
    close: () => sink.close(),
  };
}
