/**
 * The segments of an index, and where each document is among them.
 *
 * Cost: a segment that is half empty is rewritten, and segments of like size are merged while they fit in one, so there
 * are only a handful of small ones and a document is rewritten at most about twelve times in its life.
 */
import { IdTable } from "./id-table.ts";
import { SEGMENT_ROWS, segmentBytes, SegmentBuilder } from "./segment.ts";
import type { Segment } from "./segment.ts";
import type { TermCounts } from "./token-sequence.ts";

export interface Place {
  readonly segment: Segment;
  readonly row: number;
}

export class SegmentStore {
  readonly #slots: (Segment | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  /** By id: slot x SEGMENT_ROWS + row. */
  readonly #places = new IdTable();
  readonly #scratch: TermCounts;

  constructor(scratch: TermCounts) {
    this.#scratch = scratch;
  }

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
    this.#mergeAlike();
  }

  /** Takes a document out; the id must be here. */
  remove(id: number): void {
    const { segment, row } = this.locate(id)!;
    segment.live[row] = 0;
    segment.liveCount--;
    this.#places.delete(id);
    if (segment.liveCount * 2 >= segment.ids.length) return;
    this.#replace([segment]);
    this.#mergeAlike();
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
    const builder = new SegmentBuilder();
    for (const segment of segments) {
      builder.addLiveRows(segment);
      const slot = this.#slots.indexOf(segment);
      this.#slots[slot] = undefined;
      this.#freeSlots.push(slot);
    }
    if (builder.rowCount > 0) this.place(builder.seal(this.#scratch));
  }

  /** Merges the smallest two of like size that fit in one, until there are none. */
  #mergeAlike(): void {
    for (;;) {
      const small = [...this].filter((segment) => segment.liveCount <= SEGMENT_ROWS / 2);
      small.sort((one, other) => one.liveCount - other.liveCount);
      const first = small.findIndex((segment, index) => {
        const next = small[index + 1];
        return next !== undefined && next.liveCount <= 2 * segment.liveCount;
      });
      if (first === -1) return;
      this.#replace(small.slice(first, first + 2));
    }
  }
}
