/**
 * The indexes <-> a file from which a start takes them up again, instead of making them of all texts.
 *
 * Layout: a segment whose first record lists the parts and whose chunks they hold; the others are the pieces of the
 *   parts, one part after the other.
 * Order: the pieces are gathered while the indexes stand still, and written while they go on.
 * Errors: whatever is wrong with the file, it is as if there were none: indexes are caches.
 */
import { LexicalIndex } from "../../core/bm25.ts";
import { HashedEncoder } from "../../core/hashed-vectors.ts";
import { readLatentModel, writeLatentModel } from "../../core/latent.ts";
import { VectorIndex } from "../../core/vectors.ts";
import type { Clock } from "../../system/clock.ts";
import type { Log } from "../../system/log.ts";
import type { Segments } from "../../system/segments.ts";
import type { IndexContents, Indexes, LegAge } from "./indexes.ts";
import type { Pace } from "./pace.ts";

export interface IndexCacheServices {
  readonly log: Log;
  readonly segments: Segments;
  readonly pace: Pace;
  /** By which chunk ids mean what they meant: how often they were given anew, and the next of them. */
  ids(): ChunkIds;
}

interface ChunkIds {
  readonly numbering: number;
  readonly nextChunkId: number;
}

/** Changes with what the indexes are made of: the fields of chunks, the encoders, this layout. */
const VERSION = 1;
/** Smaller pieces are joined; those that may change while they wait are no larger. */
const JOINED_BYTES = 1 << 18;
const COPIED_BYTES = 4096;

/** The parts, and how each is read: the counts of the hashed encoder, then the indexes. */
const RESTORE = {
  pieces: (bytes: Buffer) => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
  lexical: (bytes: Buffer) => LexicalIndex.restore(bytes),
  hashed: (bytes: Buffer) => VectorIndex.restore(bytes),
  model: (bytes: Buffer) => readLatentModel(bytes),
  latent: (bytes: Buffer) => VectorIndex.restore(bytes),
};
type PartName = keyof typeof RESTORE;
type Restored = { readonly [K in "pieces" | "lexical" | "hashed"]: ReturnType<(typeof RESTORE)[K]> } & {
  readonly [K in "model" | "latent"]?: ReturnType<(typeof RESTORE)[K]>;
};

interface Part {
  readonly name: PartName;
  readonly pieces: Uint8Array[];
}

interface Contents extends ChunkIds {
  readonly version: number;
  readonly parts: readonly { readonly name: PartName; readonly sizeBytes: number }[];
  readonly ages: Readonly<Record<"hashed" | "latent", LegAge>>;
  /** First chunk ids and counts, in turn. */
  readonly indexed: readonly number[];
  /** Of these some chunks may be there, and some not. */
  readonly partial: readonly number[];
  readonly hashedDocumentCount: number;
}

/** Writes the indexes as they are now, in the place of what was written before. */
export async function writeIndexCache(services: IndexCacheServices, indexes: Indexes): Promise<void> {
  const { segments, pace } = services;
  const before = segments.list();
  const { parts, contents } = await pace.hold(async () => gather(indexes, services));
  await segments.write((before.at(-1) ?? 0) + 1, writeParts(parts, contents));
  for (const number of before) segments.remove(number);
}

/** What was written last; `undefined` when there is nothing that can be used, and then all of it is removed. */
export function readIndexCache({ segments, log, ids }: IndexCacheServices): IndexContents | undefined {
  const numbers = segments.list();
  if (numbers.length === 0) return undefined;
  try {
    return readContents(segments.readAll(numbers.at(-1)!), ids());
  } catch (error) {
    log.warn("the indexes are made anew: those that were kept cannot be used", { error: (error as Error).message });
    for (const number of numbers) segments.remove(number);
    return undefined;
  }
}

async function gather(
  indexes: Indexes,
  { pace, ids }: IndexCacheServices,
): Promise<{ parts: Part[]; contents: Omit<Contents, "parts"> }> {
  const { lexical, hashed, latent } = indexes;
  const ages = structuredClone(indexes.ages);
  const { documentCount, pieceCounts } = hashed.encoder.state();
  const parts: Part[] = [{ name: "pieces", pieces: [new Uint8Array(pieceCounts.buffer)] }];
  const sources: [PartName, Iterable<Uint8Array>][] = [
    ["lexical", lexical.snapshot()],
    ["hashed", hashed.index.snapshot()],
  ];
  if (latent !== undefined) {
    sources.push(["model", writeLatentModel(latent.model)], ["latent", latent.index.snapshot()]);
  }
  for (const [name, source] of sources) {
    const pieces: Uint8Array[] = [];
    for (const piece of source) {
      pieces.push(piece.byteLength <= COPIED_BYTES ? piece.slice() : piece);
      await pace.turnWithin();
    }
    parts.push({ name, pieces });
  }
  const { indexed, partial } = indexes.held();
  const { numbering, nextChunkId } = ids();
  return {
    parts,
    contents: { version: VERSION, numbering, nextChunkId, ages, indexed, partial, hashedDocumentCount: documentCount },
  };
}

function* writeParts(parts: readonly Part[], rest: Omit<Contents, "parts">): Generator<Uint8Array> {
  const sizes = parts.map(({ name, pieces }) => ({
    name,
    sizeBytes: pieces.reduce((sum, { length }) => sum + length, 0),
  }));
  const contents: Contents = { ...rest, parts: sizes };
  yield Buffer.from(JSON.stringify(contents));
  for (const { pieces } of parts) yield* join(pieces);
}

function* join(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    waiting.push(piece);
    bytes += piece.length;
    if (bytes < JOINED_BYTES) continue;
    yield waiting.length === 1 ? piece : Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}

function readContents(records: Iterator<Buffer>, { numbering, nextChunkId }: ChunkIds): IndexContents {
  const contents = JSON.parse(nextRecord(records).toString()) as Contents;
  if (contents.version !== VERSION) throw new RangeError("they are of another version");
  if (contents.numbering !== numbering) throw new RangeError("the chunks have other numbers by now");
  // Ids that were given in a second that is lost may be given again.
  if (contents.nextChunkId > nextChunkId) throw new RangeError("they are younger than what is stored");
  const { ages, indexed, partial, hashedDocumentCount: documentCount } = contents;
  const restored: Partial<Record<PartName, unknown>> = {};
  // One after the other, so that no more than one stands twice in memory.
  for (const { name, sizeBytes } of contents.parts) restored[name] = RESTORE[name](readPart(records, sizeBytes));
  const { pieces, lexical, hashed, model, latent } = restored as Restored;
  return {
    lexical,
    hashed: { kind: "hashed", encoder: new HashedEncoder({ documentCount, pieceCounts: pieces }), index: hashed },
    latent: model === undefined || latent === undefined ? undefined : { kind: "latent", model, index: latent },
    ages,
    indexed,
    partial,
  };
}

/** The records of one part, joined. */
function readPart(records: Iterator<Buffer>, sizeBytes: number): Buffer {
  const part = Buffer.allocUnsafeSlow(sizeBytes);
  for (let filled = 0; filled < sizeBytes;) filled += nextRecord(records).copy(part, filled);
  return part;
}

function nextRecord(records: Iterator<Buffer>): Buffer {
  const next = records.next();
  if (next.done) throw new RangeError("they end early");
  return next.value;
}

export interface IndexCache {
  /** To be asked often: writes when enough has changed. */
  look(): void;
  /** Writes, unless nothing has changed; what goes wrong is logged. */
  save(): Promise<void>;
}

const WRITE_MS = 300_000;
/** Of all chunks. */
const CHANGED_SHARE = 1 / 10;
const FEWEST_CHANGED = 1000;

export function keepIndexCache(
  services: IndexCacheServices & { readonly clock: Clock; isBusy(): boolean },
  indexes: Indexes,
): IndexCache {
  const { clock, log, isBusy } = services;
  let savedChunks = indexes.changedChunks;
  let savedMs = clock.monotonicMs();
  let saving: Promise<void> | undefined;

  async function save(): Promise<void> {
    await saving;
    if (indexes.changedChunks === savedChunks) return;
    const changed = indexes.changedChunks;
    savedMs = clock.monotonicMs();
    saving = writeIndexCache(services, indexes).then(
      () => void (savedChunks = changed),
      (error: Error) => log.warn("the indexes could not be kept for the next start", { error: error.message }),
    );
    await saving.finally(() => (saving = undefined));
  }

  return {
    save,
    look() {
      const changed = indexes.changedChunks - savedChunks;
      const isMuch = changed > Math.max(FEWEST_CHANGED, indexes.chunkCount * CHANGED_SHARE);
      if (isMuch && !isBusy() && clock.monotonicMs() - savedMs >= WRITE_MS) void save();
    },
  };
}
