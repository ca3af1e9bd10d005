/**
 * Typed arrays <-> one stream of bytes: what the indexes write themselves out as, and are read back from.
 *
 * Layout: for each block its length in bytes (uint32, little end first), then the bytes, as this machine's typed arrays
 * hold them. A snapshot is a cache of its own machine, never a format to exchange.
 * Errors: RangeError where the bytes end early or a block has no whole number of elements. Checksums are the store's
 * business.
 */
const LENGTH_BYTES = 4;

type TypedArray = Uint8Array | Int8Array | Uint16Array | Uint32Array | Float32Array;

/** The length and the bytes of one block; the bytes are a view of `array`, to be written before it changes. */
export function* writeBlock(array: TypedArray): Generator<Uint8Array> {
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, array.byteLength, true);
  yield length;
  yield new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A value that JSON can hold. */
export function writeJson(value: unknown): Generator<Uint8Array> {
  return writeBlock(new TextEncoder().encode(JSON.stringify(value)));
}

export class BlockReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** A copy of the next block. */
  bytes(): Uint8Array<ArrayBuffer> {
    const start = this.#at + LENGTH_BYTES;
    if (start > this.#bytes.length) throw this.#shortage();
    const header = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, LENGTH_BYTES);
    const end = start + header.getUint32(0, true);
    if (end > this.#bytes.length) throw this.#shortage();
    this.#at = end;
    const copy = new Uint8Array(end - start);
    copy.set(this.#bytes.subarray(start, end));
    return copy;
  }

  uint16(): Uint16Array {
    return new Uint16Array(this.#elements(2));
  }

  uint32(): Uint32Array {
    return new Uint32Array(this.#elements(4));
  }

  float32(): Float32Array {
    return new Float32Array(this.#elements(4));
  }

  json(): unknown {
    return JSON.parse(new TextDecoder().decode(this.bytes()));
  }

  #elements(size: number): ArrayBuffer {
    const { buffer } = this.bytes();
    if (buffer.byteLength % size !== 0) {
      throw new RangeError(
        `Cannot read a snapshot: a block of ${buffer.byteLength} bytes has no whole number of elements`,
      );
    }
    return buffer;
  }

  #shortage(): RangeError {
    return new RangeError(`Cannot read a snapshot: it ends early, after ${this.#bytes.length} bytes`);
  }
}

/** Throws a RangeError unless the first block names this kind and version. */
export function requireKind(reader: BlockReader, kind: string): void {
  const found = reader.json();
  if (found !== kind) throw new RangeError(`Cannot read a snapshot of ${JSON.stringify(found)}: expected "${kind}"`);
}
