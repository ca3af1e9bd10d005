/**
 * A session file of the pi coding agent -> what was said in it, as Markdown.
 *
 * One section for each message of the person or the model, and for each summary; tool output only when it is asked for.
 * Source: pi's session format, versions 1 to 3: a header, then one JSON object a line, in the order of time.
 * Order: that of the file; what was said on a branch that was left is part of it.
 * Units: milliseconds since the epoch.
 * Errors: none; lines that are no JSON objects are counted. A last line without its end is being written, and not yet
 * there.
 * Not: what the model thought, system prompts, images, what extensions keep for themselves.
 */
export interface SessionText {
  /** Empty where the file has no header. */
  readonly sessionId: string;
  readonly cwd: string;
  readonly startedMs: number | undefined;
  /** The name that the person gave it, else the beginning of the first message. */
  readonly title: string | undefined;
  readonly text: string;
  readonly damagedLines: number;
}

export interface SessionTextOptions {
  readonly withToolOutput: boolean;
}

type Json = Readonly<Record<string, unknown>>;

const LONGEST_TITLE = 120;

export function readSession(file: string, options: SessionTextOptions): SessionText {
  const reader = new SessionReader(options);
  let start = 0;
  for (let end = file.indexOf("\n"); end >= 0; end = file.indexOf("\n", start)) {
    reader.add(file.slice(start, end));
    start = end + 1;
  }
  reader.addUnfinished(file.slice(start));
  return reader.finish();
}

/** The same, line by line, for those who do not have the file at once. */
export class SessionReader {
  readonly #options: SessionTextOptions;
  readonly #sections: string[] = [];
  #header: Json = {};
  #name: string | undefined;
  #firstWords: string | undefined;
  #damagedLines = 0;

  constructor(options: SessionTextOptions) {
    this.#options = options;
  }

  /** A line without its end. */
  add(line: string): void {
    if (line.trim() === "") return;
    const entry = parseObject(line);
    if (entry === undefined) this.#damagedLines++;
    else this.#take(entry);
  }

  /** What stands after the last line end: a whole line, or the beginning of one. */
  addUnfinished(line: string): void {
    const entry = parseObject(line);
    if (entry !== undefined) this.#take(entry);
  }

  finish(): SessionText {
    const startedMs = Date.parse(textOf(this.#header["timestamp"]));
    return {
      sessionId: textOf(this.#header["id"]),
      cwd: textOf(this.#header["cwd"]),
      startedMs: Number.isFinite(startedMs) ? startedMs : undefined,
      title: this.#name ?? this.#firstWords,
      text: this.#sections.join("\n"),
      damagedLines: this.#damagedLines,
    };
  }

  #take(entry: Json): void {
    if (entry["type"] === "session") this.#header = entry;
    else if (entry["type"] === "session_info") this.#name = shorten(textOf(entry["name"])) ?? this.#name;
    else if (entry["type"] === "compaction") this.#say("Summary", textOf(entry["summary"]));
    else if (entry["type"] === "branch_summary") this.#say("Summary of a branch", textOf(entry["summary"]));
    else if (entry["type"] === "message" && isObject(entry["message"])) this.#takeMessage(entry["message"]);
  }

  #takeMessage(message: Json): void {
    const content = textsOf(message["content"]);
    const { withToolOutput } = this.#options;
    if (message["role"] === "user") {
      this.#firstWords ??= shorten(content);
      this.#say("User", content);
    } else if (message["role"] === "assistant") {
      this.#say("Assistant", content);
    } else if (message["role"] === "toolResult" && withToolOutput) {
      this.#say(`Output of ${textOf(message["toolName"]) || "a tool"}`, content);
    } else if (message["role"] === "bashExecution") {
      this.#say("Command", textOf(message["command"]));
      if (withToolOutput) this.#say("Output of the command", textOf(message["output"]));
    }
  }

  #say(heading: string, text: string): void {
    const trimmed = text.trim();
    if (trimmed !== "") this.#sections.push(`## ${heading}\n\n${trimmed}\n${endOfFence(trimmed)}`);
  }
}

/** The texts of a message: a string, or a list of parts of which some are texts. */
function textsOf(content: unknown): string {
  if (!Array.isArray(content)) return textOf(content);
  const parts = content.filter((part): part is Json => isObject(part) && part["type"] === "text");
  return parts.map((part) => textOf(part["text"])).join("\n\n");
}

/** A code block that its author has left open would swallow all that is said after it. */
function endOfFence(text: string): string {
  let open = "";
  for (const [, fence = "", rest = ""] of text.matchAll(/^ {0,3}(`{3,}|~{3,})(.*)$/gm)) {
    if (open === "") open = fence;
    else if (fence.startsWith(open) && rest.trim() === "") open = "";
  }
  return open === "" ? "" : `${open}\n`;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseObject(line: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The first line with words, not too long; `undefined` when there is none. */
function shorten(text: string): string | undefined {
  const line = text.trim().split("\n", 1)[0]!.trim();
  if (line === "") return undefined;
  return line.length <= LONGEST_TITLE ? line : `${line.slice(0, LONGEST_TITLE - 1).trimEnd()}\u2026`;
}
