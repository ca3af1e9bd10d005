/** Medians, the CPU time of another process, and tables. */
import { readdirSync, readFileSync } from "node:fs";

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

/**
 * Nanoseconds of CPU that all threads of a process have used, as Linux counts them: what else the machine does is not
 * in it.
 */
export function cpuNs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.reduce(
    (sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]),
    0,
  );
}

/** Resident bytes of a process. */
export function residentBytes(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
  return Number(kilobytes) * 1024;
}

/** Numbers with three significant digits; text as it is. */
export function printTable(title: string, rows: readonly Readonly<Record<string, string | number>>[]): void {
  const cell = (value: string | number): string =>
    typeof value === "string"
      ? value
      : Math.abs(value) >= 1000
        ? Math.round(value).toLocaleString("en")
        : Number(value.toPrecision(3)).toString();
  const heads = Object.keys(rows[0]!);
  const lines = [heads, ...rows.map((row) => heads.map((head) => cell(row[head]!)))];
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  console.log(`\n${title}`);
  for (const line of lines)
    console.log(
      "  " +
        line
          .map((text, column) => (column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)))
          .join("  "),
    );
}
