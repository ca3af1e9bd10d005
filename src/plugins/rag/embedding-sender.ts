/**
 * Texts -> their vectors, however often it takes: batches are sent a few at a time, again after a failure, and in
 * halves where the server takes no part of them.
 *
 * Order: none between texts. Each is given to `onVector` once, or to `onRefused`.
 * Not: a text that was given up on is not sent again before the next start.
 */
import type { EndpointClient, EmbedResult } from "./endpoint-client.ts";
import type { EndpointGate } from "./endpoint-gate.ts";

/** A text, and the cache key that it is known by. */
export interface TextToEmbed {
  readonly key: string;
  readonly text: string;
}

export interface SenderContext {
  readonly gate: EndpointGate;
  readonly signal: AbortSignal;
  client(): EndpointClient;
  settings(): { readonly batchSize: number; readonly concurrency: number; readonly timeoutMs: number };
  /** Resolves to whether the model is the one that vectors are wanted of. */
  verified(): Promise<boolean>;
  /** False when the vector is not of the wanted kind. */
  onVector(item: TextToEmbed, vector: Float32Array): Promise<boolean>;
  onRefused(items: readonly TextToEmbed[], message: string): void;
}

/** In one request, whatever the batch size: servers bound their bodies. */
const MOST_CHARACTERS = 200_000;
/** How often a text is sent of which no vector comes, though others' do. */
const MOST_EMPTY_ANSWERS = 3;

export class EmbeddingSender {
  readonly #context: SenderContext;
  #batch: TextToEmbed[] = [];
  #characters = 0;
  readonly #sending = new Set<Promise<void>>();

  constructor(context: SenderContext) {
    this.#context = context;
  }

  /** Resolves when there is room for another. */
  async add(item: TextToEmbed): Promise<void> {
    this.#batch.push(item);
    this.#characters += item.text.length;
    const { batchSize } = this.#context.settings();
    if (this.#batch.length >= batchSize || this.#characters >= MOST_CHARACTERS) await this.#dispatch();
  }

  /** Resolves when all that was added has been dealt with. */
  async flush(): Promise<void> {
    if (this.#batch.length > 0) await this.#dispatch();
    while (this.#sending.size > 0) await Promise.race(this.#sending);
  }

  async #dispatch(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#characters = 0;
    while (this.#sending.size >= this.#context.settings().concurrency) await Promise.race(this.#sending);
    const sending: Promise<void> = this.#send(batch).finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  async #send(batch: readonly TextToEmbed[]): Promise<void> {
    let items = batch;
    let emptyAnswers = 0;
    while (items.length > 0 && (await this.#mayGoOn())) {
      const { gate, signal, client, settings } = this.#context;
      const texts = items.map(({ text }) => text);
      const result = await client().embed(texts, { timeoutMs: settings().timeoutMs, signal });
      if (signal.aborted) return;
      if (!result.ok && result.fault === "refused") return this.#refuse(items, result.message);
      if (!result.ok) {
        gate.failed(result.message, result.retryAfterMs);
        continue;
      }
      gate.succeeded();
      const missing = await this.#take(items, result);
      if (missing.length === items.length && ++emptyAnswers === MOST_EMPTY_ANSWERS) {
        return this.#context.onRefused(missing, `${client().place}: it gives no usable vector for some texts`);
      }
      items = missing;
    }
  }

  async #mayGoOn(): Promise<boolean> {
    const { gate, signal, verified } = this.#context;
    await gate.opened();
    return !signal.aborted && (await verified()) && !signal.aborted;
  }

  /** Answers the items that got no vector. */
  async #take(items: readonly TextToEmbed[], { vectors }: EmbedResult & { ok: true }): Promise<TextToEmbed[]> {
    const missing: TextToEmbed[] = [];
    for (const [at, item] of items.entries()) {
      const vector = vectors[at];
      if (vector === undefined || !(await this.#context.onVector(item, vector))) missing.push(item);
    }
    return missing;
  }

  /** One bad text must not cost the others their vectors. */
  async #refuse(items: readonly TextToEmbed[], message: string): Promise<void> {
    if (items.length === 1) return this.#context.onRefused(items, message);
    const middle = items.length >> 1;
    await this.#send(items.slice(0, middle));
    await this.#send(items.slice(middle));
  }
}
