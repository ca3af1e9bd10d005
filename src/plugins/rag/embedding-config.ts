/** `rag.embeddings` in the config: which server turns texts into vectors, and how it is asked. */
import {
  type Infer,
  integer,
  nullable,
  object,
  record,
  refine,
  secret,
  string,
  withDefault,
} from "../../core/validate.ts";

const headerValue = string({ pattern: /^[\t\x20-\x7e\x80-\xff]*$/, expected: "a header's value (one line)" });
const headerName = string({ pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, expected: "a header's name" });

export const embeddingsSchema = refine(
  object({
    /** Of the API (`http://127.0.0.1:11434/v1`) or of its `/embeddings`; `null`: no vectors of a model. */
    url: withDefault(nullable(string({ pattern: /^https?:\/\/[^\s?#]+$/, expected: "an http or https URL" })), null),
    model: withDefault(string({ maxLength: 200 }), ""),
    apiKey: withDefault(nullable(secret(headerValue)), null),
    headers: withDefault(record(secret(headerValue), { key: headerName }), {}),
    /** Asked of servers that can shorten vectors; else whatever the model gives. */
    dimensions: withDefault(nullable(integer({ min: 1, max: 65_536 })), null),
    /** What some models want before a question, and before a text that may answer it. */
    queryPrefix: withDefault(string({ maxLength: 1000 }), ""),
    documentPrefix: withDefault(string({ maxLength: 1000 }), ""),
    /** Texts in one request. */
    batchSize: withDefault(integer({ min: 1, max: 2048 }), 32),
    /** Requests at a time. */
    concurrency: withDefault(integer({ min: 1, max: 16 }), 2),
    /** Of a batch. */
    timeoutMs: withDefault(integer({ min: 100, max: 600_000 }), 60_000),
    /** Of a question: a search goes on without the endpoint after it, before the model in pi waits no longer. */
    queryTimeoutMs: withDefault(integer({ min: 10, max: 60_000 }), 1_500),
    /** Of the vectors kept on disk. */
    maxCacheBytes: withDefault(integer({ min: 1_048_576 }), 536_870_912),
  }),
  ({ url, model }) =>
    url !== null && model === "" ? [{ path: "model", message: "is required where there is a url" }] : undefined,
);

export type EmbeddingsConfig = Infer<typeof embeddingsSchema>;
