/** Ids -> where their rows are, in a flat table as long as the largest id. */
import { requireId } from "./id-set.ts";

const NOWHERE = -1;

export class IdTable {
  #places = new Int32Array(0);

  get sizeBytes(): number {
    return this.#places.byteLength;
  }

  /** Undefined for an id that has no place. */
  get(id: number): number | undefined {
    const place = this.#places[id] ?? NOWHERE;
    return place === NOWHERE ? undefined : place;
  }

  /** `place` is an integer from 0 to 2^31 - 1; a RangeError for an id out of bounds. */
  set(id: number, place: number): void {
    requireId(id);
    if (id >= this.#places.length) this.#grow(id + 1);
    this.#places[id] = place;
  }

  delete(id: number): void {
    if (id < this.#places.length) this.#places[id] = NOWHERE;
  }

  #grow(needed: number): void {
    const larger = new Int32Array(Math.max(needed, this.#places.length * 2, 1024)).fill(NOWHERE);
    larger.set(this.#places);
    this.#places = larger;
  }
}
