/**
 * Values under keys in one file that only grows: a cache that outlives the process, and that may lose anything.
 *
 * Layout: a magic line; then for each value its key (16 bytes), its length, a checksum of both, a checksum of the
 * value, the value. The last value of a key counts.
 * Units: bytes; numbers are 32 bits, little end first. Keys are 32 hexadecimal digits.
 * Order: what was put is read back at once, and survives the end of the process once `put` has resolved; nothing is
 * flushed, so a power cut may take the newest.
 * Errors: damage is no error: a value that does not match its checksum is missing, and after a damaged head all that
 * follows is cut off. Where the file cannot be had at all, the cache keeps nothing, and says why.
 * Cost: values that were put one after the other are read a block at a time.
 */
import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { crc32 } from "node:zlib";

export interface BlobCache {
  /** How many values. */
  readonly count: number;
  /** Of the file, with what no key leads to any more. */
  readonly sizeBytes: number;
  /** Why it keeps nothing. */
  readonly problem: string | undefined;
  /** The key of what these parts are together: the same for the same, and for nothing else. */
  keyOf(...parts: readonly (string | Uint8Array)[]): string;
  has(key: string): boolean;
  get(key: string): Promise<Buffer | undefined>;
  /** False when there was no room, or the disk refused: then it is not in the cache. */
  put(key: string, value: Uint8Array): Promise<boolean>;
  /** Writes the file anew, with these values only. */
  compact(isWanted: (key: string) => boolean): Promise<void>;
  close(): Promise<void>;
}

/** `name` becomes part of a file's name. The file never grows beyond `maxBytes`. Never rejects. */
export type OpenCache = (name: string, maxBytes: number) => Promise<BlobCache>;

const MAGIC = Buffer.from("pi-daemon cache 1\n");
const KEY_BYTES = 16;
const HEAD_BYTES = KEY_BYTES + 12;
const BLOCK_BYTES = 1 << 20;
const READ_AHEAD_BYTES = 1 << 18;

interface Place {
  readonly start: number;
  readonly length: number;
}

export async function openBlobCache(path: string, maxBytes: number): Promise<BlobCache> {
  try {
    const handle = await openOrCreate(path);
    const places = new Map<string, Place>();
    const endBytes = await scan(handle, places);
    if (endBytes < (await handle.stat()).size) await handle.truncate(endBytes);
    return new FileCache({ path, handle, places, sizeBytes: endBytes, maxBytes });
  } catch (error) {
    return keepNothing(`${path} cannot be used as a cache: ${(error as Error).message}`);
  }
}

function keepNothing(problem: string): BlobCache {
  return {
    count: 0,
    sizeBytes: 0,
    problem,
    keyOf,
    has: () => false,
    get: async () => undefined,
    put: async () => false,
    compact: async () => undefined,
    close: async () => undefined,
  };
}

/** The first half of a SHA-256: no two values of one machine ever share it. */
function keyOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  // With its length before it, no part can pass for two.
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}\0`).update(part);
  return hash.digest("hex").slice(0, 2 * KEY_BYTES);
}

async function openOrCreate(path: string): Promise<FileHandle> {
  const handle = await open(path, "a+", 0o600).then(async (made) => {
    await made.close();
    return open(path, "r+");
  });
  const magic = Buffer.alloc(MAGIC.length);
  await handle.read(magic, 0, magic.length, 0);
  if (magic.equals(MAGIC)) return handle;
  await handle.truncate(0);
  await handle.write(MAGIC, 0, MAGIC.length, 0);
  return handle;
}

/** Reads all heads; answers where the last whole value ends. */
async function scan(handle: FileHandle, places: Map<string, Place>): Promise<number> {
  const { size } = await handle.stat();
  const block = Buffer.alloc(BLOCK_BYTES);
  let [blockStart, blockLength, at] = [0, 0, MAGIC.length];
  while (at + HEAD_BYTES <= size) {
    if (at < blockStart || at + HEAD_BYTES > blockStart + blockLength) {
      blockStart = at;
      blockLength = (await handle.read(block, 0, BLOCK_BYTES, at)).bytesRead;
      if (blockLength < HEAD_BYTES) break;
    }
    const head = block.subarray(at - blockStart, at - blockStart + HEAD_BYTES);
    const length = head.readUInt32LE(KEY_BYTES);
    const start = at + HEAD_BYTES;
    if (crc32(head.subarray(0, KEY_BYTES + 4)) !== head.readUInt32LE(KEY_BYTES + 4) || start + length > size) break;
    places.set(head.toString("hex", 0, KEY_BYTES), { start, length });
    at = start + length;
  }
  return at;
}

interface FileCacheState {
  readonly path: string;
  readonly handle: FileHandle;
  readonly places: Map<string, Place>;
  readonly sizeBytes: number;
  readonly maxBytes: number;
}

class FileCache implements BlobCache {
  readonly #path: string;
  readonly #maxBytes: number;
  #handle: FileHandle;
  #places: Map<string, Place>;
  #sizeBytes: number;
  /** One write after the other; reads wait for none of them, but for a compaction. */
  #writing: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  /** A piece of the file as it was read last. */
  #block: { readonly start: number; readonly bytes: Buffer } = { start: 0, bytes: Buffer.alloc(0) };
  readonly problem = undefined;
  readonly keyOf = keyOf;

  constructor({ path, handle, places, sizeBytes, maxBytes }: FileCacheState) {
    this.#path = path;
    this.#handle = handle;
    this.#places = places;
    this.#sizeBytes = sizeBytes;
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#places.size;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  get(key: string): Promise<Buffer | undefined> {
    return this.#inTurn(() => this.#read(key));
  }

  put(key: string, value: Uint8Array): Promise<boolean> {
    return this.#inTurn(async () => {
      const record = recordOf(key, value);
      if (this.#sizeBytes + record.length > this.#maxBytes) return false;
      try {
        await writeAll(this.#handle, record, this.#sizeBytes);
      } catch {
        return false;
      }
      this.#places.set(key, { start: this.#sizeBytes + HEAD_BYTES, length: value.length });
      this.#sizeBytes += record.length;
      return true;
    }).then((isPut) => isPut === true);
  }

  async compact(isWanted: (key: string) => boolean): Promise<void> {
    await this.#inTurn(() => this.#rewrite(isWanted));
  }

  async close(): Promise<void> {
    await this.#inTurn(async () => {
      this.#isClosed = true;
      await this.#handle.close();
    });
  }

  /** `undefined` when it is closed by then. */
  #inTurn<T>(task: () => Promise<T>): Promise<T | undefined> {
    const done = this.#writing.then(() => (this.#isClosed ? undefined : task()));
    this.#writing = done.catch(() => undefined);
    return done;
  }

  async #read(key: string): Promise<Buffer | undefined> {
    const place = this.#places.get(key);
    if (place === undefined) return undefined;
    const record = await this.#load(place.start - HEAD_BYTES, HEAD_BYTES + place.length);
    const value = record?.subarray(HEAD_BYTES);
    if (value !== undefined && crc32(value) === record!.readUInt32LE(KEY_BYTES + 8)) return value;
    this.#places.delete(key);
    return undefined;
  }

  /** A view of a piece of the file; `undefined` when the file ends before. */
  async #load(start: number, length: number): Promise<Buffer | undefined> {
    const isThere = start >= this.#block.start && start + length <= this.#block.start + this.#block.bytes.length;
    if (!isThere) {
      // A new one each time: views of the one before may be in use.
      const bytes = Buffer.allocUnsafeSlow(Math.max(length, Math.min(READ_AHEAD_BYTES, this.#sizeBytes - start)));
      const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, start);
      this.#block = { start, bytes: bytes.subarray(0, bytesRead) };
      if (bytesRead < length) return undefined;
    }
    const from = start - this.#block.start;
    return this.#block.bytes.subarray(from, from + length);
  }

  async #rewrite(isWanted: (key: string) => boolean): Promise<void> {
    const temporary = `${this.#path}.new`;
    await rm(temporary, { force: true });
    const handle = await open(temporary, "wx+", 0o600);
    try {
      const places = new Map<string, Place>();
      await writeAll(handle, MAGIC, 0);
      let sizeBytes = MAGIC.length;
      for (const key of [...this.#places.keys()]) {
        const value = isWanted(key) ? await this.#read(key) : undefined;
        if (value === undefined) continue;
        const record = recordOf(key, value);
        await writeAll(handle, record, sizeBytes);
        places.set(key, { start: sizeBytes + HEAD_BYTES, length: value.length });
        sizeBytes += record.length;
      }
      await rename(temporary, this.#path);
      await this.#handle.close();
      [this.#handle, this.#places, this.#sizeBytes] = [handle, places, sizeBytes];
      this.#block = { start: 0, bytes: Buffer.alloc(0) };
    } catch (error) {
      await handle.close();
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

function recordOf(key: string, value: Uint8Array): Buffer {
  const record = Buffer.alloc(HEAD_BYTES + value.length);
  if (key.length !== 2 * KEY_BYTES || record.write(key, 0, "hex") !== KEY_BYTES) {
    throw new RangeError(`A key has 32 hexadecimal digits, unlike ${JSON.stringify(key)}`);
  }
  record.writeUInt32LE(value.length, KEY_BYTES);
  record.writeUInt32LE(crc32(record.subarray(0, KEY_BYTES + 4)), KEY_BYTES + 4);
  record.writeUInt32LE(crc32(value), KEY_BYTES + 8);
  record.set(value, HEAD_BYTES);
  return record;
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += (await handle.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  }
}
