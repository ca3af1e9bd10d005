import assert from "node:assert/strict";
import { test } from "node:test";
import { readRetryAfter } from "../../src/core/retry-after.ts";

test("seconds, a date, or nothing", () => {
  const nowMs = Date.UTC(2026, 0, 1);
  assert.equal(readRetryAfter("0", nowMs), 0);
  assert.equal(readRetryAfter("120", nowMs), 120_000);
  assert.equal(readRetryAfter("Thu, 01 Jan 2026 00:01:00 GMT", nowMs), 60_000);
  for (const value of [undefined, "", "soon", "-1", "Wed, 31 Dec 2025 00:00:00 GMT", ["1"]])
    assert.equal(readRetryAfter(value, nowMs), undefined);
});
