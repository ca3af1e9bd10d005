/**
 * A small symmetric matrix -> its eigenvalues and eigenvectors.
 *
 * Source: the cyclic Jacobi method (G. Golub and C. Van Loan, "Matrix Computations", 8.5).
 * Order: `order` lists the eigenvalues from the largest to the smallest; column c of `vectors` belongs to value c.
 * Cost: size cubed for each sweep, of which a dozen suffice; yields after each.
 */
export interface Eigensystem {
  readonly values: Float64Array;
  /** Row by row. */
  readonly vectors: Float64Array;
  readonly order: readonly number[];
}

const LARGEST_SWEEPS = 30;
/** Relative to the diagonal; what is left beside it then is rounding. */
const NEGLIGIBLE = 1e-14;

/** `matrix`, row by row, is overwritten. */
export function* diagonalise(matrix: Float64Array, size: number): Generator<void, Eigensystem> {
  const vectors = new Float64Array(size * size);
  for (let at = 0; at < size; at++) vectors[at * size + at] = 1;
  for (let sweep = 0, rotated = true; rotated && sweep < LARGEST_SWEEPS; sweep++) {
    rotated = false;
    for (let row = 0; row < size; row++) {
      for (let column = row + 1; column < size; column++) {
        if (rotate({ matrix, vectors, size }, row, column)) rotated = true;
      }
    }
    yield;
  }
  const values = Float64Array.from({ length: size }, (_, at) => matrix[at * size + at]!);
  const order = [...values.keys()].sort((one, other) => values[other]! - values[one]! || one - other);
  return { values, vectors, order };
}

interface Work {
  readonly matrix: Float64Array;
  readonly vectors: Float64Array;
  readonly size: number;
}

/** Turns the plane of two axes so that they no longer mix; false where they hardly did. */
function rotate({ matrix, vectors, size }: Work, row: number, column: number): boolean {
  const mixed = matrix[row * size + column]!;
  const first = matrix[row * size + row]!;
  const second = matrix[column * size + column]!;
  if (Math.abs(mixed) <= NEGLIGIBLE * Math.sqrt(Math.abs(first * second)) || mixed === 0) return false;
  const ratio = (second - first) / (2 * mixed);
  const tangent = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.sqrt(ratio * ratio + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const by: Turn = { cosine, sine: tangent * cosine };
  for (let at = 0; at < size; at++) turn(matrix, [at * size + row, at * size + column], by);
  for (let at = 0; at < size; at++) turn(matrix, [row * size + at, column * size + at], by);
  for (let at = 0; at < size; at++) turn(vectors, [at * size + row, at * size + column], by);
  return true;
}

interface Turn {
  readonly cosine: number;
  readonly sine: number;
}

function turn(numbers: Float64Array, pair: readonly [number, number], { cosine, sine }: Turn): void {
  const [one, other] = pair;
  const a = numbers[one]!;
  const b = numbers[other]!;
  numbers[one] = cosine * a - sine * b;
  numbers[other] = sine * a + cosine * b;
}
