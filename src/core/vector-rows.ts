/**
 * Rows of equal width -> their products with a query, many at a time: by a WebAssembly kernel over one flat memory, or
 * by a plain loop over the same bytes where there is no SIMD.
 *
 * Units: rows are padded with zeros to a multiple of 32 components. Scores are the kernel's own: int32 sums, or 32-bit
 * floats.
 * Layout: the query, room for the scores of a slice, then the rows, in one memory that only grows.
 */
import { writeBlock } from "./blocks.ts";
import type { BlockReader } from "./blocks.ts";
import { bytesOf, FLOAT_LISTING, INT8_LISTING } from "./vector-kernels.ts";

/** How many rows are scored at a time: their scores fit the first-level cache. */
export const SLICE_ROWS = 4096;
const COMPONENT_STEP = 32;
const PAGE_BYTES = 65_536;

export type RowFormat = "int8" | "float";
/** "simd" asks for the kernel and is an error where it cannot be had; "scalar" is the plain loop. */
export type KernelChoice = "simd" | "scalar";

/** The part of the global WebAssembly that is used: no library of types that this project compiles with declares it. */
interface WebAssemblyApi {
  readonly Memory: new (limits: { initial: number }) => WebAssemblyMemory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
}
interface WebAssemblyMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
type Kernel = (query: number, row: number, scores: number, end: number, stride: number) => void;

/** The memory and what computes over it. */
interface Engine {
  readonly memory: WebAssemblyMemory;
  /** Undefined: use the plain loop. */
  readonly kernel: Kernel | undefined;
}

export interface VectorRowsOptions {
  readonly dimensions: number;
  readonly format: RowFormat;
  /** By default SIMD where there is any. */
  readonly kernel: KernelChoice | undefined;
}

export class VectorRows {
  /** "simd" where the kernel is in use. */
  readonly kernel: KernelChoice;
  /** Components in a row, the padding included. */
  readonly width: number;
  readonly #format: RowFormat;
  readonly #stride: number;
  readonly #scoresAt: number;
  readonly #rowsAt: number;
  readonly #engine: Engine;
  #buffer: ArrayBuffer;
  #query!: Int16Array | Float32Array;
  #scores!: Int32Array | Float32Array;
  #rows!: Int8Array | Float32Array;

  constructor({ dimensions, format, kernel }: VectorRowsOptions) {
    this.width = Math.ceil(dimensions / COMPONENT_STEP) * COMPONENT_STEP;
    this.#format = format;
    this.#stride = this.width * (format === "int8" ? 1 : 4);
    this.#scoresAt = this.width * (format === "int8" ? 2 : 4);
    this.#rowsAt = this.#scoresAt + SLICE_ROWS * 4;
    this.#engine = createEngine(format, kernel, Math.ceil(this.#rowsAt / PAGE_BYTES));
    this.kernel = this.#engine.kernel ? "simd" : "scalar";
    this.#buffer = this.#engine.memory.buffer;
    this.#makeViews();
  }

  /** The bytes of the memory, used or not. */
  get sizeBytes(): number {
    return this.#buffer.byteLength;
  }

  /** Makes room for `count` rows in all; a RangeError when there is no memory for them. */
  reserve(count: number): void {
    const missing = this.#rowsAt + count * this.#stride - this.#buffer.byteLength;
    if (missing <= 0) return;
    const ample = Math.max(missing, this.#buffer.byteLength / 4);
    this.#engine.memory.grow(Math.ceil(ample / PAGE_BYTES));
    this.#buffer = this.#engine.memory.buffer;
    this.#makeViews();
  }

  /** The components of one row, to read or to write; good until the next `reserve`. */
  row(row: number): Int8Array | Float32Array {
    return this.#rows.subarray(row * this.width, (row + 1) * this.width);
  }

  /** Moves one row into the place of another. */
  move(from: number, to: number): void {
    this.#rows.copyWithin(to * this.width, from * this.width, (from + 1) * this.width);
  }

  /** The first rows, a slice in each block, copied, because the memory moves when it grows. */
  *snapshot(count: number): Generator<Uint8Array> {
    for (let first = 0; first < count; first += SLICE_ROWS) {
      yield* writeBlock(this.#rows.slice(first * this.width, Math.min(first + SLICE_ROWS, count) * this.width));
    }
  }

  restore(reader: BlockReader, count: number): void {
    this.reserve(count);
    for (let first = 0; first < count; first += SLICE_ROWS) {
      const rows = this.#format === "int8" ? new Int8Array(reader.bytes().buffer) : reader.float32();
      if (rows.length !== Math.min(SLICE_ROWS, count - first) * this.width) {
        throw new RangeError(`Cannot read a snapshot: rows of another width than ${this.width}`);
      }
      this.#rows.set(rows, first * this.width);
    }
  }

  /** Sets the query: int16 numbers for int8 rows, floats for float rows; `components` may leave the padding out. */
  setQuery(components: ArrayLike<number>): void {
    this.#query.fill(0);
    this.#query.set(components);
  }

  /** Scores `count` rows (1 to SLICE_ROWS) from `first` on; element i of the result is the score of row `first + i`. */
  score(first: number, count: number): Int32Array | Float32Array {
    const { kernel } = this.#engine;
    if (!kernel) {
      const scoreSlice = this.#format === "int8" ? scoreIntegers : scoreFloats;
      scoreSlice({ rows: this.#rows, query: this.#query, scores: this.#scores }, { first, count, width: this.width });
      return this.#scores;
    }
    const start = this.#rowsAt + first * this.#stride;
    kernel(0, start, this.#scoresAt, start + count * this.#stride, this.#stride);
    return this.#scores;
  }

  /** Growing a memory detaches its old buffer. */
  #makeViews(): void {
    const buffer = this.#buffer;
    const isInt8 = this.#format === "int8";
    this.#query = isInt8 ? new Int16Array(buffer, 0, this.width) : new Float32Array(buffer, 0, this.width);
    const Scores = isInt8 ? Int32Array : Float32Array;
    this.#scores = new Scores(buffer, this.#scoresAt, SLICE_ROWS);
    this.#rows = isInt8 ? new Int8Array(buffer, this.#rowsAt) : new Float32Array(buffer, this.#rowsAt);
  }
}

function createEngine(format: RowFormat, choice: KernelChoice | undefined, pages: number): Engine {
  if (choice === "scalar") return { memory: plainMemory(pages), kernel: undefined };
  try {
    return createSimdEngine(format, pages);
  } catch (error) {
    if (choice === "simd") throw error;
    // No WebAssembly, no SIMD, or no address space for a memory (V8 sets aside gigabytes for each): slower, and the
    // same results.
    return { memory: plainMemory(pages), kernel: undefined };
  }
}

function createSimdEngine(format: RowFormat, pages: number): Engine {
  const api = (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly;
  if (!api) throw new TypeError("Cannot use the SIMD kernel: this JavaScript engine has no WebAssembly");
  const memory = new api.Memory({ initial: pages });
  const module = new api.Module(bytesOf(format === "int8" ? INT8_LISTING : FLOAT_LISTING));
  const { exports } = new api.Instance(module, { index: { memory } });
  return { memory, kernel: exports["score"] as Kernel };
}

/** The same contract as a WebAssembly memory, on the ordinary heap. */
function plainMemory(pages: number): WebAssemblyMemory {
  let buffer = new ArrayBuffer(pages * PAGE_BYTES);
  return {
    get buffer() {
      return buffer;
    },
    grow(more) {
      const before = buffer.byteLength;
      buffer = buffer.transfer(before + more * PAGE_BYTES);
      return before / PAGE_BYTES;
    },
  };
}

interface Slice {
  readonly first: number;
  readonly count: number;
  readonly width: number;
}
interface Operands {
  readonly rows: Int8Array | Float32Array;
  readonly query: Int16Array | Float32Array;
  readonly scores: Int32Array | Float32Array;
}

function scoreIntegers({ rows, query, scores }: Operands, { first, count, width }: Slice): void {
  for (let row = 0, at = first * width; row < count; row++) {
    let sum = 0;
    for (let component = 0; component < width; component++) sum = (sum + rows[at++]! * query[component]!) | 0;
    scores[row] = sum;
  }
}

function scoreFloats({ rows, query, scores }: Operands, { first, count, width }: Slice): void {
  for (let row = 0, at = first * width; row < count; row++) {
    let sum = 0;
    for (let component = 0; component < width; component++) sum += rows[at++]! * query[component]!;
    scores[row] = sum;
  }
}
