/**
 * Documents -> the vectors of their chunks in a space: from the cache where the text has been sent before, else from
 * the endpoint.
 *
 * Order: documents one after the other; vectors come when they come. A chunk that has gone meanwhile gets none.
 */
import { packVector, unpackVector } from "../../core/packed-vectors.ts";
import type { BlobCache } from "../../system/blob-cache.ts";
import type { Log } from "../../system/log.ts";
import type { EmbeddingsConfig } from "./embedding-config.ts";
import { EmbeddingSender, type TextToEmbed } from "./embedding-sender.ts";
import { type EmbeddingSpace, probeKeyOf } from "./embedding-space.ts";
import type { EndpointClient } from "./endpoint-client.ts";
import type { EndpointGate } from "./endpoint-gate.ts";

/** A version of a document. Its chunks follow each other by their ids. */
export interface EmbeddableDocument {
  readonly firstChunkId: number;
  readonly chunkCount: number;
  /** The texts that stand for its chunks, in their order; none when it has gone. */
  texts(): Promise<Iterable<string>>;
}

export interface FillContext {
  readonly clock: { monotonicMs(): number };
  readonly log: Log;
  readonly config: EmbeddingsConfig;
  readonly space: EmbeddingSpace;
  readonly cache: BlobCache;
  readonly client: EndpointClient;
  readonly gate: EndpointGate;
  turn(): Promise<void>;
  verified(): Promise<boolean>;
  /** Whether no other has taken its place. */
  isCurrent(): boolean;
  onCaughtUp(): Promise<void>;
}

/** Work goes on for so long at a time. */
const SLICE_MS = 3;
/** Space that compaction should win at least. */
const LEAST_WASTE_BYTES = 16 * 1024 * 1024;
const RECORD_HEAD_BYTES = 32;

export class EmbeddingFill {
  readonly #context: FillContext;
  readonly #sender: EmbeddingSender;
  readonly #stop = new AbortController();
  /** All that there are, by first chunk id: how many chunks, and how many of them have a vector. */
  readonly #known = new Map<number, { readonly chunkCount: number; embedded: number }>();
  #total = 0;
  #embedded = 0;
  readonly #pending = new Map<number, EmbeddableDocument>();
  /** Chunks that wait for a text under way, by its key. */
  readonly #waiting = new Map<string, { firstChunkId: number; chunkId: number }[]>();
  #problem: string | undefined;
  #isCacheFull = false;
  #sliceEndMs = 0;
  #working: Promise<void> | undefined;

  constructor(context: FillContext) {
    this.#context = context;
    this.#sender = new EmbeddingSender({
      gate: context.gate,
      signal: this.#stop.signal,
      client: () => context.client,
      settings: () => context.config,
      verified: async () => context.isCurrent() && (await context.verified()) && context.isCurrent(),
      onVector: (item, vector) => this.#store(item, vector),
      onRefused: (items, message) => this.#giveUp(items, message),
    });
  }

  get ratio(): number {
    return this.#total === 0 ? 1 : this.#embedded / this.#total;
  }

  get isBusy(): boolean {
    return this.#working !== undefined;
  }

  /** Why some texts have no vector and get none. */
  get problem(): string | undefined {
    return this.#problem;
  }

  start(documents: Iterable<EmbeddableDocument>): void {
    for (const document of documents) this.#enqueue(document);
    this.#work();
  }

  add(document: EmbeddableDocument): void {
    this.#enqueue(document);
    this.#work();
  }

  /** Its vectors are the caller's to remove. */
  remove(firstChunkId: number): void {
    const { chunkCount, embedded } = this.#known.get(firstChunkId) ?? { chunkCount: 0, embedded: 0 };
    this.#total -= chunkCount;
    this.#embedded -= embedded;
    this.#known.delete(firstChunkId);
    this.#pending.delete(firstChunkId);
  }

  /** How many chunks of a document have a vector. */
  embeddedOf(firstChunkId: number): number {
    return this.#known.get(firstChunkId)?.embedded ?? 0;
  }

  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  stop(): void {
    this.#stop.abort();
    this.#context.gate.letGo();
  }

  /** Whether most of the cache is of texts and models that are gone. */
  isWasteful(): boolean {
    const { index } = this.#context.space;
    const wanted = index.size * (2 * index.dimensions + RECORD_HEAD_BYTES);
    return this.#context.cache.sizeBytes > 2 * wanted + LEAST_WASTE_BYTES;
  }

  /** Leaves in the cache what the chunks of today are made of. */
  async compact(documents: Iterable<EmbeddableDocument>): Promise<void> {
    const { space, cache, log, config } = this.#context;
    const wanted = new Set([probeKeyOf(config, cache)]);
    for (const document of [...documents]) {
      for (const text of await document.texts()) wanted.add(space.keyOf(text, cache));
      await this.#context.turn();
      // What came meanwhile is not in the list: another time.
      if (this.#isStopped() || this.isBusy) return;
    }
    const before = cache.sizeBytes;
    await cache.compact((key) => wanted.has(key));
    this.#isCacheFull = false;
    log.info("made the cache of embeddings smaller", { from: before, to: cache.sizeBytes });
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  #enqueue(document: EmbeddableDocument): void {
    const { firstChunkId, chunkCount } = document;
    if (chunkCount === 0 || this.#known.has(firstChunkId)) return;
    this.#known.set(firstChunkId, { chunkCount, embedded: 0 });
    this.#total += chunkCount;
    this.#pending.set(firstChunkId, document);
  }

  #work(): void {
    if (this.#working !== undefined || this.#pending.size === 0 || this.#isStopped()) return;
    this.#working = this.#workOff()
      .catch((error: Error) => this.#context.log.error("embedding stopped", { error: error.message }))
      .finally(() => {
        this.#working = undefined;
        if (this.#pending.size > 0) this.#work();
        else if (!this.#isStopped()) void this.#context.onCaughtUp().catch(() => undefined);
      });
  }

  async #workOff(): Promise<void> {
    while (this.#pending.size > 0 && !this.#isStopped()) {
      for (const [firstChunkId, document] of this.#pending) {
        this.#pending.delete(firstChunkId);
        await this.#embed(document);
        if (this.#isStopped()) break;
      }
      await this.#sender.flush();
    }
  }

  async #embed({ firstChunkId, texts }: EmbeddableDocument): Promise<void> {
    const { space, cache, turn, clock } = this.#context;
    let chunkId = firstChunkId;
    for (const text of await texts()) {
      const place = { firstChunkId, chunkId: chunkId++ };
      if (this.#isStopped() || !this.#known.has(firstChunkId)) return;
      if (space.index.has(place.chunkId)) {
        this.#count(firstChunkId);
        continue;
      }
      const key = space.keyOf(text, cache);
      const packed = cache.has(key) ? await cache.get(key) : undefined;
      const vector = packed && unpackVector(packed);
      if (space.takes(vector)) this.#place(place, vector);
      else await this.#request(key, text, place);
      if (clock.monotonicMs() < this.#sliceEndMs) continue;
      await turn();
      this.#sliceEndMs = clock.monotonicMs() + SLICE_MS;
    }
  }

  async #request(key: string, text: string, place: { firstChunkId: number; chunkId: number }): Promise<void> {
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) return void waiting.push(place);
    this.#waiting.set(key, [place]);
    await this.#sender.add({ key, text: this.#context.config.documentPrefix + text });
  }

  async #store({ key }: TextToEmbed, vector: Float32Array): Promise<boolean> {
    const { space, cache, log, isCurrent } = this.#context;
    if (!space.takes(vector) || !isCurrent()) return false;
    const isKept = await cache.put(key, packVector(vector));
    if (!isKept && !this.#isCacheFull && !this.#isStopped()) {
      this.#isCacheFull = true;
      log.warn("the cache of embeddings is full, or its disk: what comes now is made again after the next start", {});
    }
    for (const place of this.#waiting.get(key) ?? []) this.#place(place, vector);
    this.#waiting.delete(key);
    return true;
  }

  #place({ firstChunkId, chunkId }: { firstChunkId: number; chunkId: number }, vector: Float32Array): void {
    const { index } = this.#context.space;
    if (!this.#known.has(firstChunkId) || index.has(chunkId)) return;
    index.add(chunkId, vector);
    this.#count(firstChunkId);
  }

  #count(firstChunkId: number): void {
    this.#known.get(firstChunkId)!.embedded++;
    this.#embedded++;
  }

  #giveUp(items: readonly TextToEmbed[], message: string): void {
    for (const { key } of items) this.#waiting.delete(key);
    this.#problem = message;
    this.#context.log.warn("texts that the endpoint takes no part of have no vectors", {
      texts: items.length,
      error: message,
    });
  }
}
