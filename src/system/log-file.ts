/**
 * A log sink on a file that is set aside when it is full: `daemon.log`, with older lines in `daemon.log.1` and so on.
 *
 * Units: bytes.
 * Order: a line is on its way to the disk when `write` returns; nothing is queued.
 * Errors: only the first opening throws. A disk that refuses later loses lines (the log counts them); what was written
 * of such a line is cut off again, and every line tries anew.
 * Not: symbolic links, pipes and devices are refused. The file is 0600, directories that are made for it 0700.
 */
import * as nodeFs from "node:fs";
import { dirname } from "node:path";
import type { LogSink } from "./log.ts";

export interface FileSinkOptions {
  readonly path: string;
  /** The file is set aside before it would grow beyond this. */
  readonly maxBytes: number;
  /** How many files that were set aside are kept; with 0 a full file is emptied. */
  readonly keep: number;
}

export interface FileSink extends LogSink {
  /** Opens the path anew, after somebody else has moved the file. */
  reopen(): void;
}

/** What is asked of `node:fs`; a test hands in a disk that refuses. */
export type LogDisk = Pick<
  typeof nodeFs,
  "closeSync" | "fchmodSync" | "fstatSync" | "ftruncateSync" | "mkdirSync" | "openSync" | "renameSync" | "writeSync"
>;

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = nodeFs.constants;

export function createFileSink(options: FileSinkOptions, disk: LogDisk = nodeFs): FileSink {
  const { path, maxBytes, keep } = options;
  let file: { fd: number; sizeBytes: number } | undefined = open();

  function open(): { fd: number; sizeBytes: number } {
    disk.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Non-blocking, because opening a pipe that nobody reads would wait for ever.
    const fd = disk.openSync(path, O_WRONLY | O_APPEND | O_CREAT | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0), 0o600);
    const stat = disk.fstatSync(fd);
    if (!stat.isFile()) {
      disk.closeSync(fd);
      throw new Error(`Cannot log to ${path}: it is not a regular file`);
    }
    if ((stat.mode & 0o777) !== 0o600) disk.fchmodSync(fd, 0o600);
    return { fd, sizeBytes: stat.size };
  }
  function close(): void {
    const fd = file?.fd;
    file = undefined;
    if (fd !== undefined) disk.closeSync(fd);
  }
  function rotate(fd: number): void {
    try {
      for (let age = keep - 1; age >= 1; age--) renameIfThere(`${path}.${age}`, `${path}.${age + 1}`);
      if (keep === 0) disk.ftruncateSync(fd, 0);
      else disk.renameSync(path, `${path}.1`);
    } catch {
      // Where nothing can be renamed, the old lines go: the disk stays bounded and the newest lines matter most.
      disk.ftruncateSync(fd, 0);
    }
    close();
    file = open();
  }
  function renameIfThere(from: string, to: string): void {
    try {
      disk.renameSync(from, to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  function append(bytes: Buffer): void {
    file ??= open();
    if (file.sizeBytes > 0 && file.sizeBytes + bytes.length > maxBytes) rotate(file.fd);
    const { fd, sizeBytes } = file;
    try {
      for (let done = 0; done < bytes.length;) done += disk.writeSync(fd, bytes, done);
    } catch (error) {
      disk.ftruncateSync(fd, sizeBytes);
      throw error;
    }
    file.sizeBytes += bytes.length;
  }
  function attempt(run: () => void): boolean {
    try {
      run();
      return true;
    } catch {
      return false;
    }
  }

  return {
    write: (line) => attempt(() => append(Buffer.from(line))),
    reopen() {
      attempt(close);
      attempt(() => (file = open()));
    },
    // Nothing to do: a line that is lost is followed by a report as soon as the next line is written.
    onFlow() {},
    close() {
      attempt(close);
      return Promise.resolve();
    },
  };
}
