/**
 * Unit vectors under ids -> an index that finds the ones most like a query, exactly, by comparing it with all of them.
 *
 * Order: by cosine similarity, then id. All kernels give the same ids and scores: what they compute serves to rule rows
 * out, by bounds on its error, and the rows that are left are scored anew, in double precision and one order of
 * summation.
 * Units: vectors come at any length and are scaled to 1; scores are cosines from -1 to 1; a vector of zeros has score
 * 0.
 * Cost: one pass over the memory of the rows. Removed rows stay, dead, until they outnumber the living; then the rest
 * closes up.
 * Errors: RangeError for a wrong number of components, for one that is not finite, and for an id that is taken or out
 * of bounds.
 */
import { BlockReader, requireKind, writeBlock, writeJson } from "./blocks.ts";
import { requireId } from "./id-set.ts";
import type { IdFilter } from "./id-set.ts";
import { IdTable } from "./id-table.ts";
import { TopK } from "./top-k.ts";
import type { Hit } from "./top-k.ts";
import { toUnitLength } from "./unit-vectors.ts";
import { createRowStore } from "./vector-formats.ts";
import type { RowStore, VectorFormat } from "./vector-formats.ts";
import { SLICE_ROWS } from "./vector-rows.ts";
import type { KernelChoice } from "./vector-rows.ts";

/** Below so many dead rows, closing up is not worth the copying. */
const FEWEST_DEAD = 256;
/** A slice of which less than this part passes the filter is scored row by row. */
const SPARSE = 1 / 8;
/** The number changes with the layout. */
const SNAPSHOT_KIND = "pi-daemon vector index 1";

export interface VectorIndexOptions {
  readonly dimensions: number;
  /**
   * "int8": a quarter of the memory, and the rounded vectors are what is compared; "float": as given; "both": scan
   * int8, decide by floats.
   */
  readonly format: VectorFormat;
  /** By default SIMD where there is any. */
  readonly kernel?: KernelChoice;
}

export interface VectorSearchOptions {
  readonly k: number;
  readonly filter?: IdFilter | undefined;
}

/** A row that may be among the best, by what is known before it is scored anew. */
interface Candidate {
  readonly row: number;
  readonly most: number;
}

interface Scan {
  readonly unit: Float64Array;
  readonly filter: IdFilter | undefined;
  /** The scores that are certain; its threshold is what a row must be able to reach. */
  readonly least: TopK;
  readonly candidates: Candidate[];
}

export class VectorIndex {
  readonly dimensions: number;
  readonly #format: VectorFormat;
  readonly #store: RowStore;
  readonly #places = new IdTable();
  #ids: Uint32Array = new Uint32Array(64);
  #live = new Uint8Array(64);
  #rowCount = 0;
  #size = 0;
  /** Changes when rows move, so that a search in slices can tell. */
  #generation = 0;

  constructor({ dimensions, format, kernel }: VectorIndexOptions) {
    if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > 65_536) {
      throw new RangeError(`Cannot index vectors of ${dimensions} components: expected an integer from 1 to 65536`);
    }
    this.dimensions = dimensions;
    this.#format = format;
    this.#store = createRowStore({ dimensions, format, kernel });
  }

  get size(): number {
    return this.#size;
  }

  /** Which kernel compares. */
  get kernel(): KernelChoice {
    return this.#store.kernel;
  }

  get sizeBytes(): number {
    return this.#store.sizeBytes + this.#ids.byteLength + this.#live.byteLength;
  }

  has(id: number): boolean {
    return this.#places.get(id) !== undefined;
  }

  add(id: number, vector: ArrayLike<number>): void {
    requireId(id);
    if (this.has(id)) throw new RangeError(`Cannot add vector ${id}: it is in the index already; remove it first`);
    const row = this.#rowCount;
    if (row === this.#ids.length) this.#grow();
    this.#store.write(row, toUnitLength(vector, this.dimensions));
    this.#ids[row] = id;
    this.#live[row] = 1;
    this.#places.set(id, row);
    this.#rowCount++;
    this.#size++;
  }

  /** Whether the vector was there to be removed. */
  remove(id: number): boolean {
    const row = this.#places.get(id);
    if (row === undefined) return false;
    this.#places.delete(id);
    this.#live[row] = 0;
    this.#size--;
    const deadCount = this.#rowCount - this.#size;
    if (deadCount > Math.max(this.#size, FEWEST_DEAD)) this.#closeUp();
    return true;
  }

  /** The most similar, best first. */
  search(query: ArrayLike<number>, options: VectorSearchOptions): Hit[] {
    const steps = this.searchInSlices(query, options);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  }

  /**
   * The same search, giving up control after every 4096 rows. Vectors may come and go meanwhile: what is found is there
   * at the end, what came may be missing, and where some of the best went there may be fewer than k.
   */
  *searchInSlices(query: ArrayLike<number>, { k, filter }: VectorSearchOptions): Generator<void, Hit[]> {
    const unit = toUnitLength(query, this.dimensions);
    for (;;) {
      const generation = this.#generation;
      const scan: Scan = { unit, filter, least: new TopK(k), candidates: [] };
      for (let first = 0; first < this.#rowCount && generation === this.#generation; first += SLICE_ROWS) {
        this.#scanSlice(first, scan);
        if (first + SLICE_ROWS < this.#rowCount) yield;
      }
      if (generation === this.#generation) return this.#decide(scan, new TopK(k));
    }
  }

  /** The whole index in pieces that `restore` takes, joined; it must not change before the last is written. */
  *snapshot(): Generator<Uint8Array> {
    this.#closeUp();
    yield* writeJson(SNAPSHOT_KIND);
    yield* writeJson({ dimensions: this.dimensions, format: this.#format });
    yield* writeBlock(this.#ids.subarray(0, this.#size));
    yield* this.#store.snapshot(this.#size);
  }

  /** The index that wrote these bytes; a RangeError where they are not of this kind or end early. */
  static restore(bytes: Uint8Array): VectorIndex {
    const reader = new BlockReader(bytes);
    requireKind(reader, SNAPSHOT_KIND);
    const index = new VectorIndex(reader.json() as VectorIndexOptions);
    const ids = reader.uint32();
    index.#store.restore(reader, ids.length);
    index.#ids = ids;
    index.#live = new Uint8Array(ids.length).fill(1);
    ids.forEach((id, row) => index.#places.set(id, row));
    index.#rowCount = index.#size = ids.length;
    return index;
  }

  #scanSlice(first: number, scan: Scan): void {
    const last = Math.min(first + SLICE_ROWS, this.#rowCount);
    this.#store.setQuery(scan.unit);
    if (!scan.filter || scan.filter.isCostly) return this.#scanRows(first, last - first, scan);
    const passing: number[] = [];
    for (let row = first; row < last; row++) if (scan.filter.has(this.#ids[row]!)) passing.push(row);
    if (passing.length === 0) return;
    if (passing.length < (last - first) * SPARSE) for (const row of passing) this.#scanRows(row, 1, scan);
    else this.#scanRows(passing[0]!, passing.at(-1)! + 1 - passing[0]!, scan);
  }

  /** Keeps the rows whose score can be as high as the k-th highest that is certain. */
  #scanRows(first: number, count: number, { filter, least, candidates }: Scan): void {
    const { scores, scales, errors, queryScale, queryError } = this.#store.score(first, count);
    let threshold = least.threshold;
    for (let at = 0; at < count; at++) {
      const row = first + at;
      const score = scores[at]! * scales[row]! * queryScale;
      const error = errors[row]! + queryError;
      if (score + error < threshold) continue;
      const id = this.#ids[row]!;
      if (this.#live[row] === 0 || (filter && !filter.has(id))) continue;
      candidates.push({ row, most: score + error });
      least.offer(id, score - error);
      threshold = least.threshold;
    }
  }

  #decide({ unit, least, candidates }: Scan, best: TopK): Hit[] {
    this.#store.setQuery(unit);
    for (const { row, most } of candidates) {
      if (most >= least.threshold && this.#live[row] === 1) best.offer(this.#ids[row]!, this.#store.exactScore(row));
    }
    return best.hits();
  }

  /** Moves the living rows together. */
  #closeUp(): void {
    let to = 0;
    for (let from = 0; from < this.#rowCount; from++) {
      if (this.#live[from] === 0) continue;
      if (to < from) this.#store.move(from, to);
      this.#ids[to] = this.#ids[from]!;
      this.#live[to] = 1;
      this.#places.set(this.#ids[to]!, to);
      to++;
    }
    this.#rowCount = to;
    this.#generation++;
  }

  #grow(): void {
    const capacity = Math.max(64, this.#ids.length * 2);
    const ids = new Uint32Array(capacity);
    const live = new Uint8Array(capacity);
    ids.set(this.#ids);
    live.set(this.#live);
    this.#ids = ids;
    this.#live = live;
  }
}
