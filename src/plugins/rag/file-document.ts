/** The text of a file -> a document: what was said in a session, or the text itself; redacted, and cut into chunks. */
import { languageOf } from "../../core/declarations.ts";
import { type SessionText, SessionReader } from "../../core/session-text.ts";
import type { CollectionDefinition } from "./collection.ts";
import type { NewDocument } from "./corpus-state.ts";
import type { DocumentKind, FileVersion } from "./document.ts";
import { type Draft, prepareDocument, type PrepareServices } from "./prepare.ts";

export interface FileDocumentServices extends PrepareServices {
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

export async function documentOfFile(
  services: FileDocumentServices,
  definition: CollectionDefinition,
  { path, text, file, addedMs }: ReadFile & { readonly addedMs: number },
): Promise<NewDocument> {
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
  if (definition.kind !== "sessions") return prepareDocument(services, draft, { text, path });
  const session = await readSession(services, text, definition);
  return prepareDocument(services, draftOfSession(services, draft, session), {
    text: session.text,
    path: "session.md",
  });
}

/** Line by line, because sessions are long. */
async function readSession(
  { giveWay }: PrepareServices,
  text: string,
  { toolOutput }: CollectionDefinition,
): Promise<SessionText> {
  const reader = new SessionReader({ withToolOutput: toolOutput });
  let start = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
    reader.add(text.slice(start, end));
    start = end + 1;
    await giveWay();
  }
  reader.addUnfinished(text.slice(start));
  return reader.finish();
}

function draftOfSession({ redact, projectIdOf }: FileDocumentServices, draft: Draft, session: SessionText): Draft {
  const { sessionId, cwd, startedMs } = session;
  return {
    ...draft,
    kind: "session",
    title: session.title === undefined ? undefined : redact(session.title),
    metadata: { sessionId, cwd, ...(startedMs !== undefined && { startedMs }) },
    project: cwd === "" ? undefined : projectIdOf(cwd),
  };
}

function kindOf(path: string): DocumentKind {
  const ending = /\.([^./]*)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  if (ending === "md" || ending === "markdown" || ending === "mdx") return "markdown";
  return languageOf(ending) === undefined ? "text" : "code";
}
