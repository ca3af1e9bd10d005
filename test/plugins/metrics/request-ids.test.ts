import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestIds } from "../../../src/plugins/metrics/request-ids.ts";

const FIVE_MINUTES = 300_000;

test("an id is remembered for five minutes of running time", () => {
  const ids = new RequestIds();
  ids.add("a", 1000);
  assert.equal(ids.look("a", 1000 + FIVE_MINUTES - 1), "seen");
  assert.equal(ids.look("a", 1000 + FIVE_MINUTES), undefined);
  assert.equal(ids.size, 0);
});

test("a full table refuses new ids and forgets no young one", () => {
  const ids = new RequestIds();
  ids.capacity = 2;
  ids.add("a", 0);
  ids.add("b", 10);
  assert.equal(ids.look("c", 20), "full");
  assert.equal(ids.look("a", 20), "seen");
  assert.equal(ids.look("c", FIVE_MINUTES), undefined);
});

test("an id that is being written is waited for; a failure frees it", async () => {
  const ids = new RequestIds();
  const { promise, reject } = Promise.withResolvers<void>();
  ids.hold("a", promise).catch(() => undefined);
  assert.equal(ids.look("a", 0), promise);
  reject(new Error("disk full"));
  await promise.catch(() => undefined);
  assert.equal(ids.look("a", 0), undefined);
});

test("what is saved is restored", () => {
  const ids = new RequestIds();
  ids.add("a", 5);
  const copy = new RequestIds();
  copy.restore(JSON.parse(JSON.stringify(ids)) as [string, number][]);
  assert.equal(copy.look("a", 5 + FIVE_MINUTES - 1), "seen");
  assert.equal(copy.look("a", 5 + FIVE_MINUTES), undefined);
});
