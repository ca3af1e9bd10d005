/**
 * Turns a stream of keyed requests into "go on" or "come back in so many seconds": one token bucket for each key.
 *
 * Units: milliseconds of a monotonic clock, given by the caller.
 * Cost: constant for each request. At most {@link MAX_BUCKETS} buckets; keys beyond that share one.
 */

/** `requestsPerSecond` 0 switches the limit off. */
export interface RateLimitSettings {
  readonly requestsPerSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  updatedMs: number;
}

export const MAX_BUCKETS = 4096;
const OVERFLOW_KEY = "";

export class RateLimiter {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(settings: RateLimitSettings) {
    this.#perMs = settings.requestsPerSecond / 1000;
    this.#burst = Math.max(1, settings.burst);
  }

  /** Takes one token of `key`. Answers 0 when there was one, else the whole seconds until there is. */
  take(key: string, nowMs: number): number {
    if (this.#perMs === 0) return 0;
    const bucket = this.#buckets.get(key) ?? this.#open(key, nowMs);
    const tokens = Math.min(this.#burst, bucket.tokens + (nowMs - bucket.updatedMs) * this.#perMs);
    bucket.updatedMs = nowMs;
    bucket.tokens = tokens < 1 ? tokens : tokens - 1;
    return tokens < 1 ? Math.max(1, Math.ceil((1 - tokens) / this.#perMs / 1000)) : 0;
  }

  /** Forgets the buckets that are full again: a new one would be the same. */
  prune(nowMs: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (bucket.tokens + (nowMs - bucket.updatedMs) * this.#perMs >= this.#burst) this.#buckets.delete(key);
    }
  }

  get size(): number {
    return this.#buckets.size;
  }

  #open(key: string, nowMs: number): Bucket {
    const ownKey = this.#buckets.size < MAX_BUCKETS ? key : OVERFLOW_KEY;
    const bucket = this.#buckets.get(ownKey) ?? { tokens: this.#burst, updatedMs: nowMs };
    this.#buckets.set(ownKey, bucket);
    return bucket;
  }
}
