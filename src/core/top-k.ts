/**
 * A stream of (id, score) -> the k best, in a bounded heap.
 *
 * Order: higher scores first; equal scores by the smaller id, so that a result never depends on the order of arrival.
 * Cost: one comparison for an offer that does not enter, O(log k) for one that does.
 */
export interface Hit {
  readonly id: number;
  readonly score: number;
}

export class TopK {
  readonly #capacity: number;
  /** A binary heap whose root is the worst of the best. */
  readonly #ids: Uint32Array;
  readonly #scores: Float64Array;
  #size = 0;

  /** `capacity` is the k of "k best": an integer of at least 1. */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new RangeError(`Cannot keep the ${capacity} best: expected an integer of at least 1`);
    }
    this.#capacity = capacity;
    this.#ids = new Uint32Array(capacity);
    this.#scores = new Float64Array(capacity);
  }

  /** The score that an offer must reach to enter; -Infinity while there is room. */
  get threshold(): number {
    return this.#size < this.#capacity ? -Infinity : this.#scores[0]!;
  }

  get size(): number {
    return this.#size;
  }

  offer(id: number, score: number): void {
    if (this.#size < this.#capacity) {
      this.#size++;
      this.#siftUp(this.#size - 1, id, score);
    } else if (isBetter(score, id, this.#scores[0]!, this.#ids[0]!)) {
      this.#siftDown(0, id, score);
    }
  }

  /** The hits, best first. */
  hits(): Hit[] {
    const found: Hit[] = [];
    for (let at = 0; at < this.#size; at++) found.push({ id: this.#ids[at]!, score: this.#scores[at]! });
    return found.sort(compareHits);
  }

  #siftUp(from: number, id: number, score: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBetter(this.#scores[parent]!, this.#ids[parent]!, score, id)) break;
      this.#place(at, parent);
      at = parent;
    }
    this.#ids[at] = id;
    this.#scores[at] = score;
  }

  #siftDown(from: number, id: number, score: number): void {
    let at = from;
    for (let child = 2 * at + 1; child < this.#size; child = 2 * at + 1) {
      const other = child + 1;
      if (other < this.#size && this.#isWorse(other, child)) child = other;
      if (!isBetter(score, id, this.#scores[child]!, this.#ids[child]!)) break;
      this.#place(at, child);
      at = child;
    }
    this.#ids[at] = id;
    this.#scores[at] = score;
  }

  #isWorse(one: number, other: number): boolean {
    return isBetter(this.#scores[other]!, this.#ids[other]!, this.#scores[one]!, this.#ids[one]!);
  }

  #place(to: number, from: number): void {
    this.#ids[to] = this.#ids[from]!;
    this.#scores[to] = this.#scores[from]!;
  }
}

/** For `sort`: the better hit first. */
export function compareHits(one: Hit, other: Hit): number {
  return other.score - one.score || one.id - other.id;
}

function isBetter(score: number, id: number, otherScore: number, otherId: number): boolean {
  return score > otherScore || (score === otherScore && id < otherId);
}
