/**
 * The runs that a daemon left behind when it died -> the processes of theirs that still live, ended.
 *
 * A process is a run's when its environment bears the run's id, or when its id and its start are those that were noted
 * (without `/proc` only then). Its group goes with it, unless the leader of the group lives and is not the run's.
 * Errors: none are thrown. A process that cannot be told with certainty to belong to a run is let live.
 */
import type { Clock } from "./clock.ts";
import { endProcess } from "./end-process.ts";
import { holdWhile } from "./hold.ts";
import { endGroup } from "./process-group.ts";
import { listProcesses, type ProcessEntry, readRunId, readStartMark, startTimeOf } from "./process-table.ts";

/** What was noted of a run when it began. */
export interface RunMark {
  readonly runId: string;
  readonly pid?: number | undefined;
  /** As {@link import("./spawn.ts").SpawnedProcess} gave it. */
  readonly startTime?: string | undefined;
}

export interface Orphan {
  readonly runId: string;
  readonly pid: number;
  readonly startTime: string;
  readonly processGroup: number;
}

export interface EndedOrphans {
  readonly ended: readonly Orphan[];
  /** Those that live on though SIGKILL was sent. */
  readonly left: readonly Orphan[];
}

/** Finds the processes of `runs` and ends them: SIGTERM to their groups, SIGKILL after `graceMs`. */
export type EndOrphans = (runs: readonly RunMark[], graceMs: number) => Promise<EndedOrphans>;

/** A shorter id is no random one: `""` above all, which every process without a mark would seem to bear. */
const SHORTEST_RUN_ID = 8;

/** The living processes of `runs`; never this process or one that it descends from. Sends no signal. */
export function findOrphans(runs: readonly RunMark[]): readonly Orphan[] {
  const named = runs.filter(({ runId }) => runId.length >= SHORTEST_RUN_ID);
  const byRunId = new Map(named.map((run) => [run.runId, run]));
  const noted = named.filter(({ pid, startTime }) => pid !== undefined && startTime !== undefined);
  const byStart = new Map(noted.map((run) => [`${run.pid} ${run.startTime}`, run]));
  const table = process.platform === "linux" ? listProcesses() : assumeLeaders(named);
  const ownLine = findOwnLine(table);
  return table.flatMap(({ pid, group, isZombie }) => {
    const startTime = isZombie || ownLine.has(pid) ? undefined : readStartMark(pid);
    if (startTime === undefined) return [];
    const runId = readRunId(pid);
    const run = byStart.get(`${pid} ${startTime}`) ?? (runId === undefined ? undefined : byRunId.get(runId));
    return run ? [{ runId: run.runId, pid, startTime, processGroup: group }] : [];
  });
}

export function createEndOrphans({ clock }: { readonly clock: Clock }): EndOrphans {
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  return async (runs, graceMs) => {
    const orphans = findOrphans(runs);
    const { groups, singles } = chooseTargets(orphans);
    const endings = [
      ...groups.map((group) => endGroup(clock, group, graceMs)),
      ...singles.map(({ pid, startTime }) => {
        // What may not be signalled is found among those that are left.
        return endProcess({ pid, startTime: startTimeOf(startTime) }, { graceMs, pause }).catch(() => "survived");
      }),
    ];
    await holdWhile(Promise.all(endings));
    const isLeft = (orphan: Orphan): boolean => readStartMark(orphan.pid) === orphan.startTime;
    return { ended: orphans.filter((orphan) => !isLeft(orphan)), left: orphans.filter(isLeft) };
  };
}

/** The groups that are wholly the runs', and the processes that stand in others. */
function chooseTargets(orphans: readonly Orphan[]): { groups: readonly number[]; singles: readonly Orphan[] } {
  const pids = new Set(orphans.map(({ pid }) => pid));
  const table = listProcesses();
  const ownLine = findOwnLine(table);
  const ownGroups = new Set(table.filter(({ pid }) => ownLine.has(pid)).map(({ group }) => group));
  const isWhole = ({ processGroup }: Orphan): boolean => {
    return !ownGroups.has(processGroup) && (pids.has(processGroup) || readStartMark(processGroup) === undefined);
  };
  const groups = new Set(orphans.filter(isWhole).map(({ processGroup }) => processGroup));
  return { groups: [...groups], singles: orphans.filter((orphan) => !isWhole(orphan)) };
}

/** Where processes cannot be listed: those that were started, each of which leads a group. */
function assumeLeaders(runs: readonly RunMark[]): ProcessEntry[] {
  return runs.flatMap(({ pid }) => (pid === undefined ? [] : [{ pid, parent: 0, group: pid, isZombie: false }]));
}

/** This process and those that it descends from. */
function findOwnLine(table: readonly ProcessEntry[]): ReadonlySet<number> {
  const parents = new Map(table.map((entry) => [entry.pid, entry.parent]));
  const line = new Set<number>();
  for (let at: number | undefined = process.pid; at && !line.has(at); at = parents.get(at)) line.add(at);
  return line;
}
