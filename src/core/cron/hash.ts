/**
 * A job and a field to the number behind `H`: the same after every restart, and spread evenly over jobs.
 *
 * Source: FNV-1a, 32 bits, over the UTF-8 bytes of `<jobId>/<fieldIndex>`.
 */
const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

export function hashOfField(jobId: string, fieldIndex: number): number {
  let hash = OFFSET_BASIS;
  for (const byte of new TextEncoder().encode(`${jobId}/${fieldIndex}`)) hash = Math.imul(hash ^ byte, PRIME);
  return hash >>> 0;
}
