/**
 * A stream of bytes of any length -> its beginning and its end, in bounded memory.
 *
 * Cost: never more than twice `keptBytes`, and only as much as the stream has needed; a chunk costs its own length.
 */
import type { CutEnds } from "../core/redact.ts";

/** Hides secrets in a text, which may have been cut out of a longer one. */
export type Hide = (text: string, cut?: CutEnds) => string;

/** What is kept of a stream, and how much fell out in the middle. */
export interface OutputTail {
  /** Beginning, a mark with the number of bytes that were cut, end; the bytes read as UTF-8. */
  readonly text: string;
  /** Of the whole stream. */
  readonly sizeBytes: number;
  /** 0 when `text` is the whole stream. */
  readonly cutBytes: number;
}

export const NO_OUTPUT: OutputTail = { text: "", sizeBytes: 0, cutBytes: 0 };

const SMALLEST_RING_BYTES = 4096;
/** The beginning says what ran, the end says why it failed: the end is longer. */
const HEAD_SHARE = 0.25;

export class OutputBuffer {
  readonly #headBytes: number;
  readonly #tailBytes: number;
  readonly #head: Buffer[] = [];
  #headSize = 0;
  /** Holds the last bytes after the head; the oldest stands at `#tailSize % length` once the ring is full. */
  #ring: Buffer = Buffer.alloc(0);
  #tailSize = 0;

  constructor(keptBytes: number) {
    this.#headBytes = Math.floor(keptBytes * HEAD_SHARE);
    this.#tailBytes = keptBytes - this.#headBytes;
  }

  push(chunk: Uint8Array): void {
    const forHead = Math.min(chunk.length, this.#headBytes - this.#headSize);
    // A copy: chunks of a pipe are slices of large buffers, which a kept slice would keep whole.
    if (forHead > 0) this.#head.push(Buffer.from(chunk.subarray(0, forHead)));
    this.#headSize += forHead;
    if (forHead < chunk.length) this.#pushToRing(chunk.subarray(forHead));
  }

  /** What is kept so far, as `hide` lets it be seen. */
  read(hide: Hide = (text) => text): OutputTail {
    const { sizeBytes } = this;
    const tail = this.#unrollRing();
    const cutBytes = this.#tailSize - tail.length;
    if (cutBytes === 0) return { text: hide(decode(Buffer.concat([...this.#head, tail]))), sizeBytes, cutBytes };
    const head = trimEnd(Buffer.concat(this.#head));
    const end = trimStart(tail);
    const lost = sizeBytes - head.length - end.length;
    const [first, last] = [hide(decode(head), { end: true }), hide(decode(end), { start: true })];
    return { text: `${first}\n[... ${lost} bytes cut ...]\n${last}`, sizeBytes, cutBytes: lost };
  }

  /** Of the whole stream so far. */
  get sizeBytes(): number {
    return this.#headSize + this.#tailSize;
  }

  /** At most `count` bytes from the end of the stream; fewer where fewer are kept in one piece. */
  readLast(count: number): Buffer {
    const tail = this.#unrollRing();
    const kept = tail.length === this.#tailSize ? Buffer.concat([...this.#head, tail]) : tail;
    return kept.subarray(Math.max(0, kept.length - count));
  }

  #pushToRing(bytes: Uint8Array): void {
    this.#growRing(this.#tailSize + bytes.length);
    const size = this.#ring.length;
    if (size === 0) return void (this.#tailSize += bytes.length);
    const kept = bytes.subarray(Math.max(0, bytes.length - size));
    const at = (this.#tailSize + bytes.length - kept.length) % size;
    const untilEnd = Math.min(kept.length, size - at);
    this.#ring.set(kept.subarray(0, untilEnd), at);
    this.#ring.set(kept.subarray(untilEnd), 0);
    this.#tailSize += bytes.length;
  }

  /** Only a ring that has not come round yet grows, so that its bytes stay where they are. */
  #growRing(neededBytes: number): void {
    const size = this.#ring.length;
    if (neededBytes <= size || size === this.#tailBytes) return;
    const wanted = Math.max(SMALLEST_RING_BYTES, 2 * size, neededBytes);
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#tailBytes, wanted));
    grown.set(this.#ring);
    this.#ring = grown;
  }

  #unrollRing(): Buffer {
    if (this.#tailSize <= this.#ring.length) return this.#ring.subarray(0, this.#tailSize);
    const oldest = this.#tailSize % this.#ring.length;
    return Buffer.concat([this.#ring.subarray(oldest), this.#ring.subarray(0, oldest)]);
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** Without a character at the start whose first bytes are missing. */
function trimStart(bytes: Buffer): Buffer {
  let start = 0;
  while (start < Math.min(3, bytes.length) && (bytes[start]! & 0xc0) === 0x80) start += 1;
  return bytes.subarray(start);
}

/** Without a character at the end whose last bytes are missing. */
function trimEnd(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}
