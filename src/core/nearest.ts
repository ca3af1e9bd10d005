/**
 * Finds the candidate that a mistyped word was most likely meant to be.
 *
 * Source: optimal string alignment distance (insert, delete, replace, swap of neighbours: one each), case ignored.
 * Cost: O(word * candidate) for each candidate; words longer than {@link LONGEST_WORD} have no neighbour.
 */
const LONGEST_WORD = 64;

/** The nearest candidate, the first of equals; `undefined` when none is within a third of the longer one's length. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word === "" || word.length > LONGEST_WORD) return undefined;
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const limit = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    if (Math.abs(word.length - candidate.length) > limit) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    // A distance as long as the word itself would mean that nothing of it was kept.
    if (distance > limit || distance >= bestDistance || distance >= word.length) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** The least number of single-character edits that turn one text into the other. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = last[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      let least = Math.min(replaced, last[column]! + 1, current[column - 1]! + 1);
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) least = Math.min(least, beforeLast[column - 2]! + 1);
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length]!;
}
