/**
 * Exact nearest neighbours among 100 000 vectors of 384 components: this project's index, others, and merely reading
 * the memory.
 */
import { seededRandom } from "../../support/random.ts";
import { VectorIndex } from "../../../src/core/vectors.ts";
import type { VectorIndexOptions } from "../../../src/core/vectors.ts";
import type { Packages } from "./aside.ts";

export const VECTOR_COUNT = 100_000;
export const DIMENSIONS = 384;

export interface Timed {
  readonly name: string;
  /** One search for the ten nearest; the ids, for those that have any. */
  readonly run: (query: Float32Array) => number[] | undefined;
}

export interface VectorBench {
  readonly queries: readonly Float32Array[];
  readonly contenders: readonly Timed[];
}

export function prepareVectors(packages: Packages): VectorBench {
  const random = seededRandom(1);
  const vectors = new Float32Array(VECTOR_COUNT * DIMENSIONS);
  for (let start = 0; start < vectors.length; start += DIMENSIONS) {
    vectors.set(
      unitVector(() => random.next() + random.next() + random.next() - 1.5),
      start,
    );
  }
  const queries = Array.from({ length: 30 }, () => unitVector(() => random.next() - 0.5));
  const contenders = [
    reading(vectors.byteLength),
    own("float, SIMD", { format: "float" }, vectors),
    own("int8 + floats, SIMD", { format: "both" }, vectors),
    own("int8 alone, SIMD", { format: "int8" }, vectors),
    own("float, plain JS", { format: "float", kernel: "scalar" }, vectors),
    hnswlib(packages, vectors),
    usearch(packages, vectors),
  ];
  return { queries, contenders: contenders.filter((contender) => contender !== undefined) };
}

function unitVector(next: () => number): Float32Array {
  const vector = Float32Array.from({ length: DIMENSIONS }, next);
  const length = Math.hypot(...vector);
  return vector.map((component) => component / length);
}

/**
 * Comparing two equal halves reads every byte once, by the C library's widest loads, and does next to nothing with
 * them.
 */
function reading(sizeBytes: number): Timed {
  const half = Buffer.alloc(sizeBytes / 2, 1);
  const other = Buffer.alloc(sizeBytes / 2, 1);
  return {
    name: "reading the memory",
    run() {
      if (!half.equals(other)) throw new Error("the halves differ");
      return undefined;
    },
  };
}

function own(name: string, options: Omit<VectorIndexOptions, "dimensions">, vectors: Float32Array): Timed {
  const index = new VectorIndex({ dimensions: DIMENSIONS, ...options });
  for (let id = 0; id < VECTOR_COUNT; id++) index.add(id, vectors.subarray(id * DIMENSIONS, (id + 1) * DIMENSIONS));
  return { name, run: (query) => index.search(query, { k: 10 }).map(({ id }) => id) };
}

interface Hnswlib {
  readonly BruteforceSearch: new (
    space: string,
    dimensions: number,
  ) => {
    initIndex(capacity: number): void;
    addPoint(point: number[], id: number): void;
    searchKnn(query: number[], k: number): { neighbors: number[]; distances: number[] };
  };
}

function hnswlib(packages: Packages, vectors: Float32Array): Timed | undefined {
  const library = packages.load("hnswlib-node") as Hnswlib | undefined;
  if (!library) return undefined;
  const index = new library.BruteforceSearch("ip", DIMENSIONS);
  index.initIndex(VECTOR_COUNT);
  for (let id = 0; id < VECTOR_COUNT; id++) {
    index.addPoint(Array.from(vectors.subarray(id * DIMENSIONS, (id + 1) * DIMENSIONS)), id);
  }
  return { name: "hnswlib-node, brute force", run: (query) => nearestFirst(index.searchKnn(Array.from(query), 10)) };
}

function nearestFirst({ neighbors, distances }: { neighbors: number[]; distances: number[] }): number[] {
  return neighbors
    .map((_, at) => at)
    .sort((one, other) => distances[one]! - distances[other]!)
    .map((at) => neighbors[at]!);
}

interface Usearch {
  readonly MetricKind: Readonly<Record<string, string>>;
  exactSearch(
    ...args: [
      vectors: Float32Array,
      query: Float32Array,
      dimensions: number,
      k: number,
      metric: string,
      threads: number,
    ]
  ): { keys: BigUint64Array };
}

function usearch(packages: Packages, vectors: Float32Array): Timed | undefined {
  const library = packages.load("usearch") as Usearch | undefined;
  if (!library) return undefined;
  const search = (query: Float32Array) =>
    library.exactSearch(vectors, query, DIMENSIONS, 10, library.MetricKind["IP"]!, 1);
  return { name: "usearch, exact", run: (query) => Array.from(search(query).keys, Number) };
}
