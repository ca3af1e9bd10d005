/**
 * A process id -> when that process started, so that an id that was given to another process is told apart.
 *
 * Not: on Windows nothing is known.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * When the process started: clock ticks since boot on Linux, else the date that `ps` prints. `undefined` when there is
 * no such process, it has ended and only waits to be collected, or the system does not tell.
 */
export function processStartTime(pid: number): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return process.platform === "linux" ? startTimeFromProc(pid) : startTimeFromPs(pid);
}

/** An identifier of this run of the machine; empty where start times are dates and need none. */
export function readBootId(): string {
  return process.platform === "linux" ? (readText("/proc/sys/kernel/random/boot_id")?.trim() ?? "") : "";
}

function startTimeFromProc(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in brackets, which may hold spaces and brackets of its own.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state] = fields;
  return state === "Z" || state === "X" ? undefined : fields[19];
}

function startTimeFromPs(pid: number): string | undefined {
  const env = { ...process.env, LC_ALL: "C" };
  const answer = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", env });
  return (answer.status === 0 && answer.stdout.trim()) || undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
