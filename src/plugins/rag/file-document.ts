/**
 * The bytes of a file -> a document: decoded, redacted, cut into chunks; or why it is none.
 *
 * Order: secrets are taken out before anything is kept or counted.
 */
import { languageOf } from "../../core/declarations.ts";
import type { CollectionDefinition } from "./collection.ts";
import type { NewDocument } from "./corpus-state.ts";
import type { DocumentKind, FileVersion } from "./document.ts";
import { type Draft, prepareDocument } from "./prepare.ts";

export interface FileDocumentServices {
  /** Takes out what looks like a secret. */
  redact(text: string): string;
}

/** A file as it was read. */
export interface ReadFile {
  readonly path: string;
  readonly bytes: Buffer;
  readonly file: FileVersion;
}

/** Where no text holds a NUL, and few other files have none for so long. */
const BINARY_PROBE_BYTES = 8192;

export function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, BINARY_PROBE_BYTES).includes(0);
}

/** The document of a file that is not binary. Bytes that are no UTF-8 become U+FFFD. */
export function documentOfFile(
  services: FileDocumentServices,
  { name, tags }: CollectionDefinition,
  { path, bytes, file, addedMs }: ReadFile & { readonly addedMs: number },
): NewDocument {
  const draft: Draft = {
    collection: name,
    id: path,
    kind: kindOf(path),
    title: undefined,
    tags,
    metadata: {},
    project: undefined,
    addedMs,
    expiresMs: undefined,
    file,
    hash: file.hash,
  };
  return prepareDocument(draft, services.redact(decode(bytes)), path);
}

/** Without a mark of byte order. */
export function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

export async function hashBytes(bytes: Buffer): Promise<string> {
  return Buffer.from(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)).toString("hex");
}

function kindOf(path: string): DocumentKind {
  const ending = /\.([^./]*)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  if (ending === "md" || ending === "markdown" || ending === "mdx") return "markdown";
  return languageOf(ending) === undefined ? "text" : "code";
}
