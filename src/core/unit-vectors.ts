/** Vectors of any length -> vectors of length 1, and the sums that compare them, in double precision and one order. */
type Numbers = Int8Array | Float32Array | Float64Array;

/**
 * A copy of length 1 (all zeros stay zeros); a RangeError for a wrong number of components or one that is not finite.
 */
export function toUnitLength(vector: ArrayLike<number>, dimensions: number): Float64Array {
  if (vector.length !== dimensions) {
    throw new RangeError(`Cannot use a vector of ${vector.length} components: this index holds ${dimensions} in each`);
  }
  const unit = new Float64Array(dimensions);
  for (let at = 0; at < dimensions; at++) unit[at] = vector[at]!;
  const largest = largestMagnitude(unit);
  if (!Number.isFinite(largest)) {
    throw new RangeError("Cannot use a vector with a component that is no finite number");
  }
  if (largest === 0) return unit;
  // Scaled by the largest first, so that no square leaves the range of a double.
  for (let at = 0; at < dimensions; at++) unit[at]! /= largest;
  const length = Math.sqrt(multiply(unit, unit));
  for (let at = 0; at < dimensions; at++) unit[at]! /= length;
  return unit;
}

/** NaN when a component is. */
export function largestMagnitude(vector: Float64Array): number {
  let largest = 0;
  for (let at = 0; at < vector.length; at++) largest = Math.max(largest, Math.abs(vector[at]!));
  return largest;
}

export function multiply(row: Numbers, query: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < query.length; at++) sum += row[at]! * query[at]!;
  return sum;
}

/** From a vector to what stands for it: numbers times a scale. */
export function distance(vector: Float64Array, numbers: Numbers, scale: number): number {
  let sum = 0;
  for (let at = 0; at < vector.length; at++) {
    const cut = vector[at]! - numbers[at]! * scale;
    sum += cut * cut;
  }
  return Math.sqrt(sum);
}
