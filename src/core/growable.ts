/** Appended numbers -> one flat typed array that doubles when it is full. */

export class GrowableUint32 {
  #items: Uint32Array = new Uint32Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get sizeBytes(): number {
    return this.#items.byteLength;
  }

  push(value: number): void {
    if (this.#length === this.#items.length) this.#items = enlarged(this.#items, new Uint32Array(this.#length * 2));
    this.#items[this.#length++] = value;
  }

  at(index: number): number {
    return this.#items[index]!;
  }

  set(index: number, value: number): void {
    this.#items[index] = value;
  }

  clear(): void {
    this.#length = 0;
  }

  /** A copy of exactly what was appended. */
  toArray(): Uint32Array {
    return this.#items.slice(0, this.#length);
  }
}

export class GrowableBytes {
  #items: Uint8Array = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get sizeBytes(): number {
    return this.#items.byteLength;
  }

  push(value: number): void {
    if (this.#length === this.#items.length) this.#items = enlarged(this.#items, new Uint8Array(this.#length * 2));
    this.#items[this.#length++] = value;
  }

  /** Appends an unsigned integer below 2^32, seven bits a byte, the low ones first. */
  pushVarint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.push((rest & 127) | 128);
      rest >>>= 7;
    }
    this.push(rest);
  }

  append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#items.length) {
      this.#items = enlarged(this.#items, new Uint8Array(Math.max(needed, this.#items.length * 2)));
    }
    this.#items.set(bytes, this.#length);
    this.#length = needed;
  }

  clear(): void {
    this.#length = 0;
  }

  /** A copy of exactly what was appended. */
  toArray(): Uint8Array {
    return this.#items.slice(0, this.#length);
  }
}

function enlarged<A extends Uint8Array | Uint32Array>(from: A, into: A): A {
  into.set(from);
  return into;
}
