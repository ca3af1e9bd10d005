/**
 * Texts in memory -> segments on the medium: when enough of them wait, or some have waited for long, or a snapshot had
 * to hold them.
 *
 * Order: a segment is on the medium before an event names it, and the text leaves memory when that event is applied: at
 *   every moment it stands in the journal or in a segment. A segment goes when nothing has named it for two snapshots,
 *   so that whatever snapshot the state is restored from, what it names is there.
 * Errors: what could not be sealed stays in memory and is tried again; `problem` says so.
 * Cost: a segment of which less than half is alive is written anew, so that at most half of the space is lost.
 */
import type { Clock } from "../../system/clock.ts";
import type { Log } from "../../system/log.ts";
import type { Segments } from "../../system/segments.ts";
import type { Corpus } from "./corpus.ts";
import type { KeptDocument, SealedText } from "./corpus-state.ts";

export interface SealerServices {
  readonly clock: Clock;
  readonly log: Log;
  readonly corpus: Corpus;
  readonly segments: Segments;
  /** `undefined` for a text that has gone, or is damaged. */
  readText(document: KeptDocument): Buffer | undefined;
}

/** Texts that may wait, and for how long. */
const ENOUGH_BYTES = 4 << 20;
const LONGEST_WAIT_MS = 30_000;
/** Whoever brings more waits until it is sealed. */
const MOST_BYTES = 32 << 20;
const LARGEST_SEGMENT_BYTES = 64 << 20;
const AGAIN_MS = 10_000;
/** Between two snapshots that are written for no more than to get rid of segments. */
const COMPACT_MS = 300_000;
const SNAPSHOTS_TO_OUTLIVE = 2;

export class Sealer {
  readonly #services: SealerServices;
  /** By the first chunk id. */
  readonly #waiting = new Map<number, KeptDocument>();
  #waitingBytes = 0;
  #waitingSinceMs = 0;
  /** Bytes of records that are named, by segment. */
  readonly #liveBytes = new Map<number, number>();
  readonly #sizes = new Map<number, number>();
  /** Have been written anew as far as they could be read: that is not tried for ever. */
  readonly #tried = new Set<number>();
  /** Segments that nothing names any more: how many snapshots have been written since. */
  readonly #dead = new Map<number, number>();
  #hasChanged = false;
  #nextSegment: number;
  #sealing: Promise<void> | undefined;
  #notBeforeMs = 0;
  #compactedMs: number;
  #problem: string | undefined;

  /** Takes stock: removes segments that the state does not name, and finds what is to be sealed. */
  constructor(services: SealerServices) {
    this.#services = services;
    const { corpus, segments, clock, log } = services;
    this.#compactedMs = clock.monotonicMs();
    for (const { documents } of corpus.state.collections.values()) {
      for (const document of documents.values()) this.#count(document, 1);
    }
    const numbers = segments.list();
    for (const number of numbers.filter((one) => !this.#liveBytes.has(one))) {
      segments.remove(number);
      log.debug("removed a segment that nothing names", { segment: number });
    }
    for (const number of this.#liveBytes.keys())
      this.#sizes.set(number, numbers.includes(number) ? segments.sizeOf(number) : 0);
    this.#nextSegment = Math.max(corpus.state.nextSegment, (numbers.at(-1) ?? 0) + 1);
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** To be told of every change of the corpus. */
  readonly note = (now: KeptDocument | undefined, before: KeptDocument | undefined): void => {
    this.#hasChanged = true;
    if (before !== undefined) this.#count(before, -1);
    if (now !== undefined) this.#count(now, 1);
  };

  /** To be asked often: does what is due. */
  look(): void {
    const nowMs = this.#services.clock.monotonicMs();
    if (this.#sealing !== undefined || nowMs < this.#notBeforeMs) return;
    const isOld = this.#waiting.size > 0 && nowMs - this.#waitingSinceMs >= LONGEST_WAIT_MS;
    const isDue = this.#waitingBytes >= ENOUGH_BYTES || isOld || this.#wasted() !== undefined;
    if (isDue) void this.seal().catch(() => undefined);
    else if (this.#dead.size > 0 && nowMs - this.#compactedMs >= COMPACT_MS) void this.compact();
  }

  /** Resolves when there is room for more texts in memory, or none can be had. */
  async drained(): Promise<void> {
    if (this.#waitingBytes >= MOST_BYTES && this.#problem === undefined) await this.seal().catch(() => undefined);
  }

  /** Seals what waits once the turn is over, unless that failed lately. */
  sealSoon(): void {
    if (this.#waiting.size === 0 || this.#services.clock.monotonicMs() < this.#notBeforeMs) return;
    queueMicrotask(() => void this.seal().catch(() => undefined));
  }

  /** Seals what waits; rejects when it cannot. */
  async seal(): Promise<void> {
    this.#sealing ??= this.#sealAll().finally(() => (this.#sealing = undefined));
    return this.#sealing;
  }

  /** Lets what is under way come to its end. */
  async settled(): Promise<void> {
    await this.#sealing?.catch(() => undefined);
  }

  /** Seals what waits and writes a snapshot, so that the next start has nothing to read again. */
  async finish(): Promise<void> {
    await this.settled();
    if (this.#waiting.size === 0 && !this.#hasChanged) return;
    await this.seal().catch(() => undefined);
    await this.compact();
    // It asked for what it found waiting.
    await this.settled();
  }

  async #sealAll(): Promise<void> {
    const { log, clock } = this.#services;
    try {
      for (let chosen = this.#choose(); chosen.length > 0; chosen = this.#choose()) await this.#write(chosen);
      this.#problem = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (this.#problem === undefined) log.error("texts cannot be sealed", { error: message });
      this.#problem = `texts stay in memory, because they cannot be written to segments: ${message}`;
      this.#notBeforeMs = clock.monotonicMs() + AGAIN_MS;
      throw error;
    }
  }

  /** The documents of the next segment: what waits, then what lives in a segment that is mostly dead. */
  #choose(): KeptDocument[] {
    const { corpus } = this.#services;
    const chosen: KeptDocument[] = [];
    let bytes = 0;
    const take = (document: KeptDocument): void => {
      if (bytes >= LARGEST_SEGMENT_BYTES) return;
      chosen.push(document);
      bytes += document.sizeBytes;
    };
    for (const waiting of this.#waiting.values()) {
      const document = corpus.current(waiting);
      if (document?.text !== undefined) take(document);
    }
    const wasted = this.#wasted();
    if (wasted === undefined || bytes > 0) return chosen;
    for (const { documents } of corpus.state.collections.values()) {
      for (const document of documents.values()) if (document.place?.segment === wasted) take(document);
    }
    this.#tried.add(wasted);
    return chosen;
  }

  async #write(documents: readonly KeptDocument[]): Promise<void> {
    const { corpus, segments, readText } = this.#services;
    const texts: Buffer[] = [];
    const sealed: KeptDocument[] = [];
    for (const document of documents) {
      const text = readText(document);
      if (text === undefined) continue;
      texts.push(text);
      sealed.push(document);
    }
    if (sealed.length === 0) return;
    const segment = this.#nextSegment;
    const places = await segments.write(segment, texts);
    this.#nextSegment++;
    const names = sealed.map(({ collection, id, firstChunkId }, index): SealedText => {
      return { collection, id, firstChunkId, ...places[index]! };
    });
    const before = sealed.map(({ place }) => place);
    await corpus.commit({ kind: "sealed", segment, texts: names });
    this.#liveBytes.set(segment, 0);
    this.#sizes.set(segment, segments.sizeOf(segment));
    for (const [index, document] of sealed.entries()) this.#moved(document, { segment, before: before[index] });
    if (this.#liveBytes.get(segment) === 0) this.#bury(segment);
  }

  /** The text of a document lies in a segment now. */
  #moved(document: KeptDocument, { segment, before }: { segment: number; before: KeptDocument["place"] }): void {
    const current = this.#services.corpus.current(document);
    if (before === undefined) this.#unwait(document);
    else if ((current ?? document).place?.segment === segment) this.#countPlace(before, -1);
    // One that went in the same moment has no text there any more.
    if (current?.place?.segment === segment) this.#countPlace(current.place, 1);
  }

  #count(document: KeptDocument, sign: 1 | -1): void {
    if (document.place !== undefined) this.#countPlace(document.place, sign);
    else if (sign < 0) this.#unwait(document);
    else if (!this.#waiting.has(document.firstChunkId)) {
      if (this.#waiting.size === 0) this.#waitingSinceMs = this.#services.clock.monotonicMs();
      this.#waiting.set(document.firstChunkId, document);
      this.#waitingBytes += document.sizeBytes;
    }
  }

  #unwait({ firstChunkId, sizeBytes }: KeptDocument): void {
    if (this.#waiting.delete(firstChunkId)) this.#waitingBytes -= sizeBytes;
  }

  #countPlace({ segment, sizeBytes }: NonNullable<KeptDocument["place"]>, sign: 1 | -1): void {
    const live = (this.#liveBytes.get(segment) ?? 0) + sign * sizeBytes;
    this.#liveBytes.set(segment, live);
    if (sign < 0 && live === 0) this.#bury(segment);
  }

  #bury(segment: number): void {
    this.#liveBytes.delete(segment);
    this.#sizes.delete(segment);
    this.#tried.delete(segment);
    this.#dead.set(segment, 0);
  }

  /** A segment of which less than half is alive. */
  #wasted(): number | undefined {
    for (const [segment, live] of this.#liveBytes) {
      if (live < this.#sizes.get(segment)! / 2 && !this.#tried.has(segment)) return segment;
    }
    return undefined;
  }

  /** Writes a snapshot, after which segments go that nothing has named for long enough. */
  async compact(): Promise<void> {
    const { clock, corpus, segments, log } = this.#services;
    this.#compactedMs = clock.monotonicMs();
    const dead = [...this.#dead.keys()];
    try {
      await corpus.compact();
      for (const segment of dead) {
        const outlived = this.#dead.get(segment)! + 1;
        this.#dead.set(segment, outlived);
        if (outlived < SNAPSHOTS_TO_OUTLIVE) continue;
        segments.remove(segment);
        this.#dead.delete(segment);
      }
    } catch (error) {
      log.warn("segments that nothing names could not be removed", { error: (error as Error).message });
    }
  }
}
