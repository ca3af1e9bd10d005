/** A log that keeps its lines. */
import type { Log, LogFields, LogLevel } from "../../src/system/log.ts";

export interface LogLine {
  level: LogLevel;
  message: string;
  fields: LogFields;
}

export interface RecordingLog extends Log {
  readonly lines: LogLine[];
}

export function recordingLog(): RecordingLog {
  const lines: LogLine[] = [];
  const withFields = (own: LogFields): RecordingLog => {
    const at = (level: LogLevel) => (message: string, fields?: LogFields) =>
      void lines.push({ level, message, fields: { ...own, ...fields } });
    return {
      lines,
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (fields) => withFields({ ...own, ...fields }),
    };
  };
  return withFields({});
}
