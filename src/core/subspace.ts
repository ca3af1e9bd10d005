/**
 * The steps of subspace iteration over a sparse matrix, its rows documents and its columns terms.
 *
 * Layout: a set of columns is one flat array, `width` numbers for each term, so that a term's numbers lie together.
 * Cost: each step yields every few milliseconds.
 */
export interface SparseRow {
  readonly terms: Uint32Array;
  readonly weights: Float32Array;
}

const SLICE_ROWS = 100;
const SLICE_TERMS = 500;
/** A column that depends on those before it, to within rounding, is no direction of its own. */
const DEPENDENT = 1e-10;

/** Numbers between -1 and 1 that look random, and are always the same. */
export function* pseudoRandomColumns(termCount: number, width: number): Generator<void, Float64Array> {
  const columns = new Float64Array(termCount * width);
  let state = 0x9e3779b9;
  for (let at = 0; at < columns.length; at++) {
    if (at % (SLICE_TERMS * width) === 0) yield;
    // xorshift32 (G. Marsaglia, 2003)
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    columns[at] = (state >>> 0) / 2 ** 31 - 1;
  }
  return columns;
}

/** The transposed matrix times the matrix times the columns. */
export function* multiplyByMatrix(
  matrix: readonly SparseRow[],
  columns: Float64Array,
  width: number,
): Generator<void, Float64Array> {
  const product = new Float64Array(columns.length);
  const projection = new Float64Array(width);
  for (let row = 0; row < matrix.length; row++) {
    if (row % SLICE_ROWS === SLICE_ROWS - 1) yield;
    project(matrix[row]!, columns, projection);
    const { terms, weights } = matrix[row]!;
    for (let at = 0; at < terms.length; at++) {
      const start = terms[at]! * width;
      const weight = weights[at]!;
      for (let column = 0; column < width; column++) product[start + column]! += weight * projection[column]!;
    }
  }
  return product;
}

/** The matrix, seen from the columns: (matrix x columns) transposed times itself, `width` x `width`. */
export function* projectedSquares(
  matrix: readonly SparseRow[],
  columns: Float64Array,
  width: number,
): Generator<void, Float64Array> {
  const squares = new Float64Array(width * width);
  const projection = new Float64Array(width);
  for (let row = 0; row < matrix.length; row++) {
    if (row % SLICE_ROWS === SLICE_ROWS - 1) yield;
    project(matrix[row]!, columns, projection);
    addOuterSquare(squares, projection);
  }
  return squares;
}

/**
 * Makes the columns orthonormal, in place, by the Cholesky factor of their products with one another; twice, because
 * once leaves the rounding of badly conditioned columns. Dependent columns become zeros.
 */
export function* orthonormalise(columns: Float64Array, width: number): Generator<void, void> {
  for (let pass = 0; pass < 2; pass++) {
    const products = new Float64Array(width * width);
    for (let start = 0; start < columns.length; start += width) {
      if ((start / width) % SLICE_TERMS === SLICE_TERMS - 1) yield;
      addOuterSquare(products, columns.subarray(start, start + width));
    }
    const factor = factorise(products, width);
    for (let start = 0; start < columns.length; start += width) {
      if ((start / width) % SLICE_TERMS === SLICE_TERMS - 1) yield;
      solveRow(columns.subarray(start, start + width), factor, width);
    }
  }
}

function project({ terms, weights }: SparseRow, columns: Float64Array, into: Float64Array): void {
  const width = into.length;
  into.fill(0);
  for (let at = 0; at < terms.length; at++) {
    const start = terms[at]! * width;
    const weight = weights[at]!;
    for (let column = 0; column < width; column++) into[column]! += weight * columns[start + column]!;
  }
}

/** Adds the products of a vector's components with one another. */
function addOuterSquare(into: Float64Array, vector: Float64Array): void {
  const width = vector.length;
  for (let row = 0; row < width; row++) {
    const factor = vector[row]!;
    if (factor === 0) continue;
    for (let column = 0; column < width; column++) into[row * width + column]! += factor * vector[column]!;
  }
}

/** The lower Cholesky factor; a zero on its diagonal marks a dependent column. */
function factorise(products: Float64Array, width: number): Float64Array {
  const factor = new Float64Array(width * width);
  for (let row = 0; row < width; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = products[row * width + column]!;
      for (let at = 0; at < column; at++) sum -= factor[row * width + at]! * factor[column * width + at]!;
      const pivot = factor[column * width + column]!;
      const isDependent = sum <= DEPENDENT * products[row * width + row]!;
      if (row === column) factor[row * width + row] = isDependent ? 0 : Math.sqrt(sum);
      else factor[row * width + column] = pivot === 0 ? 0 : sum / pivot;
    }
  }
  return factor;
}

/** Replaces a row r of the columns by r times the inverse of the transposed factor. */
function solveRow(row: Float64Array, factor: Float64Array, width: number): void {
  for (let column = 0; column < width; column++) {
    let sum = row[column]!;
    for (let at = 0; at < column; at++) sum -= row[at]! * factor[column * width + at]!;
    const pivot = factor[column * width + column]!;
    row[column] = pivot === 0 ? 0 : sum / pivot;
  }
}
