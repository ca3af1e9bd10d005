/**
 * The segments of an index, and where each document is among them.
 *
 * Cost: a segment that is half empty is rewritten, and segments of like size are merged by fours, so there are only a
 * handful of small ones and a document is rewritten a few times in its life.
 */
import { IdTable } from "./id-table.ts";
import { SEGMENT_ROWS, segmentBytes } from "./segment.ts";
import { mergeSegments } from "./segment-merge.ts";
import type { Segment } from "./segment.ts";

/** So many become one: by twos they would be rewritten twice as often. */
const MERGED = 4;

export interface Place {
  readonly segment: Segment;
  readonly row: number;
}

export class SegmentStore {
  readonly #slots: (Segment | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  /** By id: slot x SEGMENT_ROWS + row. */
  readonly #places = new IdTable();
  /** Whether there may be segments to merge. */
  #isUntidy = false;

  *[Symbol.iterator](): Generator<Segment> {
    for (const segment of this.#slots) if (segment) yield segment;
  }

  get sizeBytes(): number {
    let sum = this.#places.sizeBytes;
    for (const segment of this) sum += segmentBytes(segment);
    return sum;
  }

  /** Undefined for an id that is not here (any more). */
  locate(id: number): Place | undefined {
    const place = this.#places.get(id);
    if (place === undefined) return undefined;
    return { segment: this.#slots[Math.floor(place / SEGMENT_ROWS)]!, row: place % SEGMENT_ROWS };
  }

  insert(segment: Segment): void {
    this.place(segment);
    this.#isUntidy = true;
  }

  /** Merges the smallest few of like size, if there are such; to be called again and again. */
  tidy(): void {
    if (!this.#isUntidy) return;
    const small = [...this].filter((segment) => segment.liveCount <= SEGMENT_ROWS / MERGED);
    small.sort((one, other) => one.liveCount - other.liveCount);
    const first = small.findIndex(({ liveCount }, index) => {
      const last = small[index + MERGED - 1];
      return last !== undefined && last.liveCount <= 2 * liveCount;
    });
    if (first === -1) this.#isUntidy = false;
    else this.#replace(small.slice(first, first + MERGED));
  }

  /** Takes a document out; the id must be here. */
  remove(id: number): void {
    const { segment, row } = this.locate(id)!;
    segment.live[row] = 0;
    segment.liveCount--;
    this.#places.delete(id);
    if (segment.liveCount * 2 >= segment.ids.length) return;
    this.#replace([segment]);
    this.#isUntidy = true;
  }

  /** Takes a segment as it is, without merging. */
  place(segment: Segment): void {
    const slot = this.#freeSlots.pop() ?? this.#slots.length;
    this.#slots[slot] = segment;
    segment.ids.forEach((id, row) => {
      if (segment.live[row] === 1) this.#places.set(id, slot * SEGMENT_ROWS + row);
    });
  }

  /** Puts one segment with what lives of them in their place. */
  #replace(segments: readonly Segment[]): void {
    for (const segment of segments) {
      const slot = this.#slots.indexOf(segment);
      this.#slots[slot] = undefined;
      this.#freeSlots.push(slot);
    }
    const merged = mergeSegments(segments);
    if (merged.liveCount > 0) this.place(merged);
  }
}
