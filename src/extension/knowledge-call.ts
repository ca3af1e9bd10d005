/**
 * A request to the daemon's knowledge -> its JSON, or a sentence on why there is none.
 *
 * These routes want the token from everyone but the socket: where the person has named no daemon and there is no socket
 * nothing is sent, since whoever holds the usual port would read it.
 * Errors: never rejects.
 */
import { describeRefusal, parseObject } from "./batch.ts";
import type { Client } from "./client.ts";
import { chooseTarget, describeTarget } from "./target.ts";

/** Who asks. */
export interface Caller {
  readonly cwd: string;
  readonly session: string;
  readonly signal: AbortSignal | undefined;
}

export interface KnowledgeCall {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: object;
  readonly signal?: AbortSignal | undefined;
}

export type Json = Readonly<Record<string, unknown>>;

export async function callKnowledge(client: Client, call: KnowledgeCall): Promise<Json | string> {
  const { config } = client;
  const target = chooseTarget(config);
  if (config.daemonUrl === undefined && "url" in target) {
    return `no pi-daemon is running${config.socketPath === undefined ? "" : ` at ${config.socketPath}`}`;
  }
  const { method, path, body, signal } = call;
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await client.call({ method, path, ...text, signal, timeoutMs: config.knowledge.timeoutMs });
  if (answer.kind === "failure") {
    if (signal?.aborted) return "the call was given up";
    return `no pi-daemon at ${describeTarget(target)}: ${answer.error}`;
  }
  const { status, text: answered } = answer;
  if (status < 200 || status > 299) return describeRefusal(status, answered);
  return parseObject(answered) ?? `${status}: what answers is no pi-daemon`;
}

/** Without what moves the cursor of a terminal or hides text. */
export function cleanText(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "").toWellFormed();
}
