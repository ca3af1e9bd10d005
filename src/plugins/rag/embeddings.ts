/**
 * The chunks of the corpus -> vectors of a model behind an endpoint, made in the background and kept on disk.
 *
 * The flow: chunk -> key of its text -> from the cache, or sent in a batch -> cache and index.
 * Order: while another model's vectors are made, those of the model before serve, as long as it answers.
 * Errors: none reach a search: it gets a sentence in the place of a vector. What could not be embedded is caught up.
 * Cost: a quarter of a float a component in memory, two bytes on disk.
 */
import type { BlobCache, OpenCache } from "../../system/blob-cache.ts";
import type { EmbeddingsConfig } from "./embedding-config.ts";
import type { EmbeddableDocument } from "./embedding-fill.ts";
import { EmbeddingModel, type ModelServices } from "./embedding-model.ts";
import { identityOf } from "./embedding-space.ts";
import type { ChunkRange } from "./indexes.ts";
import type { EndpointLeg } from "./knowledge.ts";

export type { EmbeddableDocument } from "./embedding-fill.ts";

export interface EmbeddingsServices extends ModelServices {
  readonly openCache: OpenCache;
}

export interface EmbeddingsState {
  readonly state: "off" | "ready" | "catching-up" | "away";
  readonly model: string | null;
  /** How much of the chunks has a vector, from 0 to 1; `null` when it is off. */
  readonly ratio: number | null;
  /** What went wrong the last time, without secrets. */
  readonly error: string | null;
}

export interface Embeddings {
  /** `undefined` where no vectors are wanted, or none are there yet. */
  leg(): EndpointLeg | undefined;
  added(document: EmbeddableDocument): void;
  removed(range: ChunkRange): void;
  /** How many chunks of a document have a vector; `undefined` where none are wanted. */
  embeddedOf(document: ChunkRange): number | undefined;
  /** Resolves when the config is in force; never rejects, and never waits for the endpoint. */
  reconfigure(config: EmbeddingsConfig): Promise<void>;
  state(): EmbeddingsState;
  /** What a reader of answers should know, in sentences. */
  notices(): readonly string[];
  /** Of the vectors in memory. */
  readonly sizeBytes: number;
  /** Resolves when every chunk has its vector, or has been given up. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const OFF: EmbeddingsState = { state: "off", model: null, ratio: null, error: null };

/** Off until it is configured. */
export function createEmbeddings(services: EmbeddingsServices): Embeddings {
  return new EndpointEmbeddings(services);
}

class EndpointEmbeddings implements Embeddings {
  readonly #services: EmbeddingsServices;
  #cache: BlobCache | undefined;
  #model: EmbeddingModel | undefined;
  /** Serves until the present one has made all its vectors. */
  #former: EmbeddingModel | undefined;
  /** Configs come into force one after the other. */
  #changing: Promise<void> = Promise.resolve();

  constructor(services: EmbeddingsServices) {
    this.#services = services;
  }

  leg(): EndpointLeg | undefined {
    const former = this.#former?.awayBecause === undefined ? this.#former?.leg : undefined;
    return former ?? this.#model?.leg;
  }

  added(document: EmbeddableDocument): void {
    this.#model?.fill?.add(document);
  }

  removed({ firstChunkId, chunkCount }: ChunkRange): void {
    this.#model?.fill?.remove(firstChunkId);
    for (const model of [this.#model, this.#former]) {
      const index = model?.space?.index;
      for (let id = firstChunkId; index && id < firstChunkId + chunkCount; id++) index.remove(id);
    }
  }

  embeddedOf({ firstChunkId }: ChunkRange): number | undefined {
    return this.#model && (this.#model.fill?.embeddedOf(firstChunkId) ?? 0);
  }

  get sizeBytes(): number {
    const models = [this.#model, this.#former];
    return models.reduce((sum, model) => sum + (model?.space?.index.sizeBytes ?? 0), 0);
  }

  reconfigure(config: EmbeddingsConfig): Promise<void> {
    return this.#change(() => this.#takeOver(config));
  }

  stop(): Promise<void> {
    this.#model?.abort();
    return this.#change(() => this.#switchOff());
  }

  state(): EmbeddingsState {
    if (this.#model === undefined) return OFF;
    const { config, fill, awayBecause } = this.#model;
    const isBusy = fill === undefined || fill.isBusy;
    const state = awayBecause !== undefined ? "away" : isBusy ? "catching-up" : "ready";
    return { state, model: config.model, ratio: fill?.ratio ?? 0, error: awayBecause ?? fill?.problem ?? null };
  }

  notices(): readonly string[] {
    const { ratio, error } = this.state();
    if (ratio === null || ratio === 1) return [];
    if (this.leg() === undefined && error !== null) return [`searched without the endpoint's vectors: ${error}`];
    return [`the endpoint's model has seen ${Math.floor(ratio * 100)} % of the texts so far`];
  }

  async settled(): Promise<void> {
    await this.#changing;
    await this.#model?.settled();
  }

  #change(task: () => Promise<void>): Promise<void> {
    this.#changing = this.#changing.then(task).catch((error: Error) => {
      this.#services.log.error("embeddings are not as the config says", { error: error.message });
    });
    return this.#changing;
  }

  async #takeOver(config: EmbeddingsConfig): Promise<void> {
    const { url } = config;
    const before = this.#model;
    if (before && JSON.stringify(before.config) === JSON.stringify(config)) return;
    if (url === null) return this.#switchOff();
    const model = await this.#createModel({ ...config, url });
    const isSame = before !== undefined && identityOf(before.config) === identityOf(config);
    await before?.end();
    if (before !== undefined && !isSame) await this.#keepServing(before);
    this.#model = model;
    await model.start(isSame ? before?.space : undefined);
  }

  async #createModel(config: EmbeddingModel["config"]): Promise<EmbeddingModel> {
    this.#cache ??= await this.#openCache(config);
    const model: EmbeddingModel = new EmbeddingModel({
      ...this.#services,
      config,
      cache: this.#cache,
      onCaughtUp: () => this.#caughtUp(model),
    });
    return model;
  }

  /** Without a cache all goes on; only the next start is dear. */
  async #openCache({ maxCacheBytes }: EmbeddingsConfig): Promise<BlobCache> {
    const { openCache, log } = this.#services;
    const cache = await openCache("embeddings", maxCacheBytes);
    if (cache.problem !== undefined) log.error("embeddings go on without a cache", { error: cache.problem });
    return cache;
  }

  /** Of two that have had to go one after the other, the first one serves: it has all vectors. */
  async #keepServing({ config, space }: EmbeddingModel): Promise<void> {
    if (this.#former !== undefined || space === undefined || space.index.size === 0) return;
    this.#former = await this.#createModel(config);
    this.#former.serveOnly(space);
  }

  /** The model before has served its time; what the cache holds of it may go. */
  async #caughtUp(model: EmbeddingModel): Promise<void> {
    const { fill } = model;
    if (model !== this.#model || model.awayBecause !== undefined || fill === undefined) return;
    this.#former?.abort();
    this.#former = undefined;
    if (fill.isWasteful()) await fill.compact(this.#services.documents());
  }

  async #switchOff(): Promise<void> {
    const model = this.#model;
    this.#model = this.#former = undefined;
    await model?.end();
    const cache = this.#cache;
    this.#cache = undefined;
    await cache?.close();
  }
}
