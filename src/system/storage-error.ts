/** What can go wrong with durable state, apart from damage, which is repaired and reported. */

/** The disk refused. Becomes 503 with Retry-After. */
export class StorageError extends Error {}

/** The files were written by a newer version of the daemon; they are left exactly as they are. */
export class StateVersionError extends Error {}

/** `ENOSPC: no space left on device, write` of an error of the file system; the message of any other. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
