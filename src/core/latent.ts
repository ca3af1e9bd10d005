/**
 * The user's own documents -> 64 directions of meaning, in which texts are near that share subjects without sharing
 * words.
 *
 * Source: S. Deerwester et al., "Indexing by latent semantic analysis", 1990; N. Halko, P.-G. Martinsson and J. Tropp,
 * "Finding structure with randomness", 2011, algorithm 4.4 (subspace iteration), started from fixed pseudo-random
 * numbers.
 * Order: the same documents give the same model.
 * Cost: five passes over a sample of at most 20 000 documents and 30 000 terms: a few seconds, in slices of a few
 * milliseconds.
 */
import { BlockReader, requireKind, writeBlock, writeJson } from "./blocks.ts";
import type { Field } from "./bm25.ts";
import { eachWord, termsOf } from "./terms.ts";
import { rarity } from "./lexical-plan.ts";
import { WordCache } from "./word-cache.ts";
import { diagonalise } from "./eigenvalues.ts";
import { multiplyByMatrix, orthonormalise, projectedSquares, pseudoRandomColumns } from "./subspace.ts";
import type { SparseRow } from "./subspace.ts";

export const LATENT_DIMENSIONS = 64;
/** The number changes with the layout, and with what text is made into terms. */
const SNAPSHOT_KIND = "pi-daemon latent model 1";

/**
 * Directions carried along beyond the wanted ones, and rounds of refinement: more of either changed no result
 * measurably.
 */
const SPARE_DIRECTIONS = 8;
const ROUNDS = 4;
const LARGEST_SAMPLE = 20_000;
const LARGEST_VOCABULARY = 30_000;
const SLICE_DOCUMENTS = 20;
const SLICE_TERMS = 10_000;

export interface LatentModel {
  /** Terms of at least two documents of the sample, and their row in `basis`. */
  readonly rows: ReadonlyMap<string, number>;
  readonly idfs: Float32Array;
  /** LATENT_DIMENSIONS numbers a term. */
  readonly basis: Float32Array;
  readonly documentCount: number;
}

/** The documents to learn from; each that is in the sample is read once. */
export interface DocumentSource {
  readonly documentCount: number;
  documentAt(index: number): readonly Field[];
}

/** Yields between slices; the sample is spread evenly over the documents. */
export function* trainLatent(source: DocumentSource): Generator<void, LatentModel> {
  const { documentCount } = source;
  const sampleSize = Math.min(documentCount, LARGEST_SAMPLE);
  const counts: Map<string, number>[] = [];
  for (let at = 0; at < sampleSize; at++) {
    counts.push(countFields(source.documentAt(Math.floor((at * documentCount) / sampleSize))));
    if (at % SLICE_DOCUMENTS === 0) yield;
  }
  const model = { ...(yield* chooseTerms(counts)), documentCount };
  const matrix: SparseRow[] = [];
  for (const count of counts) {
    matrix.push(toUnitRow(weighTerms(count, model)));
    if (matrix.length % SLICE_DOCUMENTS === 0) yield;
  }
  return { ...model, basis: yield* findBasis(matrix, model.rows.size) };
}

/** LATENT_DIMENSIONS components, not scaled; all zeros for a text without a term of the model. */
export function encodeLatent(fields: readonly Field[], model: LatentModel): Float32Array {
  const { terms, weights } = weighTerms(countFields(fields), model);
  const vector = new Float32Array(LATENT_DIMENSIONS);
  for (let at = 0; at < terms.length; at++) {
    const start = terms[at]! * LATENT_DIMENSIONS;
    const weight = weights[at]!;
    for (let column = 0; column < LATENT_DIMENSIONS; column++) vector[column]! += weight * model.basis[start + column]!;
  }
  return vector;
}

/** The model in pieces that `readLatentModel` takes, joined. */
export function* writeLatentModel({ rows, idfs, basis, documentCount }: LatentModel): Generator<Uint8Array> {
  yield* writeJson(SNAPSHOT_KIND);
  yield* writeJson({ documentCount, terms: [...rows.keys()] });
  yield* writeBlock(idfs);
  yield* writeBlock(basis);
}

/** A RangeError where the bytes are no such model or end early. */
export function readLatentModel(bytes: Uint8Array): LatentModel {
  const reader = new BlockReader(bytes);
  requireKind(reader, SNAPSHOT_KIND);
  const { documentCount, terms } = reader.json() as { documentCount: number; terms: string[] };
  const [idfs, basis] = [reader.float32(), reader.float32()];
  if (idfs.length !== terms.length || basis.length !== terms.length * LATENT_DIMENSIONS) {
    throw new RangeError("Cannot read a snapshot: terms and their directions do not match");
  }
  return { rows: new Map(terms.map((term, row) => [term, row])), idfs, basis, documentCount };
}

/** Shared by all models: the terms of a word depend on nothing else. */
const knownWords = new WordCache(termsOf);

function countFields(fields: readonly Field[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { text, weight } of fields) {
    eachWord(text, (start, end) => {
      for (const term of knownWords.get(text, start, end)) counts.set(term, (counts.get(term) ?? 0) + weight);
    });
  }
  return counts;
}

type WeightedTerms = Pick<LatentModel, "rows" | "idfs">;

function* chooseTerms(documents: readonly Map<string, number>[]): Generator<void, WeightedTerms> {
  const frequencies = new Map<string, number>();
  for (let at = 0; at < documents.length; at++) {
    for (const term of documents[at]!.keys()) frequencies.set(term, (frequencies.get(term) ?? 0) + 1);
    if (at % SLICE_DOCUMENTS === 0) yield;
  }
  const rows = new Map<string, number>();
  const idfs: number[] = [];
  for (const [frequency, terms] of yield* groupByFrequency(frequencies)) {
    yield;
    for (const term of terms.sort().slice(0, LARGEST_VOCABULARY - rows.size)) {
      rows.set(term, rows.size);
      idfs.push(rarity(frequency, documents.length));
    }
  }
  return { rows, idfs: Float32Array.from(idfs) };
}

/** The terms of more than one document, the most frequent first. */
function* groupByFrequency(frequencies: ReadonlyMap<string, number>): Generator<void, [number, string[]][]> {
  const groups = new Map<number, string[]>();
  let seen = 0;
  for (const [term, frequency] of frequencies) {
    if (++seen % SLICE_TERMS === 0) yield;
    if (frequency < 2) continue;
    const group = groups.get(frequency);
    if (group === undefined) groups.set(frequency, [term]);
    else group.push(term);
  }
  return [...groups].sort(([one], [other]) => other - one);
}

function weighTerms(counts: ReadonlyMap<string, number>, { rows, idfs }: WeightedTerms): SparseRow {
  const terms: number[] = [];
  const weights: number[] = [];
  for (const [term, count] of counts) {
    const row = rows.get(term);
    if (row === undefined) continue;
    terms.push(row);
    weights.push((1 + Math.log(count)) * idfs[row]!);
  }
  return { terms: Uint32Array.from(terms), weights: Float32Array.from(weights) };
}

function toUnitRow({ terms, weights }: SparseRow): SparseRow {
  const length = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0)) || 1;
  return { terms, weights: weights.map((weight) => weight / length) };
}

/** The first right singular vectors of the matrix, by rows of LATENT_DIMENSIONS; zeros where the matrix has fewer. */
function* findBasis(matrix: readonly SparseRow[], termCount: number): Generator<void, Float32Array> {
  const width = LATENT_DIMENSIONS + SPARE_DIRECTIONS;
  let columns = yield* pseudoRandomColumns(termCount, width);
  yield* orthonormalise(columns, width);
  for (let round = 0; round < ROUNDS; round++) {
    columns = yield* multiplyByMatrix(matrix, columns, width);
    yield* orthonormalise(columns, width);
  }
  const squares = yield* projectedSquares(matrix, columns, width);
  const { vectors, order } = yield* diagonalise(squares, width);
  const basis = new Float32Array(termCount * LATENT_DIMENSIONS);
  for (let term = 0; term < termCount; term++) {
    if (term % 1000 === 999) yield;
    for (let column = 0; column < LATENT_DIMENSIONS; column++) {
      let sum = 0;
      for (let at = 0; at < width; at++) sum += columns[term * width + at]! * vectors[at * width + order[column]!]!;
      basis[term * LATENT_DIMENSIONS + column] = sum;
    }
  }
  return basis;
}
