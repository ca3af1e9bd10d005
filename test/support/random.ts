/**
 * Seeded randomness for property and fuzz tests: a failure names its seed, and `PI_DAEMON_TEST_SEED` replays it.
 *
 * Source: the mulberry32 generator (public domain), enough for tests and nothing else.
 */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** An integer in [low, high]. */
  int(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return { next, int, pick: (items) => items[int(0, items.length - 1)]! };
}

/** Runs `property` with `rounds` generators of their own; a failure says which seed to replay. */
export function forEachSeed(rounds: number, property: (random: Random, seed: number) => void): void {
  const replay = process.env["PI_DAEMON_TEST_SEED"];
  const seeds = replay === undefined ? Array.from({ length: rounds }, (_, index) => index + 1) : [Number(replay)];
  for (const seed of seeds) {
    try {
      property(seededRandom(seed), seed);
    } catch (error) {
      throw new Error(`with PI_DAEMON_TEST_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
}
