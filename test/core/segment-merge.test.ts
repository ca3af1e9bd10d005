import assert from "node:assert/strict";
import { test } from "node:test";
import { type Segment, SegmentBuilder } from "../../src/core/segment.ts";
import { mergeSegments } from "../../src/core/segment-merge.ts";
import { appendField, codeOfPart, TermCounts } from "../../src/core/token-sequence.ts";
import { forEachSeed, type Random } from "../support/random.ts";

interface Row {
  readonly id: number;
  readonly terms: readonly number[];
}

function randomRows(random: Random, firstId: number): Row[] {
  return Array.from({ length: random.int(0, 40) }, (_, at) => ({
    id: firstId + at,
    terms: Array.from({ length: random.int(0, 30) }, () => Math.floor(60 ** random.next())),
  }));
}

function seal(rows: readonly Row[]): Segment {
  const builder = new SegmentBuilder();
  for (const { id, terms } of rows) {
    appendField(builder.sequences, 1, terms.map(codeOfPart));
    builder.endRow(id, terms.length);
  }
  return builder.seal(new TermCounts());
}

test("merged segments are what the same documents make afresh, whatever has gone of them", () => {
  forEachSeed(60, (random) => {
    const dying = random.pick([0, 0.3, 1]);
    const all = Array.from({ length: random.int(1, 3) }, (_, at) => randomRows(random, 100 * at));
    const living: Row[] = [];
    const segments = all.map((rows) => {
      const segment = seal(rows);
      rows.forEach((row, at) => {
        if (random.next() >= dying) return void living.push(row);
        segment.live[at] = 0;
        segment.liveCount--;
      });
      return segment;
    });
    assert.deepEqual(mergeSegments(segments), seal(living));
  });
});
