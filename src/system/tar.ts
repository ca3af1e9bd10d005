/**
 * Files <-> one stream of bytes that any `tar` can read.
 *
 * Source: POSIX.1-2017, pax, "ustar Interchange Format".
 * Units: bytes; times in milliseconds since the epoch, kept to the second.
 * Errors: RangeError for a name or a size that the format cannot hold, TarError for bytes that are no such archive.
 * Not: links, devices, folders of their own, owners. On reading, everything that is no plain file is an error.
 */
const BLOCK_BYTES = 512;
const LONGEST_NAME = 100;
const LONGEST_PREFIX = 155;
/** Eleven octal digits. */
const LARGEST_FILE = 8 ** 11 - 1;

export class TarError extends Error {}

export interface TarFile {
  /** Parts are parted by `/`. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** A file to be written: its pieces must add up to `sizeBytes`. */
export type TarSource = TarFile & { readonly pieces: AsyncIterable<Uint8Array> };

export async function* writeTar(files: AsyncIterable<TarSource> | Iterable<TarSource>): AsyncGenerator<Uint8Array> {
  for await (const file of files) {
    yield encodeHeader(file);
    let written = 0;
    for await (const piece of file.pieces) {
      written += piece.length;
      yield piece;
    }
    if (written !== file.sizeBytes) throw new Error(`${file.name} has ${written} bytes, not ${file.sizeBytes}`);
    yield Buffer.alloc(paddingAfter(file.sizeBytes));
  }
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

/** The files of an archive; the pieces of each must be read, or left, before the next is asked for. */
export async function* readTar(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<TarSource> {
  const reader = new BlockSource(bytes);
  for (;;) {
    const header = await reader.take(BLOCK_BYTES);
    if (header.every((byte) => byte === 0)) return reader.drain();
    const file = decodeHeader(header);
    let left = file.sizeBytes;
    const pieces = (async function* (): AsyncGenerator<Uint8Array> {
      while (left > 0) {
        const piece = await reader.takeSome(left);
        left -= piece.length;
        yield piece;
      }
    })();
    yield { ...file, pieces };
    while (left > 0) left -= (await reader.takeSome(left)).length;
    await reader.take(paddingAfter(file.sizeBytes));
  }
}

function paddingAfter(sizeBytes: number): number {
  return (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

function encodeHeader({ name, sizeBytes, modifiedMs }: TarFile): Buffer {
  if (sizeBytes > LARGEST_FILE) throw new RangeError(`${name} is too large for the archive: ${sizeBytes} bytes`);
  const header = Buffer.alloc(BLOCK_BYTES);
  const [prefix, rest] = splitName(name);
  header.write(rest, 0);
  header.write("0000600\0" + "0000000\0" + "0000000\0", 100, "latin1");
  header.write(toOctal(sizeBytes, 11), 124, "latin1");
  header.write(toOctal(Math.max(0, Math.floor(modifiedMs / 1000)), 11), 136, "latin1");
  header.write("0", 156, "latin1");
  header.write("ustar\u000000", 257, "latin1");
  header.write(prefix, 345);
  header.write(toOctal(checksum(header), 6) + " ", 148, "latin1");
  return header;
}

/** The two fields that hold a name: what comes before one of its slashes, and what comes after it. */
function splitName(name: string): [prefix: string, rest: string] {
  if (Buffer.byteLength(name) <= LONGEST_NAME) return ["", name];
  for (let at = name.indexOf("/"); at !== -1; at = name.indexOf("/", at + 1)) {
    const [prefix, rest] = [name.slice(0, at), name.slice(at + 1)];
    if (Buffer.byteLength(rest) <= LONGEST_NAME && Buffer.byteLength(prefix) <= LONGEST_PREFIX) return [prefix, rest];
  }
  throw new RangeError(`the name ${JSON.stringify(name)} is too long for the archive`);
}

function toOctal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0") + "\0";
}

/** The sum of all bytes, those of the checksum itself taken for spaces. */
function checksum(header: Uint8Array): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0);
}

function decodeHeader(header: Buffer): TarFile {
  if (readOctal(header, 148, 8) !== checksum(header)) throw new TarError("a header does not match its checksum");
  const type = String.fromCharCode(header[156]!);
  const prefix = readText(header, 345, LONGEST_PREFIX);
  const name = (prefix === "" ? "" : prefix + "/") + readText(header, 0, LONGEST_NAME);
  if (type !== "0" && type !== "\0") throw new TarError(`${JSON.stringify(name)} is no plain file`);
  return { name, sizeBytes: readOctal(header, 124, 12), modifiedMs: readOctal(header, 136, 12) * 1000 };
}

function readText(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? length : end);
}

function readOctal(header: Buffer, start: number, length: number): number {
  const text = readText(header, start, length).trim();
  if (!/^[0-7]+$/.test(text)) throw new TarError(`a header has ${JSON.stringify(text)} where a number belongs`);
  return parseInt(text, 8);
}

/** Pieces of any size -> as many bytes as are asked for. */
class BlockSource {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#pieces = bytes[Symbol.asyncIterator]();
  }

  /** From one byte to `most`. */
  async takeSome(most: number): Promise<Buffer> {
    if (this.#rest.length === 0) await this.#load();
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  async take(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = length; left > 0; left -= parts.at(-1)!.length) parts.push(await this.takeSome(left));
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /** Reads on to the end, where a compressed stream finds out whether it is whole. */
  async drain(): Promise<void> {
    while (!(await this.#pieces.next()).done);
  }

  async #load(): Promise<void> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#pieces.next();
      if (done === true) throw new TarError("it ends before its end");
      this.#rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
  }
}
