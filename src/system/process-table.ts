/**
 * `/proc` -> the processes of this machine, who belongs to which group, and which of them bear the mark of a run.
 *
 * Source: proc(5).
 * Cost: about 10 us a process.
 * Not: without `/proc` the table is empty, and nothing is known of marks.
 */
import { readdirSync, readFileSync } from "node:fs";
import { processStartTime, readBootId } from "./process-identity.ts";

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** It has ended, and only waits to be collected. */
  readonly isZombie: boolean;
}

/** Stands in the environment of each process of a run. */
export const RUN_ID_VARIABLE = "PI_DAEMON_RUN_ID";

export function listProcesses(): ProcessEntry[] {
  const pids = list("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);
  return pids.map(readProcess).filter((entry) => entry !== undefined);
}

/** The run that the process says it belongs to; `undefined` when it says none, or is not ours to look at. */
export function readRunId(pid: number): string | undefined {
  const environment = "\0" + (read(`/proc/${pid}/environ`) ?? "");
  const before = `\0${RUN_ID_VARIABLE}=`;
  const at = environment.indexOf(before);
  if (at === -1) return undefined;
  const start = at + before.length;
  const end = environment.indexOf("\0", start);
  return environment.slice(start, end === -1 ? undefined : end);
}

let bootId: string | undefined;

/** When the process started, on which run of the machine: the same text never stands for two processes with one id. */
export function readStartMark(pid: number): string | undefined {
  const startTime = processStartTime(pid);
  return startTime === undefined ? undefined : `${startTime}@${(bootId ??= readBootId())}`;
}

/** The start alone, as {@link processStartTime} tells it. */
export function startTimeOf(startMark: string): string {
  return startMark.slice(0, startMark.lastIndexOf("@"));
}

/** `undefined` when there is no such process. */
export function readProcess(pid: number): ProcessEntry | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in brackets, which may hold spaces and brackets of its own.
  const [state, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 3);
  return { pid, parent: Number(parent), group: Number(group), isZombie: state === "Z" || state === "X" };
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
