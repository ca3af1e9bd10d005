/**
 * The two output streams of a child -> what is kept of them, and its log.
 *
 * Not: a flood is read no faster than {@link FLOOD_BYTES} in {@link FLOOD_WINDOW_MS}, nor faster than the log can be
 * written; the child waits meanwhile, as it would for a slow terminal.
 */
import type { ChildProcess } from "node:child_process";
import type { Clock, Timer } from "./clock.ts";
import { type Hide, OutputBuffer, type OutputTail } from "./output-tail.ts";
import { type LogFileOptions, type OutputStream, RunLog } from "./run-log.ts";

export interface OutputOptions {
  /** How much of each stream is kept in memory. */
  readonly outputBytes: number;
  readonly logFile?: LogFileOptions | undefined;
  /** Hides secrets in what is kept and logged. */
  readonly redact?: Hide | undefined;
  /** Takes the output as it comes; what it gives back is kept and logged instead. */
  readonly readStdout?: ((chunk: Uint8Array) => string) | undefined;
}

export interface CollectedOutput {
  /** Resolves when nobody holds the other ends any more, or after `limitMs`. */
  drain(limitMs: number): Promise<void>;
  /** Lets go of the streams. */
  finish(): Promise<{ stdout: OutputTail; stderr: OutputTail; logFault: string | undefined }>;
}

const FLOOD_BYTES = 4_194_304;
const FLOOD_WINDOW_MS = 50;

export function collectOutput(child: ChildProcess, clock: Clock, options: OutputOptions): CollectedOutput {
  const { outputBytes, readStdout, redact = (text) => text } = options;
  const buffers = { out: new OutputBuffer(outputBytes), err: new OutputBuffer(outputBytes) };
  const streams = [child.stdout!, child.stderr!];
  const valve = createValve(clock, streams);
  const log = options.logFile && new RunLog(clock, { ...options.logFile, redact, onCaughtUp: valve.open });

  function keep(stream: OutputStream, chunk: Buffer): void {
    valve.count(chunk.length);
    const kept = stream === "out" && readStdout ? Buffer.from(readStdout(chunk)) : chunk;
    buffers[stream].push(kept);
    if (log?.write(stream, kept) === false) valve.close();
  }
  child.stdout!.on("data", (chunk: Buffer) => keep("out", chunk));
  child.stderr!.on("data", (chunk: Buffer) => keep("err", chunk));
  const closed = Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.once("close", resolve))));

  return {
    async drain(limitMs) {
      let timer: Timer | undefined;
      const limit = new Promise<void>((resolve) => void (timer = clock.after(limitMs, resolve)));
      await Promise.race([closed, limit]);
      timer?.cancel();
    },
    async finish() {
      valve.stop();
      for (const stream of streams) stream.destroy();
      const logFault = await log?.close(buffers);
      return { stdout: buffers.out.read(redact), stderr: buffers.err.read(redact), logFault };
    },
  };
}

interface Valve {
  /** Takes note of bytes that have been read; closes for the rest of the window when they are too many. */
  count(bytes: number): void;
  close(): void;
  readonly open: () => void;
  stop(): void;
}

function createValve(clock: Clock, streams: readonly { pause(): unknown; resume(): unknown }[]): Valve {
  let windowEndMs = 0;
  let bytesInWindow = 0;
  let reopening: Timer | undefined;
  let isLagging = false;

  function resume(): void {
    if (!isLagging && reopening === undefined) for (const stream of streams) stream.resume();
  }
  function pause(): void {
    for (const stream of streams) stream.pause();
  }
  return {
    count(bytes) {
      const nowMs = clock.monotonicMs();
      if (nowMs >= windowEndMs) {
        windowEndMs = nowMs + FLOOD_WINDOW_MS;
        bytesInWindow = 0;
      }
      bytesInWindow += bytes;
      if (bytesInWindow < FLOOD_BYTES || reopening !== undefined) return;
      pause();
      reopening = clock.after(windowEndMs - nowMs, () => {
        reopening = undefined;
        resume();
      });
    },
    close() {
      isLagging = true;
      pause();
    },
    open() {
      isLagging = false;
      resume();
    },
    stop() {
      reopening?.cancel();
    },
  };
}
