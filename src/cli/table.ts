/**
 * Turns rows of text into a table with aligned columns, for a terminal.
 *
 * Cells are made safe to print. Columns are two spaces apart; numbers stand to the right; no line ends in spaces.
 */
import { escapeUnprintable } from "../core/printable.ts";

export interface Column {
  readonly title: string;
  readonly isNumber?: true;
}

const GAP = "  ";
const WIDE = /[\p{Emoji_Presentation}\p{sc=Han}\p{sc=Hangul}\p{sc=Hiragana}\p{sc=Katakana}\u3000-\u303f\uff01-\uff60]/u;
const NO_WIDTH = /[\p{Mark}\u200b-\u200d\ufe0f]/u;

/** The lines of the table, the titles first. Each row has a cell for each column. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => row.map(escapeUnprintable))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => displayWidth(line[index]!))));
  return lines.map((line) =>
    line
      .map((cell, index) => pad(cell, widths[index]!, columns[index]!))
      .join(GAP)
      .trimEnd(),
  );
}

/** Lines "name   value", the values below each other. Values are made safe to print. */
export function renderFacts(facts: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...facts.map(([name]) => displayWidth(name)));
  return facts.map(([name, value]) => `${name.padEnd(width)}${GAP}${escapeUnprintable(value)}`.trimEnd());
}

/** The columns a text takes on a terminal: two for a wide character, none for a combining one. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const char of text) width += NO_WIDTH.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return width;
}

function pad(cell: string, width: number, column: Column): string {
  const space = " ".repeat(width - displayWidth(cell));
  return column.isNumber ? space + cell : cell + space;
}
