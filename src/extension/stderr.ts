/**
 * Lines for people on standard error, never on standard output, which belongs to pi's protocols.
 *
 * By a plain write: an error of the stream behind `process.stderr` that nobody listens to would end pi.
 */
import { writeSync } from "node:fs";

export function tell(text: string): void {
  try {
    writeSync(2, `pi-daemon: ${text}\n`);
  } catch {
    // Nobody reads: nothing is lost that somebody would have seen.
  }
}

/** Only with PI_DAEMON_DEBUG=1. */
export function debug(text: string): void {
  if (process.env["PI_DAEMON_DEBUG"] === "1") tell(text);
}

export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
