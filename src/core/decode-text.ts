/**
 * Bytes of a file -> its text, if it is one.
 *
 * Source: as git and grep tell binary files apart: by a zero byte near the beginning.
 * Errors: none; bytes that are not UTF-8 become U+FFFD, one for each broken sequence.
 */
const LOOKED_AT_BYTES = 8_192;

/** `undefined` for a binary file. A byte order mark is left out. */
export function decodeText(bytes: Uint8Array): string | undefined {
  if (bytes.subarray(0, LOOKED_AT_BYTES).includes(0)) return undefined;
  return new TextDecoder().decode(bytes);
}
