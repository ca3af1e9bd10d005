/**
 * The files of a store -> the state they hold: the newest good snapshot, and the records of the journals after it.
 *
 * The result is always a prefix of what was committed: replay stops at the first record that is damaged or missing. A
 * record is applied once, and only in its place: each journal counts up to the sequence at which the next one begins,
 * so that what a failed write left behind in the earlier one is not taken for a commit.
 *
 * Order: nothing is changed on the disk; what to cut off and what to set aside is told to the caller.
 * Errors: {@link StateVersionError} when any file is of a newer version; those of the disk where a file cannot be
 * opened.
 * Cost: reads in blocks of 1 MiB and lets the event loop turn every few milliseconds.
 */
import { setImmediate as nextTurn } from "node:timers/promises";

import type { Clock } from "./clock.ts";
import type { Disk } from "./disk.ts";
import type { Log } from "./log.ts";
import { RecordReader } from "./record.ts";
import { readPieces, verifySnapshot } from "./snapshot.ts";
import { FILE_HEADER_BYTES, findFiles, isReadable } from "./state-file.ts";
import type { FileHeader, FoundFile, StorePlace } from "./state-file.ts";
import { describeError, StateVersionError } from "./storage-error.ts";

const SLICE_MS = 4;
const RECORDS_BETWEEN_LOOKS = 64;

/** What recovery needs to know of a definition; see `StoreDefinition`. */
export interface Replayed<State, Event> {
  readonly version: number;
  readonly initial: () => State;
  readonly apply: (state: State, event: Event) => void;
  readonly decode: (bytes: Buffer) => Event;
  readonly restore: (pieces: Iterable<Buffer>, version: number) => State;
}

export interface RecoveryServices {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
}

/** A file that is not what it should be, and how. */
export interface Damage {
  readonly path: string;
  readonly problem: string;
}

export interface Recovered<State> {
  readonly state: State;
  /** The number of the next record. */
  readonly sequence: number;
  /** The highest generation of any file, 0 without files. */
  readonly generation: number;
  /** Replayed from journals. */
  readonly recordCount: number;
  /** The generation of the newest journal, if it is of this version and can be gone on with. */
  readonly tail: number | undefined;
  /** Generations of the snapshots that are not damaged, oldest first. */
  readonly snapshots: readonly number[];
  /** The same of the journals, and how many of their first bytes are good. */
  readonly journals: readonly { generation: number; sizeBytes: number }[];
  /** To be set aside once the state has been written anew. */
  readonly damaged: readonly Damage[];
}

/** A journal whose header was read. */
type SoundJournal = FoundFile & { header: FileHeader };

export async function recover<State, Event>(
  services: RecoveryServices,
  place: StorePlace,
  definition: Replayed<State, Event>,
): Promise<Recovered<State>> {
  const files = findFiles(services.disk, place);
  refuseNewer(files, definition.version);
  const base = await restoreNewest(
    services,
    files.filter((file) => file.kind === "snapshot"),
    definition,
  );
  const journals = files.filter((file) => file.kind === "journal");
  const replay = new Replay(services, definition, base);
  const needed = journals.filter((file) => file.generation >= base.generation);
  await replay.run(needed);
  const damaged = [...base.damaged, ...replay.damaged];
  const isSound = (file: FoundFile): boolean => !damaged.some((damage) => damage.path === file.path);
  return {
    state: base.state,
    sequence: replay.sequence,
    generation: files.at(-1)?.generation ?? 0,
    recordCount: replay.recordCount,
    tail: replay.tail,
    snapshots: files.filter((file) => file.kind === "snapshot" && isSound(file)).map((file) => file.generation),
    journals: journals.filter(isSound).map(({ generation, sizeBytes }) => ({
      generation,
      sizeBytes: replay.goodBytes.get(generation) ?? sizeBytes,
    })),
    damaged,
  };
}

function refuseNewer(files: readonly FoundFile[], stateVersion: number): void {
  const newer = files.find((file) => file.header && !isReadable(file.header, stateVersion));
  if (!newer?.header) return;
  throw new StateVersionError(
    `${newer.path} was written by a newer pi-daemon (state version ${newer.header.stateVersion}, and this one knows ` +
      `${stateVersion}): start the newer one, or another data directory. Nothing was changed`,
  );
}

interface Base<State> {
  state: State;
  generation: number;
  sequence: number;
  damaged: Damage[];
}

/** The newest snapshot that can be read, or the initial state. */
async function restoreNewest<State, Event>(
  services: RecoveryServices,
  snapshots: readonly FoundFile[],
  definition: Replayed<State, Event>,
): Promise<Base<State>> {
  const damaged: Damage[] = [];
  for (const found of snapshots.toReversed()) {
    const file = services.disk.open(found.path, "read");
    try {
      await verifySnapshot(services, file, found);
      const header = found.header!;
      const state = definition.restore(readPieces(services.disk, file, found), header.stateVersion);
      return { state, generation: header.generation, sequence: header.sequence, damaged };
    } catch (error) {
      damaged.push({ path: found.path, problem: describeError(error) });
    } finally {
      services.disk.close(file);
    }
  }
  return { state: definition.initial(), generation: 0, sequence: 1, damaged };
}

/** The journals' records applied to a state, one journal after the other. */
class Replay<State, Event> {
  readonly damaged: Damage[] = [];
  sequence: number;
  recordCount = 0;
  /** The newest journal, if it is of this version. */
  tail: number | undefined;
  /** What was replayed of each journal. */
  readonly goodBytes = new Map<number, number>();
  readonly #services: RecoveryServices;
  readonly #definition: Replayed<State, Event>;
  readonly #state: State;
  #untilMs = 0;

  constructor(services: RecoveryServices, definition: Replayed<State, Event>, base: Base<State>) {
    this.#services = services;
    this.#definition = definition;
    this.#state = base.state;
    this.sequence = base.sequence;
  }

  /** `files`: from the base's generation on, oldest first. */
  async run(files: readonly FoundFile[]): Promise<void> {
    for (const file of files) if (file.problem !== undefined) this.#setAside(file, file.problem);
    const sound = files.filter((file): file is SoundJournal => file.header !== undefined);
    for (const [index, journal] of sound.entries()) {
      const next = sound[index + 1];
      if (journal.header.sequence > this.sequence) {
        const problem = `begins with record ${journal.header.sequence}, but ${this.sequence} is the next one known`;
        this.#setAside(journal, problem);
        continue;
      }
      const problem = await this.#replayFile(journal, next);
      if (problem !== undefined) this.#setAside(journal, problem);
    }
    const newest = files.at(-1);
    // One without a whole header never held a record, and one of an older version is not gone on with.
    if (newest?.header?.stateVersion === this.#definition.version) this.tail = newest.generation;
  }

  #setAside(file: FoundFile, problem: string): void {
    this.damaged.push({ path: file.path, problem });
  }

  /** Answers what is wrong with the file, if anything is. */
  async #replayFile(journal: SoundJournal, next: SoundJournal | undefined): Promise<string | undefined> {
    const { disk } = this.#services;
    const file = disk.open(journal.path, "read");
    try {
      const region = { start: FILE_HEADER_BYTES, end: journal.sizeBytes, firstNumber: journal.header.sequence };
      const reader = new RecordReader(disk, file, region);
      const limit = next?.header.sequence ?? Number.MAX_SAFE_INTEGER;
      const problem = await this.#replayRecords(reader, limit);
      this.goodBytes.set(journal.generation, reader.position);
      return problem;
    } finally {
      disk.close(file);
    }
  }

  async #replayRecords(reader: RecordReader, limit: number): Promise<string | undefined> {
    while (reader.number < limit) {
      const number = reader.number;
      if (number % RECORDS_BETWEEN_LOOKS === 0) await this.#giveWay();
      const payload = reader.next();
      if (!payload) break;
      if (number < this.sequence) continue;
      const problem = this.#applyRecord(payload, number);
      if (problem !== undefined) return problem;
    }
    return reader.end.kind === "damaged" ? reader.end.problem : undefined;
  }

  #applyRecord(payload: Buffer, number: number): string | undefined {
    let event: Event;
    try {
      event = this.#definition.decode(payload);
    } catch (error) {
      return `record ${number} cannot be understood (${describeError(error)})`;
    }
    try {
      this.#definition.apply(this.#state, event);
    } catch (error) {
      // As when it was committed: the record stands, and what it did before it threw stands too.
      this.#services.log.error("an event could not be applied", { record: number, problem: describeError(error) });
    }
    this.sequence = number + 1;
    this.recordCount++;
    return undefined;
  }

  async #giveWay(): Promise<void> {
    const { clock } = this.#services;
    if (clock.monotonicMs() < this.#untilMs) return;
    await nextTurn();
    this.#untilMs = clock.monotonicMs() + SLICE_MS;
  }
}
