/**
 * Matching with wildcards, without regular expressions and without their explosions.
 *
 * Cost: text x pattern at worst: on a mismatch only the last star is gone back to, which loses nothing, because what
 * follows a star need not care how much the stars before it took.
 */

/** A pattern over a text of characters, a path of names: whatever has a length. */
export interface Wildcards {
  /** Of the pattern, in items. */
  readonly length: number;
  /** Whether an item stands for any stretch of the text, also an empty one. */
  isStar(item: number): boolean;
  /** The position after what another item matches at `at`, -1 when it does not match there. */
  step(item: number, at: number): number;
}

/** Whether the pattern covers the whole text. */
export function coversAll(pattern: Wildcards, textLength: number): boolean {
  let at = 0;
  let item = 0;
  let star = -1;
  let resumeAt = 0;
  while (at < textLength) {
    if (item < pattern.length && pattern.isStar(item)) {
      star = item++;
      resumeAt = at;
      continue;
    }
    const next = item < pattern.length ? pattern.step(item, at) : -1;
    if (next >= 0) {
      item++;
      at = next;
    } else if (star >= 0) {
      item = star + 1;
      at = ++resumeAt;
    } else {
      return false;
    }
  }
  while (item < pattern.length && pattern.isStar(item)) item++;
  return item === pattern.length;
}

/** Whether a pattern with `*` (any characters, slashes too) and `?` (one) covers the whole text. */
export function matchesWildcards(text: string, pattern: string): boolean {
  const wildcards: Wildcards = {
    length: pattern.length,
    isStar: (item) => pattern[item] === "*",
    step: (item, at) => (pattern[item] === "?" || pattern[item] === text[at] ? at + 1 : -1),
  };
  return coversAll(wildcards, text.length);
}
