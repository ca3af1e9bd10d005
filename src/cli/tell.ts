/** Prints what a command has to say: data as one line of JSON, text, or a table. */
import type { CommandCall } from "./command.ts";
import { createPainter } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

/** One line of JSON where that is asked for, else the text. */
export function tell({ args, terminal }: CommandCall, data: unknown, text: string): void {
  terminal.out(args.isSet("json") ? JSON.stringify(data) : text);
}

/** Prints a table, its titles in bold. */
export function tellTable(
  { terminal }: CommandCall,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): void {
  const [titles, ...lines] = renderTable(columns, rows);
  terminal.out([createPainter(terminal.outHasColours)("bold", titles!), ...lines].join("\n"));
}
