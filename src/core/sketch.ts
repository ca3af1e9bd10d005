/**
 * A stream of numbers -> any quantile of it, within 1 % of its value, from a few kilobytes that can be merged.
 *
 * Source: Masson, Rim, Lee, "DDSketch", VLDB 2019: bins whose bounds grow by a constant factor. Here negative numbers,
 *   zero and positive numbers share one sorted list of bins, and only bins that hold something take memory.
 * Units: the quantile of q among n numbers is the one of rank ceil(q * n), counted from 1.
 * Errors: RangeError for what is not a finite number, TypeError for JSON that `toJSON` did not write.
 * Cost: `add` is a binary search, and shifts the bins above when it opens one; `merge` and `quantile` pass over the
 *   bins. Numbers over three decades make about 350 bins. Above 2048, those nearest to zero are joined, so of numbers
 *   that fill more than 17 decades the small ones lose the 1 %.
 */

const relativeError = 0.01;
const growth = (1 + relativeError) / (1 - relativeError);
const logGrowth = Math.log(growth);
/** A bin answers with its upper bound times 2 / (1 + growth), which is as far from either bound, relative to it. */
const logAnswer = Math.log(2 / (1 + growth));
const maxBins = 2048;
/** Beyond the bin of the smallest double, -37221, so that a key has the sign of the numbers in its bin. */
const keyOffset = 40_000;

/**
 * Nothing, or minimum, maximum, then key and count of each bin; a key after the first is the distance from the one
 * before.
 */
export type SketchJson = readonly number[];

export class Sketch {
  /** Rising; the key of zero is 0. */
  #keys: number[] = [];
  /** Parallel to the keys; never 0. */
  #counts: number[] = [];
  #count = 0;
  #min = Infinity;
  #max = -Infinity;

  /** How many numbers went in. */
  get count(): number {
    return this.#count;
  }

  /** At most 2048; what the memory of a sketch grows with. */
  get binCount(): number {
    return this.#keys.length;
  }

  add(value: number): void {
    if (!Number.isFinite(value)) throw new RangeError(`Cannot add ${value} to a sketch: expected a finite number`);
    const key = keyOf(value);
    const index = findFirst(this.#keys, key);
    if (this.#keys[index] === key) this.#counts[index]!++;
    else this.#openBin(index, key);
    this.#count++;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  /** Adds all that went into `other`, which stays as it is. */
  merge(other: Sketch): void {
    if (other.#count === 0) return;
    this.#mergeBins(other);
    while (this.#keys.length > maxBins) this.#joinSmallest();
    this.#count += other.#count;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  /** For q in [0, 1]; NaN while nothing went in. The answers for 0 and 1 are exact. */
  quantile(q: number): number {
    if (!(q >= 0 && q <= 1)) throw new RangeError(`Cannot tell quantile ${q}: expected a number from 0 to 1`);
    if (this.#count === 0) return NaN;
    // The product can come out one ulp too high: 0.07 * 100 is 7.000000000000001, and means rank 7.
    const rank = Math.ceil(q * this.#count * (1 - Number.EPSILON));
    if (rank <= 1) return this.#min;
    if (rank >= this.#count) return this.#max;
    let index = 0;
    for (let below = this.#counts[0]!; below < rank; below += this.#counts[index]!) index++;
    return Math.min(this.#max, Math.max(this.#min, answerOf(this.#keys[index]!)));
  }

  toJSON(): SketchJson {
    if (this.#count === 0) return [];
    const json = [this.#min, this.#max];
    this.#keys.forEach((key, index) => json.push(key - (this.#keys[index - 1] ?? 0), this.#counts[index]!));
    return json;
  }

  static fromJSON(json: unknown): Sketch {
    const sketch = new Sketch();
    if (!isSketchJson(json)) throw new TypeError("Cannot read a sketch: expected [] or [min, max, key, count, ...]");
    if (json.length === 0) return sketch;
    [sketch.#min, sketch.#max] = json as [number, number];
    for (let index = 2, key = 0; index < json.length; index += 2) {
      key += json[index]!;
      sketch.#keys.push(key);
      sketch.#counts.push(json[index + 1]!);
      sketch.#count += json[index + 1]!;
    }
    return sketch;
  }

  #openBin(index: number, key: number): void {
    this.#keys.splice(index, 0, key);
    this.#counts.splice(index, 0, 1);
    if (this.#keys.length > maxBins) this.#joinSmallest();
  }

  #mergeBins(other: Sketch): void {
    const keys: number[] = [];
    const counts: number[] = [];
    for (let mine = 0, theirs = 0; mine < this.#keys.length || theirs < other.#keys.length;) {
      const key = Math.min(this.#keys[mine] ?? Infinity, other.#keys[theirs] ?? Infinity);
      let count = 0;
      if (this.#keys[mine] === key) count += this.#counts[mine++]!;
      if (other.#keys[theirs] === key) count += other.#counts[theirs++]!;
      keys.push(key);
      counts.push(count);
    }
    this.#keys = keys;
    this.#counts = counts;
  }

  /** Joins the bin nearest to zero, on either side, with the next one away from zero. */
  #joinSmallest(): void {
    const keys = this.#keys;
    const positive = findFirst(keys, 1);
    const negative = keys[positive - 1] === 0 ? positive - 2 : positive - 1;
    const canJoinNegative = negative >= 1;
    const canJoinPositive = positive + 1 < keys.length;
    const isNegative = canJoinNegative && (!canJoinPositive || -keys[negative]! <= keys[positive]!);
    const from = isNegative ? negative : positive;
    this.#counts[isNegative ? from - 1 : from + 1]! += this.#counts[from]!;
    keys.splice(from, 1);
    this.#counts.splice(from, 1);
  }
}

function keyOf(value: number): number {
  if (value === 0) return 0;
  const key = Math.ceil(Math.log(Math.abs(value)) / logGrowth) + keyOffset;
  return value < 0 ? -key : key;
}

function answerOf(key: number): number {
  if (key === 0) return 0;
  return Math.sign(key) * Math.exp((Math.abs(key) - keyOffset) * logGrowth + logAnswer);
}

/** The index of the first key that is not below `key`. */
function findFirst(keys: readonly number[], key: number): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isSketchJson(json: unknown): json is SketchJson {
  if (!Array.isArray(json) || json.length % 2 !== 0 || json.length > 2 * maxBins + 2) return false;
  if (!json.every(Number.isFinite) || json.length === 2 || json[0] > json[1]) return false;
  return json.slice(2).every((part: number, index) => Number.isSafeInteger(part) && (index === 0 || part > 0));
}
