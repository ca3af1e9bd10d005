/**
 * The events that `pi --mode json` prints -> how far the agent has come, what it has cost, and a transcript for people.
 *
 * Source: pi's docs/json.md: one object a line, lines end at U+000A alone; `message_end` holds the whole message.
 * Errors: none are thrown. A line that is no event of a known shape is passed over, or shown as it is.
 * Cost: pieces of a message that is still coming are skipped unread; a line beyond {@link LONGEST_LINE} is dropped.
 */
import { shorten } from "../../core/printable.ts";

export interface AgentProgress {
  /** pi has nothing left to do by itself. */
  readonly hasSettled: boolean;
  /** Of the last answer: `stop` when the agent was done. */
  readonly stopReason?: string | undefined;
  readonly errorMessage?: string | undefined;
  /** The text of the last answer. */
  readonly finalText: string;
  /** Without what the provider had cached. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly costUsd: number;
}

export const NO_PROGRESS: AgentProgress = {
  hasSettled: false,
  finalText: "",
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costUsd: 0,
};

/** In UTF-16 units; a message that holds pictures is long. */
const LONGEST_LINE = 8_388_608;
const SHOWN_ARGUMENTS = 300;

type Fields = Readonly<Record<string, unknown>>;

/** Cuts the stream into lines, and folds them. */
export class AgentStream {
  readonly #decoder = new TextDecoder();
  #pieces: string[] = [];
  #length = 0;
  #progress = NO_PROGRESS;

  get progress(): AgentProgress {
    return this.#progress;
  }

  /** Takes bytes of the stream; gives what they add to the transcript, each line with its line feed. */
  push(chunk: Uint8Array): string {
    const [first, ...rest] = this.#decoder.decode(chunk, { stream: true }).split("\n");
    this.#extend(first!);
    let transcript = "";
    for (const piece of rest) {
      transcript += this.#readLine();
      this.#extend(piece);
    }
    return transcript;
  }

  #extend(piece: string): void {
    this.#length += piece.length;
    if (this.#length <= LONGEST_LINE) this.#pieces.push(piece);
    else this.#pieces = [];
  }

  #readLine(): string {
    const line = this.#pieces.join("");
    const isWhole = line.length === this.#length;
    this.#pieces = [];
    this.#length = 0;
    if (!isWhole) return "[a longer event than is read]\n";
    const event = parseEvent(line);
    if (event === undefined) return "";
    if (typeof event === "string") return event.trim() && `${event}\n`;
    this.#progress = advance(this.#progress, event);
    return describe(event);
  }
}

/** The progress after an event. */
export function advance(progress: AgentProgress, event: Fields): AgentProgress {
  const message = fieldsOf(event["message"]);
  switch (event["type"]) {
    case "agent_start":
      return { ...progress, hasSettled: false };
    case "agent_settled":
      return { ...progress, hasSettled: true };
    case "compaction_end":
      return addUsage(progress, fieldsOf(event["result"])["usage"]);
    case "message_end":
      return message["role"] === "assistant"
        ? { ...addUsage(progress, message["usage"]), ...readAnswer(message) }
        : addUsage(progress, message["usage"]);
    default:
      return progress;
  }
}

function readAnswer(message: Fields): Pick<AgentProgress, "stopReason" | "errorMessage" | "finalText"> {
  const { stopReason, errorMessage } = message;
  return {
    stopReason: typeof stopReason === "string" ? stopReason : undefined,
    errorMessage: typeof errorMessage === "string" ? errorMessage : undefined,
    finalText: readText(message),
  };
}

function addUsage(progress: AgentProgress, value: unknown): AgentProgress {
  const usage = fieldsOf(value);
  return {
    ...progress,
    inputTokens: progress.inputTokens + amount(usage["input"]),
    outputTokens: progress.outputTokens + amount(usage["output"]),
    cacheReadTokens: progress.cacheReadTokens + amount(usage["cacheRead"]),
    cacheWriteTokens: progress.cacheWriteTokens + amount(usage["cacheWrite"]),
    costUsd: progress.costUsd + amount(fieldsOf(usage["cost"])["total"]),
  };
}

/** What an event adds to the transcript. */
function describe(event: Fields): string {
  const { type, toolName, args, isError, message, attempt, maxAttempts, errorMessage } = event;
  const { role, errorMessage: failure } = fieldsOf(message);
  switch (type) {
    case "message_end": {
      if (role !== "assistant") return "";
      const text = readText(fieldsOf(message));
      return (text && `${text}\n`) + (typeof failure === "string" ? `[error] ${failure}\n` : "");
    }
    case "tool_execution_start":
      return `[tool] ${toolName} ${shorten(JSON.stringify(args) ?? "", SHOWN_ARGUMENTS)}\n`;
    case "tool_execution_end":
      return isError === true ? `[tool] ${toolName} failed\n` : "";
    case "auto_retry_start":
      return `[retry ${attempt} of ${maxAttempts}] ${errorMessage}\n`;
    case "compaction_end":
      return "[compaction]\n";
    default:
      return "";
  }
}

function readText(message: Fields): string {
  const { content } = message;
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  const parts = content.map(fieldsOf).filter(({ type, text }) => type === "text" && typeof text === "string");
  return parts.map(({ text }) => text).join("");
}

/** `undefined` for an event that says nothing new; the line itself when it is no event. */
function parseEvent(line: string): Fields | string | undefined {
  if (/^\{"type":"(message_update|message_start|turn_|agent_end|tool_execution_update)/.test(line)) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Fields) : line;
  } catch {
    return line;
  }
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function amount(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}
