/**
 * Texts -> their vectors, by a server that speaks OpenAI's embeddings API.
 *
 * Units: milliseconds.
 * Errors: answered, never thrown. `busy`: later, perhaps at a time that it named. `away`: there is no answer to be had
 * now. `refused`: these texts, or any, as they stand. `odd`: an answer that makes no sense.
 * Not: the key, the headers and what stands before the host in the URL are in no message.
 */
import { redact } from "../../core/redact.ts";
import { readRetryAfter } from "../../core/retry-after.ts";
import type { Fetch, FetchAnswer } from "../../system/fetch.ts";
import { readEmbeddings, readErrorMessage, type Vectors } from "./embedding-answer.ts";
import type { EmbeddingsConfig } from "./embedding-config.ts";

export type EmbedResult =
  | { readonly ok: true; readonly vectors: Vectors }
  | {
      readonly ok: false;
      readonly fault: "busy" | "away" | "refused" | "odd";
      readonly message: string;
      readonly retryAfterMs: number | undefined;
    };

export interface EmbedOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface EndpointClient {
  /** For messages: where the endpoint is, without secrets. */
  readonly place: string;
  embed(texts: readonly string[], options: EmbedOptions): Promise<EmbedResult>;
}

export interface EndpointServices {
  readonly clock: { wallMs(): number };
  readonly fetch: Fetch;
}

/** 4 096 components of 20 characters for each of 2 048 texts fit; what is longer is no answer. */
const LARGEST_ANSWER_BYTES = 256 * 1024 * 1024;
/** Of one text; what a server sends beyond is no vector. */
const LARGEST_VECTOR_BYTES = 2 * 1024 * 1024;

export function createEndpointClient(
  services: EndpointServices,
  config: EmbeddingsConfig & { url: string },
): EndpointClient {
  const url = `${config.url.replace(/\/+$/, "").replace(/\/embeddings$/, "")}/embeddings`;
  const parsed = URL.parse(url);
  const place = parsed === null ? "the endpoint" : parsed.origin + parsed.pathname;
  const secrets = secretsOf(config, parsed);
  const fail = (fault: "busy" | "away" | "refused" | "odd", message: string, retryAfterMs?: number): EmbedResult => ({
    ok: false,
    fault,
    message: redact(`${place}: ${message}`, secrets),
    retryAfterMs,
  });

  return {
    place,
    async embed(texts, { timeoutMs, signal }) {
      const answer = await services.fetch({
        method: "POST",
        url,
        headers: headersOf(config),
        body: JSON.stringify({
          model: config.model,
          input: texts,
          encoding_format: "float",
          ...(config.dimensions === null ? {} : { dimensions: config.dimensions }),
        }),
        timeoutMs,
        maxBytes: Math.min(LARGEST_ANSWER_BYTES, texts.length * LARGEST_VECTOR_BYTES),
        signal,
      });
      if (!answer.ok) return fail(answer.fault === "invalid" ? "refused" : "away", answer.message);
      if (answer.status !== 200) return explain(answer);
      const vectors = answer.isCut ? "its answer is too long" : readEmbeddings(answer.body, texts.length);
      return typeof vectors === "string" ? fail("odd", vectors) : { ok: true, vectors };
    },
  };

  function explain(answer: FetchAnswer): EmbedResult {
    const { status, headers, body } = answer;
    const said = readErrorMessage(body);
    const message = `it answered ${status}${said === undefined ? "" : ` (${said})`}`;
    const retryAfterMs = readRetryAfter(headers["retry-after"], services.clock.wallMs());
    if (status === 429 || status === 503) return fail("busy", message, retryAfterMs);
    // A key that is wrong or a model that is missing is put right elsewhere, and no text is to blame.
    if (status >= 500 || status === 401 || status === 403 || status === 404 || status === 408 || status < 400) {
      return fail("away", message, retryAfterMs);
    }
    return fail("refused", message);
  }
}

function headersOf({ apiKey, headers }: EmbeddingsConfig): Record<string, string> {
  const authorization = apiKey === null ? {} : { authorization: `Bearer ${apiKey}` };
  return { "content-type": "application/json", accept: "application/json", ...authorization, ...headers };
}

function secretsOf({ apiKey, headers }: EmbeddingsConfig, url: URL | null): string[] {
  const all = [apiKey ?? "", url?.password ?? "", url?.username ?? "", ...Object.values(headers)];
  // A header such as `x-team: a` would take every a out of every message.
  return all.filter((text) => text.length >= 4);
}
