/**
 * The few file operations that durable state needs, as a value: tests put a disk in its place that fills up, fails, or
 * loses power.
 *
 * Units: bytes, and positions counted from the start of a file.
 * Errors: those of `node:fs`, with their `code`.
 */
import * as fs from "node:fs";
import { promisify } from "node:util";

import { ensurePrivateDirectory } from "./files.ts";
import type { Log } from "./log.ts";

export interface Disk {
  /** Makes the directory, or sees to it that it is ours alone. */
  makeDirectory(path: string, log: Log): void;
  list(directory: string): string[];
  /** Opens a file: to `read`, to `change` one that is there, or to `create` one that must not be there (0600). */
  open(path: string, purpose: "read" | "change" | "create"): number;
  size(file: number): number;
  /** Reads up to `into.length` bytes; 0 at the end of the file. */
  read(file: number, into: Buffer, position: number): number;
  /** Writes the first `length` bytes; may write fewer, and says how many. */
  write(file: number, bytes: Buffer, length: number, position: number): number;
  /** The same without holding up the event loop. */
  writeLater(file: number, bytes: Buffer, length: number, position: number): Promise<number>;
  truncate(file: number, sizeBytes: number): void;
  /**
   * The file's data, and the metadata needed to read it back, onto the medium. A failure must not be tried again: see
   * `Journal`.
   */
  flush(file: number): Promise<void>;
  /** The names in the directory onto the medium. */
  flushDirectory(path: string): Promise<void>;
  rename(from: string, to: string): void;
  remove(path: string): void;
  close(file: number): void;
}

const FLAGS = { read: "r", change: "r+", create: "wx" } as const;

const fdatasync = promisify(fs.fdatasync);
const fsync = promisify(fs.fsync);

export const nodeDisk: Disk = {
  makeDirectory: ensurePrivateDirectory,
  list: (directory) => fs.readdirSync(directory),

  open(path, purpose) {
    const file = fs.openSync(path, FLAGS[purpose], 0o600);
    // The mode given to open passes through the umask.
    if (purpose === "create") fs.fchmodSync(file, 0o600);
    return file;
  },

  size: (file) => fs.fstatSync(file).size,
  read: (file, into, position) => fs.readSync(file, into, 0, into.length, position),
  write: (file, bytes, length, position) => fs.writeSync(file, bytes, 0, length, position),

  writeLater: (file, bytes, length, position) =>
    new Promise((resolve, reject) => {
      fs.write(file, bytes, 0, length, position, (error, written) => (error ? reject(error) : resolve(written)));
    }),

  truncate: (file, sizeBytes) => fs.ftruncateSync(file, sizeBytes),
  flush: (file) => fdatasync(file),

  async flushDirectory(path) {
    // Windows cannot open a directory, and orders its metadata itself.
    if (process.platform === "win32") return;
    const file = fs.openSync(path, "r");
    try {
      await fsync(file);
    } finally {
      fs.closeSync(file);
    }
  },

  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.unlinkSync(path),
  close: (file) => fs.closeSync(file),
};
