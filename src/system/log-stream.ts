/**
 * A log sink on a stream that somebody else reads: standard error as a pipe, a terminal or a file.
 *
 * Units: bytes of lines that the reader has not taken yet.
 * Errors: a closed pipe or a full disk loses lines (the log counts them) and never ends the process.
 * Not: a terminal stopped with Ctrl-S stops the process with it, because Node writes to terminals synchronously.
 */
import type { Writable } from "node:stream";
import type { Clock } from "./clock.ts";
import type { LogSink } from "./log.ts";

export interface StreamSinkOptions {
  readonly clock: Clock;
  /** The most that waits for a slow reader; lines beyond it are lost until half of it has gone. */
  readonly maxQueuedBytes?: number;
  /** How long `close` waits for a slow reader. */
  readonly closeTimeoutMs?: number;
}

export function createStreamSink(stream: Writable, options: StreamSinkOptions): LogSink {
  const { clock, maxQueuedBytes = 1_048_576, closeTimeoutMs = 1000 } = options;
  let queuedBytes = 0;
  let state: "flowing" | "stalled" | "broken" = "flowing";
  let resume = (): void => {};
  let emptied = (): void => {};

  function taken(sizeBytes: number): void {
    queuedBytes -= sizeBytes;
    if (queuedBytes === 0 || state === "broken") emptied();
    // Not before half is free: at the brink every second line would be a report of the line lost between.
    if (state !== "stalled" || queuedBytes > maxQueuedBytes / 2) return;
    state = "flowing";
    resume();
  }
  function breakOff(): void {
    state = "broken";
    emptied();
  }
  // Stays for good: without a listener the error of a late write would end the process.
  stream.on("error", breakOff);
  stream.on("close", breakOff);

  return {
    write(line) {
      const bytes = Buffer.from(line);
      if (state === "flowing" && queuedBytes + bytes.length > maxQueuedBytes) state = "stalled";
      if (state !== "flowing") return false;
      queuedBytes += bytes.length;
      try {
        stream.write(bytes, () => taken(bytes.length));
      } catch {
        breakOff();
      }
      return state !== ("broken" as typeof state);
    },
    onFlow: (run) => void (resume = run),
    close() {
      if (queuedBytes === 0 || state === "broken") return Promise.resolve();
      return new Promise((resolve) => {
        clock.after(closeTimeoutMs, resolve);
        emptied = resolve;
      });
    },
  };
}
