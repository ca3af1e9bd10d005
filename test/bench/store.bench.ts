/**
 * What durable state costs: a commit in either mode, a snapshot, a recovery. On the disk that holds the temporary
 * directory.
 */
import { closeSync, fdatasync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { promisify } from "node:util";

import { systemClock } from "../../src/system/clock.ts";
import type { Log } from "../../src/system/log.ts";
import { openStore } from "../../src/system/store.ts";
import type { StorageSettings, Store, StoreDefinition } from "../../src/system/store.ts";

interface Count {
  commits: number;
}

const RECORD = Buffer.alloc(120, "r");
const PIECES = 100_000;
const REPLAYED = 1_000_000;
const SYNC_ROUNDS = 9;
const MANY_BYTES = 1 << 30;

const quiet: Log = { debug() {}, info() {}, warn() {}, error: console.error, child: () => quiet };

const counter: StoreDefinition<Count, Buffer> = {
  version: 1,
  initial: () => ({ commits: 0 }),
  apply: (state) => void state.commits++,
  encode: (event) => [event],
  decode: (bytes) => bytes,
  snapshot: () => Array.from({ length: PIECES }, (_, index) => Buffer.from(String(index).padEnd(100))),
  restore: (pieces) => ({ commits: [...pieces].length }),
};

function open(
  directory: string,
  durability: StorageSettings["durability"],
  definition = counter,
): Promise<Store<Count, Buffer>> {
  const settings = { durability, maxJournalBytes: MANY_BYTES };
  const home = { directory, name: "bench", settings: () => settings, onCorruption() {}, onHealth: console.error };
  return openStore({ clock: systemClock, log: quiet }, home, definition);
}

interface Cost {
  readonly ms: number;
  readonly cpuMs: number;
  /** The longest time for which nothing else could run. */
  readonly stallMs: number;
}

async function measure(run: () => Promise<void>): Promise<Cost> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  await run();
  const ms = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  delay.disable();
  return { ms, cpuMs: (user + system) / 1000, stallMs: delay.max / 1e6 };
}

/** Turns of the event loop with so many commits in each. */
async function commitInTurns(store: Store<Count, Buffer>, turns: number, commitsEach: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    const last = Array.from({ length: commitsEach }, () => store.commit(RECORD)).at(-1);
    await new Promise((resolve) => setImmediate(resolve));
    await last;
  }
}

/** So many loops at once, each of which commits again as soon as it may. */
async function commitAtOnce(committers: number, commitsEach: number, commit: () => Promise<void>): Promise<void> {
  const loop = async (): Promise<void> => {
    for (let count = 0; count < commitsEach; count++) await commit();
  };
  await Promise.all(Array.from({ length: committers }, loop));
}

async function benchAsync(directory: string): Promise<string[]> {
  const store = await open(directory, "async");
  await commitInTurns(store, 2000, 64);
  const lines: string[] = [];
  for (const [turns, commitsEach] of [
    [5000, 64],
    [50_000, 1],
  ] as const) {
    const empty = await measure(() => commitInTurns(withoutDisk, turns, commitsEach));
    const { cpuMs } = await measure(() => commitInTurns(store, turns, commitsEach));
    const eachUs = ((cpuMs - empty.cpuMs) * 1000) / (turns * commitsEach);
    lines.push(`async, ${commitsEach} a turn: ${eachUs.toFixed(2)} us of CPU a commit, write and checksum included`);
  }
  await store.close();
  return lines;
}

/** The loop alone, to be taken off. */
const withoutDisk = {
  state: { commits: 0 },
  commit: () => Promise.resolve(),
  compact: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

async function benchSync(directory: string): Promise<string[]> {
  const store = await open(directory, "sync");
  const flush = promisify(fdatasync);
  const file = openSync(join(directory, "one-by-one"), "w");
  const commitAlone = (): Promise<void> => {
    writeSync(file, RECORD);
    return flush(file);
  };
  const [ours, theirs]: [number[], number[]] = [[], []];
  // By turns, because the disk is shared with whatever else runs.
  for (let round = 0; round < SYNC_ROUNDS; round++) {
    ours.push(await commitRate(200, () => store.commit(RECORD)));
    theirs.push(await commitRate(20, commitAlone));
  }
  closeSync(file);
  await store.close();
  const ratio = median(ours) / median(theirs);
  return [
    `sync, 64 at once: ${median(ours).toFixed(0)} commits/s; one fdatasync each: ${median(theirs).toFixed(0)}/s; ` +
      `${ratio.toFixed(1)} times as many`,
  ];
}

/** Commits a second, of 64 loops with so many each. */
async function commitRate(commitsEach: number, commit: () => Promise<void>): Promise<number> {
  const { ms } = await measure(() => commitAtOnce(64, commitsEach, commit));
  return (64 * commitsEach * 1000) / ms;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

async function benchSnapshot(directory: string): Promise<string[]> {
  // Made beforehand: the state's own cost is not the store's.
  const pieces = counter.snapshot({ commits: 0 });
  const store = await open(directory, "async", { ...counter, snapshot: () => pieces });
  const { ms, stallMs } = await measure(() => store.compact());
  await store.close();
  return [`snapshot of ${PIECES} pieces: ${ms.toFixed(0)} ms, longest stall ${stallMs.toFixed(1)} ms`];
}

async function benchRecovery(directory: string): Promise<string[]> {
  const writer = await open(directory, "async");
  await commitInTurns(writer, REPLAYED / 1000, 1000);
  await writer.close();
  let store = writer;
  const { ms, stallMs } = await measure(async () => {
    store = await open(directory, "async");
  });
  if (store.state.commits !== REPLAYED) throw new Error(`recovered ${store.state.commits} records of ${REPLAYED}`);
  await store.close();
  return [`recovery of ${REPLAYED} records: ${ms.toFixed(0)} ms, longest stall ${stallMs.toFixed(1)} ms`];
}

export async function bench(): Promise<void> {
  for (const part of [benchAsync, benchSync, benchSnapshot, benchRecovery]) {
    const directory = mkdtempSync(join(tmpdir(), "pi-daemon-bench-"));
    try {
      for (const line of await part(directory)) console.log(`store: ${line}`);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
}
