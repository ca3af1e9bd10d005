/**
 * Vectors of floats <-> two bytes for each component: the scale, then the components as parts of it.
 *
 * Units: bytes, little end first. The error is at most 1/65534 of the largest component: far below what a model's own
 * rounding changes.
 */
const SCALE_BYTES = 4;
const LARGEST = 32_767;

export function packVector(vector: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(SCALE_BYTES + 2 * vector.length);
  const view = new DataView(bytes.buffer);
  let largest = 0;
  for (let at = 0; at < vector.length; at++) largest = Math.max(largest, Math.abs(vector[at]!));
  view.setFloat32(0, largest, true);
  if (largest === 0) return bytes;
  for (let at = 0; at < vector.length; at++) {
    view.setInt16(SCALE_BYTES + 2 * at, Math.round((vector[at]! / largest) * LARGEST), true);
  }
  return bytes;
}

/** `undefined` for bytes that are no packed vector. */
export function unpackVector(bytes: Uint8Array): Float32Array | undefined {
  const count = (bytes.length - SCALE_BYTES) / 2;
  if (!Number.isInteger(count) || count < 1) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const scale = view.getFloat32(0, true) / LARGEST;
  if (!Number.isFinite(scale)) return undefined;
  const vector = new Float32Array(count);
  for (let at = 0; at < count; at++) vector[at] = view.getInt16(SCALE_BYTES + 2 * at, true) * scale;
  return vector;
}
