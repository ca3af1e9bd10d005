/**
 * What a program prints on its two streams -> one file of lines, each with its time and the name of its stream.
 *
 * A line is `2026-03-29T01:00:00.000Z out text`, or `err`; `out+` and `err+` where the text goes on in the next line of
 * that stream. Of output beyond the size of the file the end is kept, below a line that says how much is missing.
 * Errors: none are thrown; the first fault is said at the end, and nothing is written after it.
 */
import { createWriteStream, type WriteStream } from "node:fs";
import type { Clock } from "./clock.ts";
import type { Hide, OutputBuffer } from "./output-tail.ts";

export type OutputStream = "out" | "err";

const STREAMS: readonly OutputStream[] = ["out", "err"];

export interface LogFileOptions {
  readonly path: string;
  /** Of the file. Appended to when it is there: each run takes a file of its own. */
  readonly maxBytes: number;
}

export interface RunLogOptions extends LogFileOptions {
  readonly redact: Hide;
  /** Told when the file has caught up after {@link RunLog.write} has said that it lags. */
  readonly onCaughtUp: () => void;
}

/** Of a line that does not end. */
const LONGEST_PART = 16_384;
const MARK_BYTES = "2026-03-29T01:00:00.000Z out ".length;
/** How much of the file is kept free for the end of the output. */
const TAIL_SHARE = 0.25;
/** Beyond this much that the disk has not taken yet the log lags. */
const BUFFERED_BYTES = 262_144;

export class RunLog {
  readonly #clock: Clock;
  readonly #options: RunLogOptions;
  readonly #file: WriteStream;
  readonly #lines = { out: new LineCutter(), err: new LineCutter() };
  readonly #writtenBytes = { out: 0, err: 0 };
  #fileBytes = 0;
  #isFull = false;
  #fault: string | undefined;

  constructor(clock: Clock, options: RunLogOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#file = createWriteStream(options.path, { flags: "a", mode: 0o600, highWaterMark: BUFFERED_BYTES });
    this.#file.on("drain", options.onCaughtUp);
    this.#file.on("error", (error) => {
      this.#fault ??= `the log ${options.path} cannot be written: ${error.message}`;
      options.onCaughtUp();
    });
  }

  /** Whether the file keeps up; when it does not, write no more before `onCaughtUp`. */
  write(stream: OutputStream, chunk: Uint8Array): boolean {
    if (this.#isFull || this.#fault !== undefined) return true;
    const { whole, parts, isCut } = this.#lines[stream].cut(chunk);
    const fitting = firstLines(whole, this.#options.maxBytes * (1 - TAIL_SHARE) - this.#fileBytes);
    this.#isFull = fitting.length < whole.length;
    this.#writtenBytes[stream] += chunk.length - Buffer.byteLength(whole.slice(fitting.length));
    return this.#print(this.#format(stream, { whole: fitting, parts: this.#isFull ? [] : parts, isCut }));
  }

  /** Ends the file with what it lacks and the buffers still hold; resolves with its fault, if it had one. */
  async close(buffers: Readonly<Record<OutputStream, OutputBuffer>>): Promise<string | undefined> {
    for (const stream of STREAMS) this.#print(this.#format(stream, this.#lines[stream].end()));
    for (const stream of STREAMS) this.#printEnd(stream, buffers[stream]);
    await new Promise<void>((resolve) => {
      if (this.#file.closed) return resolve();
      this.#file.once("close", resolve);
      this.#file.end();
    });
    return this.#fault;
  }

  #printEnd(stream: OutputStream, buffer: OutputBuffer): void {
    const missingBytes = buffer.sizeBytes - this.#writtenBytes[stream];
    if (missingBytes === 0) return;
    const budgetBytes = Math.floor((this.#options.maxBytes * TAIL_SHARE) / 2);
    const last = buffer.readLast(Math.min(missingBytes, budgetBytes));
    const whole = lastLines(new TextDecoder().decode(last), budgetBytes);
    this.#print(`[... the log is full: ${missingBytes} bytes of ${stream} follow, of which the end is kept ...]\n`);
    this.#print(this.#format(stream, { whole, parts: [], isCut: true }));
  }

  #print(text: string): boolean {
    if (text === "" || this.#fault !== undefined) return true;
    this.#fileBytes += Buffer.byteLength(text);
    return this.#file.write(text);
  }

  /** By one replacement for all lines: a flood is mostly line feeds. */
  #format(stream: OutputStream, { whole, parts, isCut }: Lines): string {
    const { redact } = this.#options;
    const mark = `${new Date(this.#clock.wallMs()).toISOString()} ${stream}`;
    const shown = whole && redact(whole.slice(0, -1), { start: isCut });
    const lines = whole && `${mark} ${shown.replaceAll("\n", `\n${mark} `)}\n`;
    return lines + parts.map((part) => `${mark}+ ${redact(part, { start: true, end: true })}\n`).join("");
  }
}

interface Lines {
  /** Each with its line feed. */
  readonly whole: string;
  /** Of the line that is not whole yet, what is too long to wait for the rest. */
  readonly parts: readonly string[];
  /** The beginning of the first line stands elsewhere, or nowhere. */
  readonly isCut: boolean;
}

/** Cuts a stream of UTF-8 at its line feeds. */
class LineCutter {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #rest = "";
  /** Parts of the line that is not whole yet have been given away. */
  #isCut = false;

  cut(chunk: Uint8Array): Lines {
    const text = this.#rest + this.#decoder.decode(chunk, { stream: true });
    const end = text.lastIndexOf("\n") + 1;
    this.#rest = text.slice(end);
    const isCut = this.#isCut;
    if (end > 0) this.#isCut = false;
    const parts = [];
    for (; this.#rest.length > LONGEST_PART; this.#rest = this.#rest.slice(LONGEST_PART)) {
      parts.push(this.#rest.slice(0, LONGEST_PART));
    }
    if (parts.length > 0) this.#isCut = true;
    return { whole: text.slice(0, end), parts, isCut };
  }

  end(): Lines {
    const text = this.#rest + this.#decoder.decode();
    this.#rest = "";
    return { whole: text && text + "\n", parts: [], isCut: this.#isCut };
  }
}

/** As many lines from the beginning as fit when each has got its mark, each with its line feed. */
function firstLines(text: string, budgetBytes: number): string {
  let end = 0;
  for (let sizeBytes = 0; end < text.length;) {
    const lineEnd = text.indexOf("\n", end) + 1;
    sizeBytes += lineEnd - end + MARK_BYTES;
    if (sizeBytes > budgetBytes) break;
    end = lineEnd;
  }
  return text.slice(0, end);
}

/** As many lines from the end as fit when each has got its mark, or the end of the last one; with a line feed. */
function lastLines(text: string, budgetBytes: number): string {
  const ended = text.endsWith("\n") ? text : text + "\n";
  let start = ended.length;
  for (let sizeBytes = 0; start > 0;) {
    const lineStart = start < 2 ? 0 : ended.lastIndexOf("\n", start - 2) + 1;
    sizeBytes += start - lineStart + MARK_BYTES;
    if (sizeBytes > budgetBytes) break;
    start = lineStart;
  }
  return ended.slice(start) || ended.slice(-budgetBytes);
}
