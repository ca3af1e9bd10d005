/**
 * The indexes <-> a file from which a start takes them up again, instead of making them of all texts.
 *
 * Layout: a segment whose records are pieces of the indexes, one index after the other, and in the end a list of what
 *   they are of and whose chunks they hold.
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

interface Part {
  readonly name: string;
  readonly pieces: Uint8Array[];
}

interface Contents extends ChunkIds {
  readonly version: number;
  readonly parts: readonly { readonly name: string; readonly sizeBytes: number }[];
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
    return readParts([...segments.readAll(numbers.at(-1)!)], ids());
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
  const parts: Part[] = [{ name: "encoder", pieces: [new Uint8Array(pieceCounts.buffer)] }];
  const sources: [string, Iterable<Uint8Array>][] = [
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
  return { parts, contents: { version: VERSION, numbering, nextChunkId, ages, indexed, partial, hashedDocumentCount: documentCount } };
}

function* writeParts(parts: readonly Part[], rest: Omit<Contents, "parts">): Generator<Uint8Array> {
  const sizes: Contents["parts"][number][] = [];
  for (const { name, pieces } of parts) {
    let sizeBytes = 0;
    for (const joined of join(pieces)) {
      sizeBytes += joined.length;
      yield joined;
    }
    sizes.push({ name, sizeBytes });
  }
  const contents: Contents = { ...rest, parts: sizes };
  yield Buffer.from(JSON.stringify(contents));
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

function readParts(records: readonly Buffer[], { numbering, nextChunkId }: ChunkIds): IndexContents {
  const contents = JSON.parse(records.at(-1)?.toString() ?? "null") as Contents | null;
  if (contents?.version !== VERSION) throw new RangeError("they are of another version, or not whole");
  if (contents.numbering !== numbering) throw new RangeError("the chunks have other numbers by now");
  // Ids that were given in a second that is lost may be given again.
  if (contents.nextChunkId > nextChunkId) throw new RangeError("they are younger than what is stored");
  const parts = new Map<string, Buffer>();
  let next = 0;
  for (const { name, sizeBytes } of contents.parts) {
    const first = next;
    for (let bytes = 0; bytes < sizeBytes; next++) bytes += records[next]!.length;
    parts.set(name, Buffer.concat(records.slice(first, next), sizeBytes));
  }
  const [model, latent] = [parts.get("model"), parts.get("latent")];
  const encoder = parts.get("encoder")!;
  const pieceCounts = new Uint32Array(encoder.buffer.slice(encoder.byteOffset, encoder.byteOffset + encoder.length));
  return {
    lexical: LexicalIndex.restore(parts.get("lexical")!),
    hashed: {
      kind: "hashed",
      encoder: new HashedEncoder({ documentCount: contents.hashedDocumentCount, pieceCounts }),
      index: VectorIndex.restore(parts.get("hashed")!),
    },
    latent:
      model === undefined || latent === undefined
        ? undefined
        : { kind: "latent", model: readLatentModel(model), index: VectorIndex.restore(latent) },
    ages: contents.ages,
    indexed: contents.indexed,
    partial: contents.partial,
  };
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
