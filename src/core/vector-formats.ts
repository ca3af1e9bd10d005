/**
 * The three ways to keep a unit vector, each with a quick score whose error is bounded, and an exact one.
 *
 * int8: each row has a scale of its own, its largest component over 127; what is kept is what counts, so the quick
 * score is exact.
 * float: 32-bit floats; the quick score errs by their rounding.
 * both: int8 rows for the quick score, floats for the exact one; the quick score errs by at most the length of what
 * rounding cut off the row and the query (Cauchy-Schwarz).
 */
import { writeBlock } from "./blocks.ts";
import type { BlockReader } from "./blocks.ts";
import { distance, largestMagnitude, multiply } from "./unit-vectors.ts";
import { VectorRows } from "./vector-rows.ts";
import type { KernelChoice } from "./vector-rows.ts";

export type VectorFormat = "int8" | "float" | "both";

/**
 * Quick scores: that of row `first + i` is scores[i] x scales[first + i] x queryScale, off by errors[first + i] +
 * queryError at most.
 */
export interface QuickScores {
  readonly scores: Int32Array | Float32Array;
  readonly scales: Float32Array;
  readonly errors: Float32Array;
  readonly queryScale: number;
  readonly queryError: number;
}

export interface RowStore {
  readonly kernel: KernelChoice;
  readonly sizeBytes: number;
  /** Rows are written in order, or over one another. */
  write(row: number, unit: Float64Array): void;
  move(from: number, to: number): void;
  setQuery(unit: Float64Array): unknown;
  score(first: number, count: number): QuickScores;
  /** With the query that was set last. */
  exactScore(row: number): number;
  /** The first `count` rows as blocks, and back. */
  snapshot(count: number): Generator<Uint8Array>;
  restore(reader: BlockReader, count: number): void;
}

export interface RowStoreOptions {
  readonly dimensions: number;
  readonly format: VectorFormat;
  readonly kernel: KernelChoice | undefined;
}

const LARGEST_INT8 = 127;
const LARGEST_INT16 = 32_767;
/** What the magnitudes of an int16 query may add up to, so that with int8 rows no sum leaves 32 bits. */
const LARGEST_QUERY_SUM = Math.floor(2 ** 31 / LARGEST_INT8) - 1;
const FLOAT_ROUNDING = 2 ** -24;

export function createRowStore(options: RowStoreOptions): RowStore {
  if (options.format === "float") return new FloatStore(options);
  return options.format === "int8" ? new Int8Store(options) : new DoubleStore(options);
}

/** Numbers by row, zero until they are set. */
class RowNumbers {
  items = new Float32Array(64);

  set(row: number, value: number): void {
    if (row >= this.items.length) {
      const larger = new Float32Array(Math.max(row + 1, this.items.length * 2));
      larger.set(this.items);
      this.items = larger;
    }
    this.items[row] = value;
  }
}

class FloatStore implements RowStore {
  readonly #rows: VectorRows;
  readonly #scales = new RowNumbers();
  readonly #errors = new RowNumbers();
  readonly #error: number;
  #query: Float64Array = new Float64Array(0);

  constructor({ dimensions, kernel }: RowStoreOptions) {
    this.#rows = new VectorRows({ dimensions, format: "float", kernel });
    // A sum of n rounded products errs by n roundings at most; the rounding of the query comes on top.
    this.#error = (this.#rows.width + 8) * FLOAT_ROUNDING;
  }

  get kernel(): KernelChoice {
    return this.#rows.kernel;
  }

  get sizeBytes(): number {
    return this.#rows.sizeBytes + this.#scales.items.byteLength + this.#errors.items.byteLength;
  }

  write(row: number, unit: Float64Array): void {
    this.#rows.reserve(row + 1);
    this.#rows.row(row).set(unit);
    this.#scales.set(row, 1);
    this.#errors.set(row, this.#error);
  }

  move(from: number, to: number): void {
    this.#rows.move(from, to);
  }

  setQuery(unit: Float64Array): void {
    this.#query = unit;
    this.#rows.setQuery(unit);
  }

  score(first: number, count: number): QuickScores {
    const scores = this.#rows.score(first, count);
    return { scores, scales: this.#scales.items, errors: this.#errors.items, queryScale: 1, queryError: 0 };
  }

  exactScore(row: number): number {
    return multiply(this.#rows.row(row), this.#query);
  }

  snapshot(count: number): Generator<Uint8Array> {
    return this.#rows.snapshot(count);
  }

  restore(reader: BlockReader, count: number): void {
    this.#rows.restore(reader, count);
    for (let row = 0; row < count; row++) {
      this.#scales.set(row, 1);
      this.#errors.set(row, this.#error);
    }
  }
}

class Int8Store implements RowStore {
  readonly #rows: VectorRows;
  readonly #scales = new RowNumbers();
  readonly #errors = new RowNumbers();
  #query: Float64Array = new Float64Array(0);
  #queryScale = 0;

  constructor({ dimensions, kernel }: RowStoreOptions) {
    this.#rows = new VectorRows({ dimensions, format: "int8", kernel });
  }

  get kernel(): KernelChoice {
    return this.#rows.kernel;
  }

  get sizeBytes(): number {
    return this.#rows.sizeBytes + this.#scales.items.byteLength + this.#errors.items.byteLength;
  }

  write(row: number, unit: Float64Array): void {
    this.#rows.reserve(row + 1);
    const scale = Math.fround(largestMagnitude(unit) / LARGEST_INT8);
    this.#scales.set(row, scale);
    this.#errors.set(row, 0);
    const components = this.#rows.row(row);
    const perUnit = scale === 0 ? 0 : 1 / scale;
    // Rounding the scale down to a float can lift the largest component to 127.00001, which still rounds to 127.
    for (let at = 0; at < unit.length; at++) components[at] = Math.round(unit[at]! * perUnit);
  }

  /** How far the row is from what was written: the length of the difference. */
  distance(row: number, unit: Float64Array): number {
    const components = this.#rows.row(row);
    const scale = this.#scales.items[row]!;
    return distance(unit, components, scale);
  }

  setError(row: number, error: number): void {
    this.#errors.set(row, error);
  }

  move(from: number, to: number): void {
    this.#rows.move(from, to);
    this.#scales.set(to, this.#scales.items[from]!);
    this.#errors.set(to, this.#errors.items[from]!);
  }

  /** The length of what rounding cuts off the query. */
  setQuery(unit: Float64Array): number {
    let sum = 0;
    for (const component of unit) sum += Math.abs(component);
    this.#queryScale = Math.max(largestMagnitude(unit) / LARGEST_INT16, sum / (LARGEST_QUERY_SUM - unit.length)) || 1;
    this.#query = unit.map((component) => Math.round(component / this.#queryScale));
    this.#rows.setQuery(this.#query);
    return distance(unit, this.#query, this.#queryScale);
  }

  score(first: number, count: number): QuickScores {
    const scores = this.#rows.score(first, count);
    const [scales, errors] = [this.#scales.items, this.#errors.items];
    return { scores, scales, errors, queryScale: this.#queryScale, queryError: 0 };
  }

  exactScore(row: number): number {
    return multiply(this.#rows.row(row), this.#query) * this.#scales.items[row]! * this.#queryScale;
  }

  *snapshot(count: number): Generator<Uint8Array> {
    yield* this.#rows.snapshot(count);
    yield* writeBlock(this.#scales.items.subarray(0, count));
    yield* writeBlock(this.#errors.items.subarray(0, count));
  }

  restore(reader: BlockReader, count: number): void {
    this.#rows.restore(reader, count);
    reader.float32().forEach((scale, row) => this.#scales.set(row, scale));
    reader.float32().forEach((error, row) => this.#errors.set(row, error));
  }
}

class DoubleStore implements RowStore {
  readonly #quick: Int8Store;
  readonly #dimensions: number;
  #floats = new Float32Array(0);
  #query: Float64Array = new Float64Array(0);
  #queryError = 0;

  constructor(options: RowStoreOptions) {
    this.#quick = new Int8Store(options);
    this.#dimensions = options.dimensions;
  }

  get kernel(): KernelChoice {
    return this.#quick.kernel;
  }

  get sizeBytes(): number {
    return this.#quick.sizeBytes + this.#floats.byteLength;
  }

  write(row: number, unit: Float64Array): void {
    this.#quick.write(row, unit);
    const end = (row + 1) * this.#dimensions;
    if (end > this.#floats.length) {
      const capacity = Math.max(end, Math.ceil(this.#floats.length * 1.5));
      this.#floats = new Float32Array(this.#floats.buffer.transfer(capacity * 4));
    }
    this.#floats.set(unit, end - this.#dimensions);
    // The row as kept in floats is what counts; its own rounding is far below the margin.
    this.#quick.setError(row, this.#quick.distance(row, unit) * (1 + 1e-6) + this.#dimensions * FLOAT_ROUNDING);
  }

  move(from: number, to: number): void {
    this.#quick.move(from, to);
    this.#floats.copyWithin(to * this.#dimensions, from * this.#dimensions, (from + 1) * this.#dimensions);
  }

  setQuery(unit: Float64Array): void {
    this.#query = unit;
    // A row as kept in int8 is at most twice as long as the unit that it stands for.
    this.#queryError = 2 * this.#quick.setQuery(unit);
  }

  score(first: number, count: number): QuickScores {
    return { ...this.#quick.score(first, count), queryError: this.#queryError };
  }

  exactScore(row: number): number {
    return multiply(this.#floats.subarray(row * this.#dimensions, (row + 1) * this.#dimensions), this.#query);
  }

  *snapshot(count: number): Generator<Uint8Array> {
    yield* this.#quick.snapshot(count);
    yield* writeBlock(this.#floats.subarray(0, count * this.#dimensions));
  }

  restore(reader: BlockReader, count: number): void {
    this.#quick.restore(reader, count);
    this.#floats = requireLength(reader.float32(), count * this.#dimensions);
  }
}

function requireLength(floats: Float32Array, length: number): Float32Array<ArrayBuffer> {
  if (floats.length !== length) throw new RangeError(`Cannot read a snapshot: ${floats.length} floats for ${length}`);
  return floats as Float32Array<ArrayBuffer>;
}
