/**
 * Paths below a root, and proof that what was opened lies there: however names are exchanged meanwhile, no
 * symbolic link is followed.
 *
 * Source: proc(5): on Linux `/proc/self/fd/N` names what a descriptor has open, wherever it is by now.
 * Not: where there is no such file system, the check is by device and inode after a real path, which a link that is
 * exchanged three times within microseconds could still deceive.
 */
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";

/** Why a file or a folder is not read. */
export type FolderFault = "gone" | "outside" | "special" | "unreadable";

export interface OpenedPath {
  readonly handle: FileHandle;
  /** Leads to what was opened, also when its name leads elsewhere by now. */
  readonly byHandle: string;
}

const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const FAULTS: Readonly<Record<string, FolderFault>> = {
  ENOENT: "gone",
  ENOTDIR: "gone",
  ELOOP: "outside",
  ENXIO: "special",
  ENODEV: "special",
  EACCES: "unreadable",
  EPERM: "unreadable",
  ENAMETOOLONG: "unreadable",
  EISDIR: "special",
};

/** Whether a path names something below a root: relative, parted by `/`, without empty parts, `.` and `..`. */
export function isBelowRoot(path: string): boolean {
  return !path.includes("\0") && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** What a file system's error means for one path; `undefined` where it means that nothing can be read right now. */
export function faultOf(error: unknown): FolderFault | undefined {
  return FAULTS[(error as NodeJS.ErrnoException).code ?? ""];
}

/**
 * Opens what lies at `path` below `root` (a real path; `""` is the root itself), to be closed by the caller. Devices,
 * sockets and pipes are not opened. Errors of the file system that are no {@link FolderFault} are thrown.
 */
export async function openBelow(
  root: string,
  path: string,
  kind: "file" | "folder",
): Promise<OpenedPath | FolderFault> {
  if (path !== "" && !isBelowRoot(path)) return "outside";
  const full = join(root, path);
  try {
    const before = await lstat(full);
    if (before.isSymbolicLink()) return "outside";
    if (!(kind === "file" ? before.isFile() : before.isDirectory())) return "special";
    const handle = await open(full, READ | (kind === "folder" ? (constants.O_DIRECTORY ?? 0) : 0));
    const opened = await inspect(handle, full, kind).catch(() => "outside" as const);
    if (typeof opened === "string") await handle.close();
    return opened;
  } catch (error) {
    const fault = faultOf(error);
    if (fault === undefined) throw error;
    return fault;
  }
}

async function inspect(handle: FileHandle, full: string, kind: "file" | "folder"): Promise<OpenedPath | FolderFault> {
  const stats = await handle.stat();
  if (!(kind === "file" ? stats.isFile() : stats.isDirectory())) return "special";
  const byHandle = `/proc/self/fd/${handle.fd}`;
  const place = process.platform === "linux" ? await readlink(byHandle).catch(() => undefined) : undefined;
  if (place !== undefined) return place === full ? { handle, byHandle } : "outside";
  return (await isReal(full, stats)) ? { handle, byHandle: full } : "outside";
}

async function isReal(full: string, { dev, ino }: { dev: number; ino: number }): Promise<boolean> {
  if ((await realpath(full)) !== full) return false;
  const named = await lstat(full);
  return named.dev === dev && named.ino === ino && (await realpath(full)) === full;
}
