/**
 * Says when vectors are made anew, and makes them in the background: learns from the texts, then encodes all of them.
 *
 * Order: documents are taken by collection and id, so that the same corpus gives the same vectors however it came to
 *   be.
 * Cost: about 0.1 ms a chunk for each kind, and a few seconds more to learn subjects from 20 000 chunks; in slices.
 */
import type { Field } from "../../core/bm25.ts";
import { HashedEncoder } from "../../core/hashed-vectors.ts";
import { type LatentModel, trainLatent } from "../../core/latent.ts";
import type { Log } from "../../system/log.ts";
import type { Corpus } from "./corpus.ts";
import type { KeptDocument } from "./corpus-state.ts";
import { indexedChunks } from "./indexed-chunks.ts";
import type { Indexes, LegAge } from "./indexes.ts";
import type { Pace } from "./pace.ts";
import { hashedLeg, latentLeg } from "./vector-leg.ts";

export interface RefreshServices {
  readonly log: Log;
  readonly clock: { monotonicMs(): number };
  readonly corpus: Corpus;
  readonly indexes: Indexes;
  readonly pace: Pace;
  readText(document: KeptDocument): Promise<Buffer | undefined>;
  /** Whether much more is about to come. */
  isBusy(): boolean;
}

/** Fewer chunks have no subjects to learn. */
const FEWEST_TO_LEARN_FROM = 200;
const LARGEST_SAMPLE = 20_000;
/** More than `trainLatent` reads between two of its yields. */
const READ_AHEAD = 128;

export class LegRefresh {
  readonly #services: RefreshServices;
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(services: RefreshServices) {
    this.#services = services;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Whether there is more to learn from than what was learned. */
  get isLatentOld(): boolean {
    const { indexes } = this.#services;
    return indexes.chunkCount >= FEWEST_TO_LEARN_FROM && this.#isOld(indexes.ages.latent);
  }

  /** Begins to make anew what has aged. */
  check(): void {
    const { indexes, log, isBusy } = this.#services;
    if (this.#running !== undefined || this.#isStopped || indexes.waiting > 0 || isBusy()) return;
    const isDue = this.#isOld(indexes.ages.hashed);
    const isLatentDue = this.isLatentOld;
    if (!isDue && !isLatentDue) return;
    this.#running = (async () => {
      if (isDue) await this.#refreshHashed();
      if (isLatentDue) await this.#refreshLatent();
    })()
      .catch((error: Error) => log.error("vectors could not be made anew", { error: error.message }))
      .finally(() => (this.#running = undefined));
  }

  /** Makes all vectors anew from what there is now. */
  async refreshAll(): Promise<void> {
    await this.settled();
    await this.#services.indexes.settled();
    this.#running = (async () => {
      await this.#refreshHashed();
      if (this.#services.indexes.chunkCount >= FEWEST_TO_LEARN_FROM) await this.#refreshLatent();
    })().finally(() => (this.#running = undefined));
    await this.#running;
  }

  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.settled();
  }

  #isOld({ learned, added, removed }: LegAge): boolean {
    return Math.max(added, removed) > learned / 3;
  }

  async #refreshHashed(): Promise<void> {
    const { indexes, pace, readText } = this.#services;
    const documents = this.#documents();
    const encoder = new HashedEncoder();
    for (const document of documents) {
      const text = await readText(document);
      for (const { fields } of text === undefined ? [] : indexedChunks(document, text)) {
        await pace.giveWay();
        if (this.#isStopped) return;
        encoder.learn(fields);
      }
    }
    // What came meanwhile is encoded too, if not learned from.
    await indexes.install(hashedLeg(encoder), this.#documents());
  }

  async #refreshLatent(): Promise<void> {
    const { indexes, clock, log } = this.#services;
    const sinceMs = clock.monotonicMs();
    const model = await this.#train();
    if (model === undefined) return;
    await indexes.install(latentLeg(model), this.#documents());
    const tookMs = Math.round(clock.monotonicMs() - sinceMs);
    log.debug("learned subjects", { chunks: model.documentCount, terms: model.rows.size, tookMs });
  }

  async #train(): Promise<LatentModel | undefined> {
    const { pace } = this.#services;
    const documents = this.#documents();
    const total = documents.reduce((sum, { chunkCount }) => sum + chunkCount, 0);
    const sampleSize = Math.min(total, LARGEST_SAMPLE);
    const sample = this.#readSample(documents, (at) => Math.floor((at * total) / sampleSize));
    const ahead = new Map<number, readonly Field[]>();
    let [read, asked] = [0, 0];
    const steps = trainLatent({
      documentCount: sampleSize,
      documentAt(index) {
        const fields = ahead.get(index) ?? [];
        ahead.delete(index);
        asked = index + 1;
        return fields;
      },
    });
    for (;;) {
      while (read < Math.min(asked + READ_AHEAD, sampleSize)) {
        const next = await sample.next();
        if (next.done) break;
        ahead.set(read++, next.value);
      }
      const step = steps.next();
      if (step.done) return { ...step.value, documentCount: total };
      await pace.giveWay();
      if (this.#isStopped) return undefined;
    }
  }

  /** The chunks whose numbers, counted over all documents, are `positionOf(0)`, `positionOf(1)` and so on. */
  async *#readSample(
    documents: readonly KeptDocument[],
    positionOf: (at: number) => number,
  ): AsyncGenerator<readonly Field[]> {
    let [at, position] = [0, 0];
    for (const document of documents) {
      const end = position + document.chunkCount;
      if (positionOf(at) >= end) {
        position = end;
        continue;
      }
      const text = await this.#services.readText(document);
      const first = position - document.firstChunkId;
      for (const { chunkId, fields } of text === undefined ? [] : indexedChunks(document, text)) {
        if (first + chunkId !== positionOf(at)) continue;
        yield fields;
        at++;
      }
      // Of a text that has gone meanwhile there is nothing to learn.
      for (; positionOf(at) < end; at++) yield [];
      position = end;
    }
  }

  #documents(): KeptDocument[] {
    const { collections } = this.#services.corpus.state;
    const records = [...collections].sort(([one], [other]) => (one < other ? -1 : 1));
    return records.flatMap(([, { documents }]) =>
      [...documents.values()].sort((one, other) => (one.id < other.id ? -1 : 1)),
    );
  }
}
