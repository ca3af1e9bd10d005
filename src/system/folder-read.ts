/**
 * A path below a root -> the bytes of the regular file that lies there, and of nothing else.
 *
 * Units: bytes, milliseconds since the epoch.
 * Errors: answered with a reason; thrown only when nothing can be read at all (too many open files, a broken disk).
 * Cost: never more than `maxBytes` in memory, however the file grows.
 */
import type { FileHandle } from "node:fs/promises";
import { type FolderFault, openBelow } from "./folder-path.ts";

export type FolderRead =
  | { readonly ok: true; readonly bytes: Buffer; readonly sizeBytes: number; readonly modifiedMs: number }
  /** `changing`: whenever it was read, it was another one by the end. */
  | { readonly ok: false; readonly reason: FolderFault | "large" | "changing" };

const PIECE_BYTES = 1 << 20;

/** A file that changes while it is read is read once more. */
export async function readBelow(root: string, path: string, maxBytes: number): Promise<FolderRead> {
  const first = await readOnce(root, path, maxBytes);
  // What was saved by a rename is "outside" for a moment: the name leads to another file than the one that was opened.
  const isWorthAnother = !first.ok && (first.reason === "changing" || first.reason === "outside");
  return isWorthAnother ? readOnce(root, path, maxBytes) : first;
}

async function readOnce(root: string, path: string, maxBytes: number): Promise<FolderRead> {
  if (path === "") return { ok: false, reason: "special" };
  const opened = await openBelow(root, path, "file");
  if (typeof opened === "string") return { ok: false, reason: opened };
  const { handle } = opened;
  try {
    const before = await handle.stat();
    if (before.size > maxBytes) return { ok: false, reason: "large" };
    const bytes = await readBytes(handle, before.size);
    const after = await handle.stat();
    const isSame = bytes.length === before.size && after.size === before.size && after.mtimeMs === before.mtimeMs;
    if (!isSame) return { ok: false, reason: "changing" };
    return { ok: true, bytes, sizeBytes: before.size, modifiedMs: before.mtimeMs };
  } finally {
    await handle.close();
  }
}

async function readBytes(handle: FileHandle, sizeBytes: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  let filled = 0;
  while (filled < sizeBytes) {
    const { bytesRead } = await handle.read(bytes, filled, Math.min(PIECE_BYTES, sizeBytes - filled), filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
