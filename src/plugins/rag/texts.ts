/** Documents -> their stored texts, from memory or from the segments that hold them. */
import type { Corpus } from "./corpus.ts";
import type { StoredDocument } from "./document.ts";

export class Texts {
  readonly #corpus: Corpus;

  constructor(corpus: Corpus) {
    this.#corpus = corpus;
  }

  /** The text as UTF-8; `undefined` when the document has gone since, or another has come in its place. */
  async read(document: StoredDocument): Promise<Buffer | undefined> {
    return this.#corpus.current(document)?.text;
  }

  async readPart(document: StoredDocument, fromByte: number, toByte: number): Promise<string | undefined> {
    return (await this.read(document))?.toString("utf8", fromByte, toByte);
  }
}
