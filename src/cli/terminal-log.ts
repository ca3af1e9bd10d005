/** Warnings of what works outside of a daemon -> the terminal. */
import { createLog, type Log } from "../system/log.ts";
import type { CommandCall } from "./command.ts";

export function terminalLog({ terminal, clock }: Pick<CommandCall, "terminal" | "clock">): Log {
  const write = (line: string): boolean => {
    terminal.err(line.trimEnd());
    return true;
  };
  return createLog({ level: "warn", format: "text", clock, sink: { write, onFlow: () => {}, close: async () => {} } });
}
