/**
 * The text of a file -> a document: what was said in a session, or the text itself; redacted, and cut into chunks.
 *
 * Order: secrets are taken out before anything is kept.
 */
import { languageOf } from "../../core/declarations.ts";
import { readSession } from "../../core/session-text.ts";
import type { CollectionDefinition } from "./collection.ts";
import type { NewDocument } from "./corpus-state.ts";
import type { DocumentKind, FileVersion } from "./document.ts";
import { type Draft, prepareDocument } from "./prepare.ts";

export interface FileDocumentServices {
  /** Takes out what looks like a secret. */
  redact(text: string): string;
  /** Of the folder that a session ran in. */
  projectIdOf(folder: string): string;
}

/** A file as it was read. */
export interface ReadFile {
  /** Below the root of its collection. */
  readonly path: string;
  readonly text: string;
  readonly file: FileVersion;
}

export function documentOfFile(
  services: FileDocumentServices,
  definition: CollectionDefinition,
  { path, text, file, addedMs }: ReadFile & { readonly addedMs: number },
): NewDocument {
  const draft: Draft = {
    collection: definition.name,
    id: path,
    kind: kindOf(path),
    title: undefined,
    tags: definition.tags,
    metadata: {},
    project: undefined,
    addedMs,
    expiresMs: undefined,
    file,
    hash: file.hash,
  };
  if (definition.kind === "sessions") return documentOfSession(services, definition, { draft, text });
  return prepareDocument(draft, services.redact(text), path);
}

function documentOfSession(
  { redact, projectIdOf }: FileDocumentServices,
  { toolOutput }: CollectionDefinition,
  { draft, text }: { readonly draft: Draft; readonly text: string },
): NewDocument {
  const session = readSession(text, { withToolOutput: toolOutput });
  const { sessionId, cwd, startedMs } = session;
  const title = session.title === undefined ? undefined : redact(session.title);
  const metadata = { sessionId, cwd, ...(startedMs !== undefined && { startedMs }) };
  const project = cwd === "" ? undefined : projectIdOf(cwd);
  return prepareDocument({ ...draft, kind: "session", title, metadata, project }, redact(session.text), "session.md");
}

function kindOf(path: string): DocumentKind {
  const ending = /\.([^./]*)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  if (ending === "md" || ending === "markdown" || ending === "mdx") return "markdown";
  return languageOf(ending) === undefined ? "text" : "code";
}
