/**
 * A process group -> no process group: SIGTERM, some grace, SIGKILL, and the wait until the last process of it is gone.
 *
 * Errors: none are thrown. A group that outlives SIGKILL (a process that waits in the kernel, or that belongs to
 * another user) is given up after {@link KILL_LIMIT_MS}.
 */
import type { Clock } from "./clock.ts";
import { listProcesses, type ProcessEntry, readProcess } from "./process-table.ts";

const KILL_LIMIT_MS = 5_000;
const FIRST_POLL_MS = 2;
const LONGEST_POLL_MS = 100;

/** Resolves with whether all of the group is gone; it is signalled only while it lives. */
export async function endGroup(clock: Clock, group: number, graceMs: number): Promise<boolean> {
  signalGroup(group, "SIGTERM");
  // A stopped process would not see the signal before it goes on.
  signalGroup(group, "SIGCONT");
  if (await waitForGroupEnd(clock, group, graceMs)) return true;
  signalGroup(group, "SIGKILL");
  return waitForGroupEnd(clock, group, KILL_LIMIT_MS);
}

/** Resolves with whether the group has gone within `limitMs`. */
export async function waitForGroupEnd(clock: Clock, group: number, limitMs: number): Promise<boolean> {
  const isAlive = watchGroup(group);
  const untilMs = clock.monotonicMs() + limitMs;
  for (let stepMs = FIRST_POLL_MS; isAlive(); stepMs = Math.min(2 * stepMs, LONGEST_POLL_MS)) {
    const restMs = untilMs - clock.monotonicMs();
    if (restMs <= 0) return false;
    await new Promise<void>((resolve) => clock.after(Math.min(stepMs, restMs), resolve));
  }
  return true;
}

/**
 * Whether a process of the group lives. Where nobody collects the orphans of others, the dead of a group answer signals
 * for ever; so its members are looked at, and all processes only when no known member is left.
 */
function watchGroup(group: number): () => boolean {
  let known = [group];
  const lives = (entry: ProcessEntry | undefined): boolean => entry?.group === group && !entry.isZombie;
  return () => {
    if (!signalGroup(group, 0)) return false;
    if (process.platform !== "linux") return true;
    known = known.filter((pid) => lives(readProcess(pid)));
    if (known.length === 0)
      known = listProcesses()
        .filter(lives)
        .map(({ pid }) => pid);
    return known.length > 0;
  };
}

/** Whether there is such a group. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  // 0 and 1 would mean our own group and every process there is.
  if (!Number.isSafeInteger(group) || group <= 1) throw new RangeError(`${group} is not the id of a process group`);
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
