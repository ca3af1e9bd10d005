import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MAX_BUCKETS, RateLimiter } from "../../src/core/rate-limit.ts";
import { forEachSeed } from "../support/random.ts";

describe("RateLimiter", () => {
  it("lets a burst through, then as many as the rate says", () => {
    const limiter = new RateLimiter({ requestsPerSecond: 2, burst: 3 });
    assert.deepEqual(
      [0, 0, 0, 0, 0].map((nowMs) => limiter.take("a", nowMs)),
      [0, 0, 0, 1, 1],
    );
    assert.deepEqual(
      [499, 500, 501, 1000, 1001].map((nowMs) => limiter.take("a", nowMs)),
      [1, 0, 1, 0, 1],
    );
  });

  it("never saves up more than the burst", () => {
    const limiter = new RateLimiter({ requestsPerSecond: 1000, burst: 2 });
    limiter.take("a", 0);
    assert.deepEqual(
      [1e9, 1e9, 1e9].map((nowMs) => limiter.take("a", nowMs)),
      [0, 0, 1],
    );
  });

  it("says in whole seconds, at least one, when to come back", () => {
    const limiter = new RateLimiter({ requestsPerSecond: 0.1, burst: 1 });
    assert.equal(limiter.take("a", 0), 0);
    assert.equal(limiter.take("a", 0), 10);
    assert.equal(limiter.take("a", 4_500), 6);
    assert.equal(limiter.take("a", 9_999), 1);
    assert.equal(limiter.take("a", 10_000), 0);
  });

  it("counts each key apart", () => {
    const limiter = new RateLimiter({ requestsPerSecond: 1, burst: 1 });
    assert.deepEqual(
      ["a", "b", "a", "b"].map((key) => limiter.take(key, 0)),
      [0, 0, 1, 1],
    );
  });

  it("takes a burst below one as one", () => {
    const limiter = new RateLimiter({ requestsPerSecond: 1, burst: 0 });
    assert.deepEqual(
      [0, 0, 1000].map((nowMs) => limiter.take("a", nowMs)),
      [0, 1, 0],
    );
  });

  it("is off with a rate of 0", () => {
    const limiter = new RateLimiter({ requestsPerSecond: 0, burst: 1 });
    for (let count = 0; count < 100; count++) assert.equal(limiter.take("a", 0), 0);
    assert.equal(limiter.size, 0);
  });

  it("holds a bounded number of buckets; further keys share one, until pruning makes room", () => {
    const limiter = new RateLimiter({ requestsPerSecond: 1, burst: 1 });
    for (let key = 0; key < MAX_BUCKETS; key++) assert.equal(limiter.take(`key ${key}`, 0), 0);
    assert.deepEqual([limiter.take("late", 0), limiter.take("later", 0)], [0, 1]);
    assert.equal(limiter.size, MAX_BUCKETS + 1);
    limiter.prune(999);
    assert.equal(limiter.size, MAX_BUCKETS + 1);
    limiter.prune(1000);
    assert.equal(limiter.size, 0);
    assert.deepEqual([limiter.take("late", 1000), limiter.take("later", 1000)], [0, 0]);
  });

  it("lets through, in any window, no more than the burst and what the rate adds, however often it is pruned", () => {
    forEachSeed(50, (random) => {
      const settings = { requestsPerSecond: random.int(1, 50), burst: random.int(1, 20) };
      const limiter = new RateLimiter(settings);
      const passedMs: number[] = [];
      let nowMs = 0;
      for (let count = 0; count < 300; count++) {
        nowMs += random.int(0, 60);
        if (random.next() < 0.2) limiter.prune(nowMs);
        if (limiter.take("a", nowMs) === 0) passedMs.push(nowMs);
      }
      for (const [first, startMs] of passedMs.entries()) {
        for (let last = first; last < passedMs.length; last++) {
          const allowed = settings.burst + ((passedMs[last]! - startMs) / 1000) * settings.requestsPerSecond;
          assert.ok(last - first + 1 <= allowed + 1e-6, `${last - first + 1} passed where ${allowed} may`);
        }
      }
    });
  });
});
