/** Vectors of chunks under the encoder that made them: one way, beside the words, by which a chunk is found. */
import type { Field } from "../../core/bm25.ts";
import { HASHED_DIMENSIONS, HashedEncoder } from "../../core/hashed-vectors.ts";
import { encodeLatent, LATENT_DIMENSIONS, type LatentModel } from "../../core/latent.ts";
import { VectorIndex } from "../../core/vectors.ts";

export interface HashedVectors {
  readonly kind: "hashed";
  /** Learns nothing more: queries and rows must agree. */
  readonly encoder: HashedEncoder;
  readonly index: VectorIndex;
}

export interface LatentVectors {
  readonly kind: "latent";
  readonly model: LatentModel;
  readonly index: VectorIndex;
}

export type VectorLeg = HashedVectors | LatentVectors;

export function hashedLeg(encoder: HashedEncoder): HashedVectors {
  return { kind: "hashed", encoder, index: new VectorIndex({ dimensions: HASHED_DIMENSIONS, format: "int8" }) };
}

export function latentLeg(model: LatentModel): LatentVectors {
  return { kind: "latent", model, index: new VectorIndex({ dimensions: LATENT_DIMENSIONS, format: "int8" }) };
}

/** Does nothing where the chunk is in the index already. */
export function addToLeg(leg: VectorLeg, chunkId: number, fields: readonly Field[]): void {
  if (leg.index.has(chunkId)) return;
  leg.index.add(chunkId, leg.kind === "hashed" ? leg.encoder.encode(fields) : encodeLatent(fields, leg.model));
}
