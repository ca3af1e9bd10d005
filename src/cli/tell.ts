/** Prints what a command has to say: data as one line of JSON where that is asked for, else text. */
import type { CommandCall } from "./command.ts";

export function tell({ args, terminal }: CommandCall, data: unknown, text: string): void {
  terminal.out(args.isSet("json") ? JSON.stringify(data) : text);
}
