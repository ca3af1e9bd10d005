/**
 * Documents -> their stored texts: from memory until they are sealed, then from the segments that hold them.
 *
 * Errors: a text that is damaged is told of once, and is as good as none.
 * Cost: texts that were read last are kept, up to {@link KEPT_BYTES} in all.
 */
import type { Log } from "../../system/log.ts";
import type { Segments } from "../../system/segments.ts";
import type { Corpus } from "./corpus.ts";
import type { KeptDocument } from "./corpus-state.ts";
import type { StoredDocument } from "./document.ts";

export interface TextsServices {
  readonly log: Log;
  readonly corpus: Corpus;
  readonly segments: Segments;
  /** Told once of each text that cannot be read. */
  onDamage(document: KeptDocument): void;
}

const KEPT_BYTES = 8 << 20;

export class Texts {
  readonly #services: TextsServices;
  /** By the first chunk id, which tells the version; what was read last stands last. */
  readonly #kept = new Map<number, Buffer>();
  #keptBytes = 0;
  readonly #damaged = new Map<number, KeptDocument>();

  constructor(services: TextsServices) {
    this.#services = services;
  }

  /** The text as UTF-8; `undefined` when the document has gone since, or its text is damaged. */
  async read(document: StoredDocument): Promise<Buffer | undefined> {
    const current = this.#services.corpus.current(document);
    if (current?.place === undefined) return current?.text;
    const known = this.#kept.get(current.firstChunkId);
    const text = known ?? this.#readSealed(current);
    if (text !== undefined) this.#keep(current.firstChunkId, text);
    return text;
  }

  async readPart(document: StoredDocument, fromByte: number, toByte: number): Promise<string | undefined> {
    return (await this.read(document))?.toString("utf8", fromByte, toByte);
  }

  /** Those that are there still. */
  damaged(): readonly KeptDocument[] {
    return [...this.#damaged.values()].filter((document) => this.#services.corpus.current(document) !== undefined);
  }

  /** Past the memory, for those who read everything once. */
  readOnce(document: KeptDocument): Buffer | undefined {
    const current = this.#services.corpus.current(document);
    return current?.place === undefined
      ? current?.text
      : (this.#kept.get(current.firstChunkId) ?? this.#readSealed(current));
  }

  #readSealed(document: KeptDocument): Buffer | undefined {
    const { log, segments, onDamage } = this.#services;
    try {
      const text = segments.read(document.place!.segment, document.place!);
      this.#damaged.delete(document.firstChunkId);
      return text;
    } catch (error) {
      if (this.#damaged.has(document.firstChunkId)) return undefined;
      this.#damaged.set(document.firstChunkId, document);
      const { collection, id } = document;
      log.error("the text of a document cannot be read", { collection, id, error: (error as Error).message });
      onDamage(document);
      return undefined;
    }
  }

  #keep(key: number, text: Buffer): void {
    if (!this.#kept.delete(key)) this.#keptBytes += text.length;
    this.#kept.set(key, text);
    for (const [oldest, { length }] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= length;
    }
  }
}
