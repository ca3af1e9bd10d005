/**
 * An OpenAI-compatible server that answers chat completions as a test says: text, tool calls, usage, errors, cut
 * streams.
 *
 * Not: anything of the protocol that the agent does not use.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ToolCall {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Tokens as the server bills them: `prompt` includes `cached`, `completion` includes `reasoning`. */
export interface BilledTokens {
  readonly prompt?: number;
  readonly completion?: number;
  readonly cached?: number;
  readonly reasoning?: number;
}

export interface LlmReply {
  readonly text?: string;
  readonly toolCalls?: readonly ToolCall[];
  readonly usage?: BilledTokens;
  /** An error of this status instead of a stream. */
  readonly status?: number;
  readonly error?: string;
  /** Never answers, until the other side gives up. */
  readonly isHanging?: boolean;
  /** Cuts the connection after the first words. */
  readonly isCut?: boolean;
}

export interface LlmRequest {
  /** Counts from 1. */
  readonly number: number;
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  /** What the model may call. */
  readonly tools?: readonly { readonly function: { readonly name: string; readonly parameters: object } }[];
}

export interface FakeLlm {
  /** For a provider's `baseUrl`. */
  readonly url: string;
  readonly requests: LlmRequest[];
  /** Decides the answer to each request; the default is a short text. */
  reply: (request: LlmRequest) => LlmReply;
  close(): Promise<void>;
}

export async function startFakeLlm(): Promise<FakeLlm> {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const {
        model,
        messages,
        tools = [],
      } = JSON.parse(Buffer.concat(pieces).toString()) as Omit<LlmRequest, "number">;
      const asked = { number: llm.requests.length + 1, model, messages, tools };
      llm.requests.push(asked);
      send(response, asked, llm.reply(asked));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const llm: FakeLlm = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests: [],
    reply: () => ({ text: "fine" }),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
  return llm;
}

/** Whether the agent asks for a summary of what was said: the request of a compaction. */
export function asksForSummary(request: LlmRequest): boolean {
  return JSON.stringify(request.messages[0]?.content ?? "").includes("summariz");
}

function send(response: ServerResponse, asked: LlmRequest, reply: LlmReply): void {
  if (reply.isHanging) return;
  if (reply.status !== undefined) {
    response.writeHead(reply.status, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { message: reply.error ?? "no", type: "error" } }));
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const chunk = (delta: object, finish_reason: string | null = null): void => {
    write(response, asked, { choices: [{ index: 0, delta, finish_reason }] });
  };
  chunk({ role: "assistant", content: reply.text ?? "" });
  if (reply.isCut) {
    setImmediate(() => response.destroy());
    return;
  }
  const calls = reply.toolCalls ?? [];
  calls.forEach(({ name, args }, index) => {
    const id = `call_${asked.number}_${index}`;
    chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: JSON.stringify(args) } }] });
  });
  chunk({}, calls.length > 0 ? "tool_calls" : "stop");
  write(response, asked, { choices: [], usage: toUsage(reply.usage ?? {}) });
  response.end("data: [DONE]\n\n");
}

function write(response: ServerResponse, asked: LlmRequest, fields: object): void {
  const chunk = {
    id: `chat_${asked.number}`,
    object: "chat.completion.chunk",
    created: 1,
    model: asked.model,
    ...fields,
  };
  response.write(`data: ${JSON.stringify(chunk)}\n\n`);
}

function toUsage({ prompt = 100, completion = 10, cached = 0, reasoning = 0 }: BilledTokens): object {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}
