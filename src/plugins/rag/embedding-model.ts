/**
 * One model behind one endpoint: asks for vectors of questions, has those of the chunks made, and sees when another
 * model answers in its place.
 *
 * A model is known by the vector of a fixed text, the probe: asked for at the start, and after each failure before
 * anything else is.
 * Errors: none; questions get a sentence in the place of a vector.
 */
import { unpackVector } from "../../core/packed-vectors.ts";
import type { BlobCache } from "../../system/blob-cache.ts";
import type { Clock } from "../../system/clock.ts";
import type { Fetch } from "../../system/fetch.ts";
import type { Log } from "../../system/log.ts";
import type { EmbeddingsConfig } from "./embedding-config.ts";
import { type EmbeddableDocument, EmbeddingFill } from "./embedding-fill.ts";
import { EmbeddingSpace, PROBE_TEXT, probeKeyOf } from "./embedding-space.ts";
import { createEndpointClient, type EndpointClient } from "./endpoint-client.ts";
import { EndpointGate } from "./endpoint-gate.ts";
import type { EndpointLeg } from "./knowledge.ts";

export interface ModelServices {
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch: Fetch;
  turn(): Promise<void>;
  /** All that there are now. */
  documents(): Iterable<EmbeddableDocument>;
}

export interface ModelContext extends ModelServices {
  readonly config: EmbeddingsConfig & { readonly url: string };
  readonly cache: BlobCache;
  /** Called whenever every chunk that can have a vector has one. */
  onCaughtUp(): Promise<void>;
}

/** A model that is being loaded takes its time. */
const PROBE_TIMEOUT_MS = 60_000;

export class EmbeddingModel {
  readonly #context: ModelContext;
  readonly #client: EndpointClient;
  readonly #gate: EndpointGate;
  readonly #stop = new AbortController();
  #space: EmbeddingSpace | undefined;
  #fill: EmbeddingFill | undefined;
  #verification: Promise<boolean> | undefined;
  #isVerifying = false;

  constructor(context: ModelContext) {
    this.#context = context;
    this.#client = createEndpointClient(context, context.config);
    this.#gate = new EndpointGate(context.clock);
  }

  get config(): ModelContext["config"] {
    return this.#context.config;
  }

  get space(): EmbeddingSpace | undefined {
    return this.#space;
  }

  /** What makes vectors of the chunks, once it is known of what kind. */
  get fill(): EmbeddingFill | undefined {
    return this.#fill;
  }

  /** Why the endpoint does not answer; `undefined` while it does. */
  get awayBecause(): string | undefined {
    return this.#gate.problem;
  }

  /** `undefined` as long as there are no vectors. */
  get leg(): EndpointLeg | undefined {
    const index = this.#space?.index;
    if (index === undefined || index.size === 0) return undefined;
    return { index, embedQuery: (text, signal) => this.#embedQuery(text, { index, signal }) };
  }

  /** Makes vectors for all that there is. `space`: what an endpoint before this one has made with the same model. */
  async start(space: EmbeddingSpace | undefined): Promise<void> {
    const { cache, config } = this.#context;
    const probe = space === undefined ? await cache.get(probeKeyOf(config, cache)) : undefined;
    const vector = probe && unpackVector(probe);
    if (space !== undefined) this.#fillSpace(space);
    else if (vector !== undefined) this.#fillSpace(new EmbeddingSpace(vector, config));
    void this.#verified();
  }

  /** Serves questions, and makes no more vectors. */
  serveOnly(space: EmbeddingSpace): void {
    this.#space = space;
  }

  /** Ends all that is under way; questions that come later are answered still. */
  abort(): void {
    this.#stop.abort();
    this.#fill?.stop();
    this.#gate.letGo();
  }

  async end(): Promise<void> {
    this.abort();
    await this.#verification;
    await this.#fill?.settled();
  }

  /** Resolves when every chunk has its vector, or has been given up. */
  async settled(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#verification;
      await this.#fill?.settled();
      if (this.#fill !== undefined && !this.#fill.isBusy && !this.#isVerifying) return;
      await this.#context.turn();
    }
  }

  #fillSpace(space: EmbeddingSpace): void {
    const { documents, config } = this.#context;
    const fill: EmbeddingFill = new EmbeddingFill({
      ...this.#context,
      config,
      space,
      client: this.#client,
      gate: this.#gate,
      verified: () => this.#verified(),
      isCurrent: () => this.#fill === fill,
    });
    this.#fill?.stop();
    this.#space = space;
    this.#fill = fill;
    fill.start(documents());
  }

  /** Whether the space is the model's; resolves late while the endpoint is away. */
  #verified(): Promise<boolean> {
    const isDue = this.#verification === undefined || this.#gate.problem !== undefined;
    if (this.#verification !== undefined && (this.#isVerifying || !isDue)) return this.#verification;
    this.#isVerifying = true;
    this.#verification = this.#verify()
      .catch((error: Error) => {
        this.#context.log.error("the endpoint of the embeddings could not be tried", { error: error.message });
        return false;
      })
      .finally(() => (this.#isVerifying = false));
    return this.#verification;
  }

  async #verify(): Promise<boolean> {
    const probe = await this.#askProbe();
    if (probe === undefined) return false;
    if (this.#space?.isSameModel(probe)) return true;
    await this.#adopt(probe);
    return false;
  }

  /** However long it takes; `undefined` when it was ended. */
  async #askProbe(): Promise<Float32Array | undefined> {
    const { config, log } = this.#context;
    const { signal } = this.#stop;
    for (;;) {
      await this.#gate.opened();
      if (signal.aborted) return undefined;
      const texts = [config.documentPrefix + PROBE_TEXT];
      const result = await this.#client.embed(texts, { timeoutMs: PROBE_TIMEOUT_MS, signal });
      if (signal.aborted) return undefined;
      const probe = result.ok ? result.vectors[0] : undefined;
      if (probe !== undefined) {
        this.#gate.succeeded();
        return probe;
      }
      const message = result.ok ? `${this.#client.place}: it gives no usable vector` : result.message;
      if (this.#gate.problem === undefined) log.warn("the endpoint of the embeddings is away", { error: message });
      this.#gate.failed(message, result.ok ? undefined : result.retryAfterMs);
    }
  }

  /** The first model, or another than before: its vectors are made from the beginning. */
  async #adopt(probe: Float32Array): Promise<void> {
    const { config, log, cache } = this.#context;
    if (this.#space !== undefined) log.warn("another model answers under this name", { model: config.model });
    const space = new EmbeddingSpace(probe, config);
    await cache.put(probeKeyOf(config, cache), space.packedProbe);
    if (this.#stop.signal.aborted) return;
    // Who waits for this verification asked for the space before; who comes now asks for the new one.
    this.#verification = Promise.resolve(true);
    this.#isVerifying = false;
    this.#fillSpace(space);
  }

  async #embedQuery(
    text: string,
    { index, signal }: { readonly index: EndpointLeg["index"]; readonly signal: AbortSignal },
  ): Promise<Float32Array | string> {
    const { config } = this.#context;
    const gate = this.#gate;
    if (!gate.isOpen) return gate.problem ?? "the endpoint is away";
    const options = { timeoutMs: config.queryTimeoutMs, signal };
    const result = await this.#client.embed([config.queryPrefix + text], options);
    if (signal.aborted) return "the search was given up";
    if (!result.ok) {
      if (result.fault !== "refused") gate.failed(result.message, result.retryAfterMs);
      return result.message;
    }
    // It is back: whether it is the same model is found out beside the search.
    if (gate.problem !== undefined && this.#fill !== undefined) void this.#verified();
    else gate.succeeded();
    const [vector] = result.vectors;
    if (vector === undefined) return `${this.#client.place}: it gives no usable vector`;
    if (vector.length === index.dimensions) return vector;
    const lengths = `${vector.length} components, those of the index ${index.dimensions}`;
    return `${this.#client.place}: its vectors have ${lengths}`;
  }
}
