import assert from "node:assert/strict";
import { test } from "node:test";
import { hashLabels } from "../../src/core/label-set.ts";
import { SeriesIndex } from "../../src/core/series-index.ts";

/** Two label sets with one hash, found by trying. */
function findCollision(): readonly [string[], string[]] {
  const seen = new Map<number, string[]>();
  for (let index = 0; ; index++) {
    const labels = ["v", index.toString(36)];
    const other = seen.get(hashLabels(labels));
    if (other !== undefined) return [other, labels];
    seen.set(hashLabels(labels), labels);
  }
}

test("series whose labels hash alike are told apart, found and deleted one by one", () => {
  const [one, other] = findCollision().map((labels) => ({ labels })) as [{ labels: string[] }, { labels: string[] }];
  const index = new SeriesIndex<{ labels: string[] }>();
  index.add(one);
  assert.equal(index.get(other.labels), undefined);
  index.add(other);
  assert.equal(index.get(one.labels), one);
  assert.equal(index.get(other.labels), other);
  index.delete(one);
  assert.equal(index.get(one.labels), undefined);
  assert.equal(index.get(other.labels), other);
  index.delete(other);
  assert.equal(index.get(other.labels), undefined);
});
