/**
 * The chunks of the corpus -> vectors of a model behind an endpoint, made in the background and kept on disk.
 *
 * The flow: chunk -> key of its text -> from the cache, or sent in a batch -> cache and index. A model is known by the
 * vector of a fixed text (the probe), which is asked for at start and after each failure.
 * Order: while another model's vectors are made, the ones of the model before serve, as long as it answers.
 * Errors: none reach a search: it gets a sentence in the place of a vector. What could not be embedded is caught up.
 * Cost: a quarter of a float a component in memory, two bytes on disk.
 */
import { unpackVector } from "../../core/packed-vectors.ts";
import type { BlobCache, OpenCache } from "../../system/blob-cache.ts";
import type { Clock } from "../../system/clock.ts";
import type { Fetch } from "../../system/fetch.ts";
import type { Log } from "../../system/log.ts";
import type { EmbeddingsConfig } from "./embedding-config.ts";
import { EmbeddingFill, type EmbeddableDocument } from "./embedding-fill.ts";
import { EmbeddingSpace, PROBE_TEXT, probeKeyOf } from "./embedding-space.ts";
import { createEndpointClient, type EndpointClient } from "./endpoint-client.ts";
import { EndpointGate } from "./endpoint-gate.ts";
import type { ChunkRange } from "./indexes.ts";
import type { EndpointLeg } from "./knowledge.ts";

export type { EmbeddableDocument } from "./embedding-fill.ts";

export interface EmbeddingsServices {
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch: Fetch;
  readonly openCache: OpenCache;
  turn(): Promise<void>;
}

export interface EmbeddingsOptions {
  readonly config: EmbeddingsConfig;
  /** All that there are now. */
  documents(): Iterable<EmbeddableDocument>;
}

export interface EmbeddingsState {
  readonly state: "off" | "ready" | "catching-up" | "away";
  readonly model: string | null;
  /** How much of the chunks has a vector, from 0 to 1. */
  readonly ratio: number;
  /** What went wrong the last time, without secrets. */
  readonly error: string | null;
}

export interface Embeddings {
  /** `undefined` where no vectors are wanted, or none are there yet. */
  leg(): EndpointLeg | undefined;
  added(document: EmbeddableDocument): void;
  removed(range: ChunkRange): void;
  isEmbedded(chunkId: number): boolean;
  reconfigure(config: EmbeddingsConfig): Promise<void>;
  state(): EmbeddingsState;
  /** What a reader of answers should know, in sentences. */
  notices(): readonly string[];
  /** Resolves when every chunk has its vector, or has been given up. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** One endpoint with one model: all that ends when another is wanted. */
interface Setup {
  readonly config: EmbeddingsConfig & { readonly url: string };
  readonly client: EndpointClient;
  readonly gate: EndpointGate;
  readonly stop: AbortController;
  space: EmbeddingSpace | undefined;
  fill: EmbeddingFill | undefined;
  /** Whether the model is still the one of the space; asked anew after a failure. */
  verification: Promise<boolean> | undefined;
  isVerifying: boolean;
}

const PROBE_TIMEOUT_MS = 60_000;

const NO_CACHE: BlobCache = {
  count: 0,
  sizeBytes: 0,
  has: () => false,
  get: async () => undefined,
  put: async () => false,
  compact: async () => undefined,
  close: async () => undefined,
};

export async function createEmbeddings(services: EmbeddingsServices, options: EmbeddingsOptions): Promise<Embeddings> {
  const embeddings = new EndpointEmbeddings(services, options);
  await embeddings.reconfigure(options.config);
  return embeddings;
}

class EndpointEmbeddings implements Embeddings {
  readonly #services: EmbeddingsServices;
  readonly #documents: () => Iterable<EmbeddableDocument>;
  #cache: BlobCache | undefined;
  #setup: Setup | undefined;
  /** Serves until the present one has made all its vectors. */
  #former: Setup | undefined;

  constructor(services: EmbeddingsServices, { documents }: EmbeddingsOptions) {
    this.#services = services;
    this.#documents = documents;
  }

  leg(): EndpointLeg | undefined {
    const setup = this.#serving();
    if (setup?.space === undefined || setup.space.index.size === 0) return undefined;
    const { index } = setup.space;
    return { index, embedQuery: (text, signal) => this.#embedQuery(setup, { text, index, signal }) };
  }

  added(document: EmbeddableDocument): void {
    this.#setup?.fill?.add(document);
  }

  removed({ firstChunkId, chunkCount }: ChunkRange): void {
    this.#setup?.fill?.remove(firstChunkId);
    for (const setup of [this.#setup, this.#former]) {
      const index = setup?.space?.index;
      for (let id = firstChunkId; index && id < firstChunkId + chunkCount; id++) index.remove(id);
    }
  }

  isEmbedded(chunkId: number): boolean {
    return this.#setup?.space?.index.has(chunkId) ?? false;
  }

  async reconfigure(config: EmbeddingsConfig): Promise<void> {
    const { url } = config;
    const before = this.#setup;
    if (before && JSON.stringify(before.config) === JSON.stringify(config)) return;
    if (url === null) return this.stop();
    this.#cache ??= await this.#openCache(config);
    const setup = this.#createSetup({ ...config, url });
    const isSameModel = before !== undefined && (await probeKeyOf(before.config)) === (await probeKeyOf(config));
    if (before !== undefined) this.#retire(before, isSameModel);
    this.#setup = setup;
    await this.#start(setup, isSameModel ? before?.space : undefined);
  }

  state(): EmbeddingsState {
    const setup = this.#setup;
    if (setup === undefined) return { state: "off", model: null, ratio: 0, error: null };
    const problem = setup.gate.problem ?? setup.fill?.problem ?? null;
    const isAway = setup.gate.problem !== undefined;
    const isBusy = setup.fill === undefined || setup.fill.isBusy;
    const state = isAway ? "away" : isBusy ? "catching-up" : "ready";
    return { state, model: setup.config.model, ratio: setup.fill?.ratio ?? 0, error: problem };
  }

  notices(): readonly string[] {
    const { state, ratio, error } = this.state();
    if (state === "off" || (ratio === 1 && state !== "away")) return [];
    const percent = `${Math.floor(ratio * 100)} %`;
    if (this.#setup?.space === undefined) return error === null ? [] : [`searched without the endpoint's vectors: ${error}`];
    return ratio === 1 ? [] : [`the endpoint's model has seen ${percent} of the texts so far`];
  }

  async settled(): Promise<void> {
    for (let setup = this.#setup; setup !== undefined; ) {
      await setup.verification?.catch(() => undefined);
      await setup.fill?.settled();
      if (setup === this.#setup && setup.fill !== undefined && !setup.fill.isBusy) return;
      await this.#services.turn();
      setup = this.#setup;
    }
  }

  async stop(): Promise<void> {
    const setups = [this.#setup, this.#former];
    this.#setup = this.#former = undefined;
    for (const setup of setups) await this.#end(setup);
    const cache = this.#cache;
    this.#cache = undefined;
    await cache?.close();
  }

  #serving(): Setup | undefined {
    const isFormerAway = this.#former?.gate.problem !== undefined && this.#setup?.space !== undefined;
    return isFormerAway ? this.#setup : (this.#former ?? this.#setup);
  }

  /** Without a cache all goes on; only the next start is dear. */
  async #openCache({ maxCacheBytes }: EmbeddingsConfig): Promise<BlobCache> {
    const { openCache, log } = this.#services;
    return openCache("embeddings", maxCacheBytes).catch((error: Error) => {
      log.error("the cache of embeddings cannot be opened; going on without", { error: error.message });
      return NO_CACHE;
    });
  }

  #createSetup(config: Setup["config"]): Setup {
    const { clock } = this.#services;
    return {
      config,
      client: createEndpointClient(this.#services, config),
      gate: new EndpointGate(clock),
      stop: new AbortController(),
      space: undefined,
      fill: undefined,
      verification: undefined,
      isVerifying: false,
    };
  }

  /** Of a model that differs, the vectors serve on. */
  #retire(before: Setup, isSameModel: boolean): void {
    const mayServe = !isSameModel && this.#former === undefined && (before.space?.index.size ?? 0) > 0;
    before.stop.abort();
    before.gate.letGo();
    if (mayServe) this.#former = { ...this.#createSetup(before.config), space: before.space };
  }

  async #start(setup: Setup, space: EmbeddingSpace | undefined): Promise<void> {
    const probe = space?.packedProbe ?? (await this.#cache?.get(await probeKeyOf(setup.config)));
    const vector = probe && unpackVector(probe);
    if (space !== undefined) this.#fillSpace(setup, space);
    else if (vector !== undefined) this.#fillSpace(setup, new EmbeddingSpace(vector, setup.config));
    void this.#verified(setup);
  }

  #fillSpace(setup: Setup, space: EmbeddingSpace): void {
    setup.space = space;
    const context = { ...this.#services, ...setup, space, cache: this.#cache!, verified: () => this.#verified(setup) };
    const fill: EmbeddingFill = new EmbeddingFill({
      ...context,
      isCurrent: () => setup.fill === fill,
      onCaughtUp: () => this.#caughtUp(setup),
    });
    setup.fill?.stop();
    setup.fill = fill;
    fill.start(this.#documents());
  }

  /** All vectors of the present model are there: the one before has served its time. */
  async #caughtUp(setup: Setup): Promise<void> {
    if (setup !== this.#setup || setup.gate.problem !== undefined) return;
    await this.#end(this.#former);
    this.#former = undefined;
    if (setup.fill?.isWasteful(this.#cache!)) await setup.fill.compact(this.#documents(), await probeKeyOf(setup.config));
  }

  /** Whether the space of the setup is the model's; resolves late while the endpoint is away. */
  #verified(setup: Setup): Promise<boolean> {
    const isDue = setup.verification === undefined || setup.gate.problem !== undefined;
    if (setup.isVerifying || !isDue) return setup.verification!;
    setup.isVerifying = true;
    setup.verification = this.#verify(setup)
      .catch((error: Error) => {
        this.#services.log.error("the endpoint of the embeddings could not be tried", { error: error.message });
        return false;
      })
      .finally(() => (setup.isVerifying = false));
    return setup.verification;
  }

  async #verify(setup: Setup): Promise<boolean> {
    const { gate, client, config, stop } = setup;
    const { signal } = stop;
    while (!signal.aborted) {
      await gate.opened();
      if (signal.aborted) break;
      const result = await client.embed([config.documentPrefix + PROBE_TEXT], { timeoutMs: PROBE_TIMEOUT_MS, signal });
      if (signal.aborted) break;
      const probe = result.ok ? result.vectors[0] : undefined;
      if (probe === undefined) {
        if (gate.problem === undefined) this.#services.log.warn("the endpoint of the embeddings is away", { url: client.place });
        gate.failed(result.ok ? `${client.place}: it gives no usable vector` : result.message, result.ok ? undefined : result.retryAfterMs);
        continue;
      }
      gate.succeeded();
      if (setup.space?.isSameModel(probe)) return true;
      await this.#adopt(setup, probe);
      return false;
    }
    return false;
  }

  /** Another model than the one of the space answers, or the first: its vectors are made from the beginning. */
  async #adopt(setup: Setup, probe: Float32Array): Promise<void> {
    if (setup.space !== undefined) this.#services.log.warn("another model answers under this name", { model: setup.config.model });
    const space = new EmbeddingSpace(probe, setup.config);
    await this.#cache?.put(await probeKeyOf(setup.config), space.packedProbe);
    if (setup.stop.signal.aborted) return;
    // What waits for this verification was for the space before; what comes now finds the new one.
    setup.verification = Promise.resolve(true);
    setup.isVerifying = false;
    this.#fillSpace(setup, space);
  }

  async #embedQuery(setup: Setup, { text, index, signal }: { text: string; index: EndpointLeg["index"]; signal: AbortSignal }): Promise<Float32Array | string> {
    const { gate, client, config } = setup;
    if (!gate.isOpen) return gate.problem ?? "the endpoint is away";
    const options = { timeoutMs: config.queryTimeoutMs, signal };
    const result = await client.embed([config.queryPrefix + text], options);
    if (signal.aborted) return "the search was given up";
    if (!result.ok) {
      if (result.fault !== "refused") gate.failed(result.message, result.retryAfterMs);
      return result.message;
    }
    if (gate.problem !== undefined && setup === this.#setup) void this.#verified(setup);
    const [vector] = result.vectors;
    if (vector === undefined) return `${client.place}: it gives no usable vector`;
    if (vector.length === index.dimensions) return vector;
    return `${client.place}: its vectors have ${vector.length} components, those of the index ${index.dimensions}`;
  }

  async #end(setup: Setup | undefined): Promise<void> {
    if (setup === undefined) return;
    setup.stop.abort();
    setup.gate.letGo();
    setup.fill?.stop();
    await setup.verification?.catch(() => undefined);
    await setup.fill?.settled();
  }
}
