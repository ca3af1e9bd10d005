/**
 * The plainest state that a store can hold: the numbers that were committed, in order. And a store of it on a fake
 * disk.
 */
import type { Log } from "../../src/system/log.ts";
import type { StorageSettings, Store, StoreDefinition } from "../../src/system/store.ts";
import { openStore } from "../../src/system/store.ts";
import type { Disk } from "../../src/system/disk.ts";
import type { FakeClock } from "./fake-clock.ts";
import { fakeClock } from "./fake-clock.ts";
import { recordingLog } from "./recording-log.ts";
import type { RecordingLog } from "./recording-log.ts";

export interface Entry {
  readonly id: number;
  /** So many more bytes in the record. */
  readonly paddingBytes?: number;
}

export interface Ledger {
  ids: number[];
}

const IDS_IN_A_PIECE = 8;

export const ledgerDefinition: StoreDefinition<Ledger, Entry> = {
  version: 1,
  initial: () => ({ ids: [] }),
  apply: (state, entry) => void state.ids.push(entry.id),
  encode: ({ id, paddingBytes = 0 }) => [Buffer.from(`entry ${id} `), Buffer.alloc(paddingBytes, ".")],
  decode(bytes) {
    const match = /^entry (\d+) \.*$/.exec(bytes.toString("latin1"));
    if (!match) throw new SyntaxError("not an entry");
    return { id: Number(match[1]) };
  },
  *snapshot({ ids }) {
    // Only appended to, so that the first ones stay as they are.
    const count = ids.length;
    for (let start = 0; start < count; start += IDS_IN_A_PIECE) {
      yield Buffer.from(ids.slice(start, Math.min(start + IDS_IN_A_PIECE, count)).join());
    }
  },
  restore(pieces) {
    const ids: number[] = [];
    for (const piece of pieces) ids.push(...piece.toString("latin1").split(",").map(Number));
    return { ids };
  },
};

export interface LedgerHome {
  readonly store: Store<Ledger, Entry>;
  readonly clock: FakeClock;
  readonly log: RecordingLog;
  readonly settings: { -readonly [Key in keyof StorageSettings]: StorageSettings[Key] };
  /** What onHealth was told, in order. */
  readonly health: (string | undefined)[];
  corruptions: number;
}

export interface LedgerOptions {
  readonly directory?: string;
  readonly settings?: Partial<StorageSettings>;
  readonly clock?: FakeClock;
  readonly definition?: Partial<StoreDefinition<Ledger, Entry>>;
}

export async function openLedger(disk: Disk, options: LedgerOptions = {}): Promise<LedgerHome> {
  const clock = options.clock ?? fakeClock();
  const log = recordingLog();
  const settings = { durability: "async" as const, maxJournalBytes: 1 << 20, ...options.settings };
  const home = { clock, log, settings, health: [] as (string | undefined)[], corruptions: 0 };
  const services = { clock, log: log as Log, disk };
  const place = {
    directory: options.directory ?? "/data",
    name: "ledger",
    settings: () => settings,
    onCorruption: () => void home.corruptions++,
    onHealth: (problem: string | undefined) => void home.health.push(problem),
  };
  const store = await openStore(services, place, { ...ledgerDefinition, ...options.definition });
  return Object.assign(home, { store });
}

/** Commits entries with these ids in one turn; resolves when all are settled, rejects with the first error. */
export async function commitAll(store: Store<Ledger, Entry>, ids: readonly number[]): Promise<void> {
  await Promise.all(ids.map((id) => store.commit({ id })));
}

/** 1, 2, ... count */
export function countTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
