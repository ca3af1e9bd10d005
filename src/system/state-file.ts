/**
 * The names and the first bytes of the files of a store: `<name>.journal-<generation>` and
 * `<name>.snapshot-<generation>`.
 *
 * A generation is a journal and, once it is written, the snapshot of the state at the moment when that journal began.
 * Both name the sequence (1, 2, 3 ... over the whole life of the store) of the first record that is not in the
 * snapshot.
 *
 * Units: bytes; numbers little-endian.
 */
import { join } from "node:path";
import { crc32 } from "node:zlib";

import type { Disk } from "./disk.ts";

export const FILE_HEADER_BYTES = 40;

/** Bumped when the framing changes, as against a definition's own version, for what is framed. */
const FORMAT_VERSION = 1;
const MAGIC = { journal: "pi-jrnl\n", snapshot: "pi-snap\n" } as const;

export type FileKind = keyof typeof MAGIC;

/** What the name of a file tells. */
export interface FileIdentity {
  readonly kind: FileKind;
  readonly generation: number;
}

/** Where a store lives: a directory, and the first part of its files' names. */
export interface StorePlace {
  readonly directory: string;
  readonly name: string;
}

export interface FileHeader extends FileIdentity {
  readonly formatVersion: number;
  readonly stateVersion: number;
  /** The number of the journal's first record, or of the first record that the snapshot lacks. */
  readonly sequence: number;
}

/**
 * A file of the store as found. `header` is absent where it is damaged (`problem` says how) or was not yet written
 * whole.
 */
export interface FoundFile extends FileIdentity {
  readonly path: string;
  readonly sizeBytes: number;
  readonly header: FileHeader | undefined;
  readonly problem: string | undefined;
}

export function statePath(place: StorePlace, kind: FileKind, generation: number): string {
  return join(place.directory, `${place.name}.${kind}-${String(generation).padStart(8, "0")}`);
}

/** The kind and generation that a file name tells; `undefined` for the names of others. */
export function parseStateName(place: StorePlace, fileName: string): FileIdentity | undefined {
  if (!fileName.startsWith(place.name + ".")) return undefined;
  const match = /^(journal|snapshot)-(\d{8,15})$/.exec(fileName.slice(place.name.length + 1));
  return match ? { kind: match[1] as FileKind, generation: Number(match[2]) } : undefined;
}

export function newHeader(kind: FileKind, fields: Omit<FileHeader, "kind" | "formatVersion">): FileHeader {
  return { kind, formatVersion: FORMAT_VERSION, ...fields };
}

export function encodeHeader(header: FileHeader): Buffer {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES);
  bytes.write(MAGIC[header.kind], 0, "latin1");
  bytes.writeUInt32LE(header.formatVersion, 8);
  bytes.writeUInt32LE(header.stateVersion, 12);
  bytes.writeBigUInt64LE(BigInt(header.generation), 16);
  bytes.writeBigUInt64LE(BigInt(header.sequence), 24);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 36)), 36);
  return bytes;
}

/** The header in these bytes; throws an Error that says what is wrong with it. */
function decodeHeader(bytes: Buffer, kind: FileKind): FileHeader {
  if (bytes.toString("latin1", 0, 8) !== MAGIC[kind]) throw new Error(`does not begin as a ${kind} does`);
  if (bytes.readUInt32LE(36) !== crc32(bytes.subarray(0, 36))) throw new Error("has a damaged header");
  return {
    kind,
    formatVersion: bytes.readUInt32LE(8),
    stateVersion: bytes.readUInt32LE(12),
    generation: Number(bytes.readBigUInt64LE(16)),
    sequence: Number(bytes.readBigUInt64LE(24)),
  };
}

/** Whether this code can read what stands behind the header. */
export function isReadable(header: FileHeader, stateVersion: number): boolean {
  return header.formatVersion <= FORMAT_VERSION && header.stateVersion <= stateVersion;
}

/** Every file of the store, by kind and generation, with its header. Changes nothing. */
export function findFiles(disk: Disk, place: StorePlace): FoundFile[] {
  const found: FoundFile[] = [];
  for (const fileName of disk.list(place.directory)) {
    const parsed = parseStateName(place, fileName);
    if (parsed) found.push(inspect(disk, join(place.directory, fileName), parsed));
  }
  return found.sort((a, b) => a.generation - b.generation);
}

/** The temporary files that a snapshot left behind when it was cut off. */
export function findLeftovers(disk: Disk, place: StorePlace): string[] {
  const isLeftover = (fileName: string): boolean =>
    fileName.endsWith(".tmp") && parseStateName(place, fileName.slice(0, -".tmp".length)) !== undefined;
  return disk
    .list(place.directory)
    .filter(isLeftover)
    .map((fileName) => join(place.directory, fileName));
}

function inspect(disk: Disk, path: string, expected: FileIdentity): FoundFile {
  // A file that cannot be opened at all (a matter of rights, not of damage) is the caller's error to report.
  const file = disk.open(path, "read");
  let sizeBytes = 0;
  try {
    sizeBytes = disk.size(file);
    return { ...expected, path, sizeBytes, header: readHeader(disk, file, expected), problem: undefined };
  } catch (error) {
    return { ...expected, path, sizeBytes, header: undefined, problem: (error as Error).message };
  } finally {
    disk.close(file);
  }
}

function readHeader(disk: Disk, file: number, expected: FileIdentity): FileHeader | undefined {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES);
  if (disk.read(file, bytes, 0) < FILE_HEADER_BYTES) {
    // A journal whose making was cut off; a snapshot gets its name only when it is whole.
    if (expected.kind === "journal") return undefined;
    throw new Error("is shorter than its header");
  }
  const header = decodeHeader(bytes, expected.kind);
  if (header.generation !== expected.generation) throw new Error(`belongs to generation ${header.generation}`);
  return header;
}
