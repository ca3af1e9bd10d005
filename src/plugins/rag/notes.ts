/** Texts that come through the API -> documents: checked, redacted, cut, stored. */
import {
  array,
  boolean,
  integer,
  number,
  object,
  oneOf,
  optional,
  record,
  string,
  union,
  validate,
} from "../../core/validate.ts";
import type { Clock } from "../../system/clock.ts";
import { HttpError, refuseIssues } from "../plugin.ts";
import { projectSchema, tagSchema } from "./collection.ts";
import type { Collections } from "./collections.ts";
import { hashBytes } from "./content-hash.ts";
import { type Corpus, CorpusFullError, TextTooLargeError } from "./corpus.ts";
import type { KeptDocument } from "./corpus-state.ts";
import type { DocumentKind } from "./document.ts";
import { prepareDocument, type PrepareServices } from "./prepare.ts";

const LONGEST_ID = 512;

const noteSchema = object({
  text: string(),
  title: optional(string({ maxLength: 512 })),
  format: optional(oneOf(["markdown", "text", "code"])),
  tags: optional(array(tagSchema, { max: 32 })),
  metadata: optional(
    record(union(string({ maxLength: 1024 }), number(), boolean()), {
      key: string({ minLength: 1, maxLength: 64 }),
      max: 32,
    }),
  ),
  project: optional(projectSchema),
  ttlMs: optional(integer({ min: 1000 })),
});

export interface NoteServices extends PrepareServices {
  readonly clock: Clock;
  readonly corpus: Corpus;
  readonly collections: Collections;
}

/** Resolves when the note is durable. `isNew`: there was none of that id. */
export async function putNote(
  services: NoteServices,
  place: { readonly collection: string; readonly id: string },
  sent: unknown,
): Promise<{ readonly document: KeptDocument; readonly isNew: boolean }> {
  const { clock, corpus, collections } = services;
  const { collection, id } = place;
  requireId(id);
  const checked = validate(noteSchema, sent);
  if (!checked.ok) throw refuseIssues(checked.issues);
  const { text: raw, title, format = "markdown", tags = [], metadata = {}, project, ttlMs } = checked.value;
  const { definition } = await collections.needNotes(collection);
  const addedMs = clock.wallMs();
  const draft = {
    collection,
    id,
    kind: format satisfies DocumentKind,
    title: title === undefined ? undefined : services.redact(title.toWellFormed()),
    tags: [...new Set([...definition.tags, ...tags])],
    metadata,
    project,
    addedMs,
    expiresMs: ttlMs === undefined ? undefined : addedMs + ttlMs,
    file: undefined,
    hash: "",
  };
  const prepared = await prepareDocument(services, draft, { text: raw.toWellFormed(), path: cutAs(format, id) });
  const hash = await hashBytes(prepared.text);
  const isNew = corpus.find(collection, id) === undefined;
  try {
    await corpus.put({ ...prepared, hash });
  } catch (error) {
    throw explain(error);
  }
  const document = corpus.find(collection, id);
  if (document === undefined)
    throw new HttpError(409, "CONFLICT", `the collection "${collection}" was removed meanwhile`);
  return { document, isNew };
}

export function requireId(id: string): void {
  if (id.length >= 1 && id.length <= LONGEST_ID && id.isWellFormed() && !/\p{Cc}/u.test(id)) return;
  const message = `expected the id of a document (1 to ${LONGEST_ID} characters, no control characters)`;
  throw refuseIssues([{ path: "id", message }]);
}

/** A path whose ending says how the text is cut; code whose id has no known ending is cut by lines. */
function cutAs(format: "markdown" | "text" | "code", id: string): string {
  return format === "markdown" ? "note.md" : format === "text" ? "note.txt" : id;
}

function explain(error: unknown): unknown {
  if (error instanceof CorpusFullError) return new HttpError(409, "CONFLICT", error.message);
  if (error instanceof TextTooLargeError) return new HttpError(413, "PAYLOAD_TOO_LARGE", error.message);
  return error;
}
