/**
 * The vectors that one model has made of chunks, under their ids.
 *
 * A model is known by the vector that it makes of one fixed text, so that another one behind the same name is seen, and
 * the same one behind another address is, too.
 */
import { packVector, unpackVector } from "../../core/packed-vectors.ts";
import { VectorIndex } from "../../core/vectors.ts";
import type { BlobCache } from "../../system/blob-cache.ts";
import type { EmbeddingsConfig } from "./embedding-config.ts";

/** What models are told apart by. */
export const PROBE_TEXT = "The quick brown fox jumps over the lazy dog.";
/** The same model on other hardware, or in another batch, differs in the third digit at most. */
const SAME_MODEL_COSINE = 0.99;

export class EmbeddingSpace {
  /** Packed: the vector of {@link PROBE_TEXT}. */
  readonly #probe: Uint8Array;
  readonly #dimensions: number;
  readonly #documentPrefix: string;
  readonly index: VectorIndex;

  /** RangeError for a probe that no index can hold. */
  constructor(probe: Float32Array, { documentPrefix }: EmbeddingsConfig) {
    this.#probe = packVector(probe);
    this.#dimensions = probe.length;
    this.#documentPrefix = documentPrefix;
    // A quarter of the memory of floats; what is lost is less than what separates two models.
    this.index = new VectorIndex({ dimensions: probe.length, format: "int8" });
  }

  get packedProbe(): Uint8Array {
    return this.#probe;
  }

  isSameModel(probe: Float32Array): boolean {
    const own = unpackVector(this.#probe)!;
    return probe.length === own.length && cosine(probe, own) >= SAME_MODEL_COSINE;
  }

  takes(vector: Float32Array | undefined): vector is Float32Array {
    return vector?.length === this.#dimensions;
  }

  /** Of a chunk's text, in the cache. */
  keyOf(text: string, cache: Pick<BlobCache, "keyOf">): string {
    return cache.keyOf("chunk", this.#probe, this.#documentPrefix, text);
  }
}

/** Where in the cache the probe of a configuration stands. The address is no part of it. */
export function probeKeyOf(config: EmbeddingsConfig, cache: Pick<BlobCache, "keyOf">): string {
  return cache.keyOf("probe", identityOf(config));
}

/** The same for configurations of one model, whatever its address and key. */
export function identityOf({ model, dimensions, documentPrefix, queryPrefix }: EmbeddingsConfig): string {
  return JSON.stringify([model, dimensions, documentPrefix, queryPrefix]);
}

function cosine(one: Float32Array, other: Float32Array): number {
  let [product, oneSquared, otherSquared] = [0, 0, 0];
  for (let at = 0; at < one.length; at++) {
    product += one[at]! * other[at]!;
    oneSquared += one[at]! ** 2;
    otherSquared += other[at]! ** 2;
  }
  return product / Math.sqrt(oneSquared * otherSquared || 1);
}
