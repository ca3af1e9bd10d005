/**
 * Tells whether JSON text nests deeper than a limit, from its bytes alone, before anything is built from it.
 *
 * Source: RFC 8259; in UTF-8 the bytes of `"`, `\`, brackets and braces never occur inside another character.
 * Errors: none. Of text that is not JSON the answer means nothing but that the scan has ended.
 * Cost: one pass over the bytes, no allocation; none for text too short to hold so many brackets.
 */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export function exceedsJsonDepth(bytes: Uint8Array, maxDepth: number): boolean {
  const length = bytes.length;
  if (length <= maxDepth) return false;
  let depth = 0;
  for (let index = 0; index < length; index++) {
    const byte = bytes[index]!;
    if (byte === QUOTE) {
      index = skipString(bytes, index + 1);
    } else if (byte >= 0x5b) {
      // `[` and `{`, `]` and `}` differ in one bit only.
      const bracket = byte & 0xdf;
      if (bracket === 0x5b) {
        if (++depth > maxDepth) return true;
      } else if (bracket === 0x5d) depth--;
    }
  }
  return false;
}

/** The index of the quote that ends the string whose first byte stands at `start`. */
function skipString(bytes: Uint8Array, start: number): number {
  let index = start;
  while (index < bytes.length && bytes[index] !== QUOTE) index += bytes[index] === BACKSLASH ? 2 : 1;
  return index;
}
