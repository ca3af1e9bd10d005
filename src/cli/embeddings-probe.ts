/**
 * Asks an embeddings server for one vector, as the daemon would: how long it takes, and how long the vector is.
 *
 * Source: OpenAI's `POST /embeddings`, as Ollama, llama.cpp and LM Studio serve it.
 * Errors: answered as a sentence.
 */
import { escapeUnprintable, shorten } from "../core/printable.ts";
import { callHttp, UnreachableError } from "../system/http-call.ts";

export interface EmbeddingsServer {
  /** Of the API, or of its `/embeddings`. */
  readonly url: string;
  readonly model: string;
  readonly apiKey: string | null;
}

export interface ProbedServer {
  readonly dimensions: number;
  readonly tookMs: number;
}

const TIMEOUT_MS = 15_000;
const TEXT = "How long is a vector of this model?";

export async function probeEmbeddings(server: EmbeddingsServer, nowMs: () => number): Promise<ProbedServer | string> {
  const url = URL.parse(server.url.replace(/\/+$/, "").replace(/\/embeddings$/, ""));
  if (url === null) return "its address is no URL";
  const startMs = nowMs();
  try {
    const { status, text } = await callHttp(
      { url, token: server.apiKey ?? undefined },
      {
        method: "POST",
        path: "/embeddings",
        accept: "application/json",
        body: { model: server.model, input: [TEXT], encoding_format: "float" },
        timeoutMs: TIMEOUT_MS,
      },
    );
    if (status !== 200) return `it answers ${status}: ${shorten(escapeUnprintable(text.trim()), 200)}`;
    const dimensions = countDimensions(text);
    return dimensions === undefined ? "it answers, but no vector" : { dimensions, tookMs: nowMs() - startMs };
  } catch (error) {
    return error instanceof UnreachableError ? error.reason : (error as Error).message;
  }
}

function countDimensions(text: string): number | undefined {
  try {
    const { data } = JSON.parse(text) as { data?: { embedding?: unknown }[] };
    const vector = data?.[0]?.embedding;
    return Array.isArray(vector) && vector.length > 0 ? vector.length : undefined;
  } catch {
    return undefined;
  }
}
