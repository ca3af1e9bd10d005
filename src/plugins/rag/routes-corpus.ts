/**
 * The HTTP face of the corpus: collections and documents. Every route is private: what is indexed is read by whoever
 * may search.
 *
 * Errors: HttpError, with 404 for a collection or document that is not there.
 */
import { parseDuration } from "../../core/duration.ts";
import { boolean, object, validate, withDefault } from "../../core/validate.ts";
import type { Reply, Request, Route } from "../../system/http.ts";
import {
  HttpError,
  jsonReply,
  needBody,
  privateRoutes,
  refuseIssues,
  type Services,
  waitFor,
  withLocation,
} from "../plugin.ts";
import type { KeptDocument } from "./corpus-state.ts";
import type { Engine } from "./engine.ts";
import { putNote } from "./notes.ts";
import { reindexCollection } from "./reindex.ts";
import { viewStatus } from "./status.ts";
import { viewDocument } from "./views.ts";

const MOST_DOCUMENTS = 1000;
const LONGEST_WAIT_MS = 3_600_000;

const reindexSchema = object({ full: withDefault(boolean(), false) });

export function corpusRoutes(services: Services, engine: Engine): readonly Route[] {
  const { collections } = engine;
  const route = privateRoutes("/api/rag/");
  return [
    route("GET", "status", () => jsonReply(viewStatus(engine))),
    route("GET", "collections", () => listCollections(engine)),
    route("POST", "collections", async (request) => {
      const { definition } = await collections.create(needBody(request));
      return withLocation(showCollection(engine, definition.name, 201), `/api/rag/collections/${definition.name}`);
    }),
    route("GET", "collections/:c", (request) => showCollection(engine, nameOf(request))),
    route("PUT", "collections/:c", async (request) => {
      const { isNew } = await collections.replace(nameOf(request), needBody(request));
      return showCollection(engine, nameOf(request), isNew ? 201 : 200);
    }),
    route("DELETE", "collections/:c", async (request) => {
      await collections.remove(nameOf(request));
      return { status: 204 };
    }),
    {
      ...route("POST", "collections/:c/reindex", (request) => reindex(services, engine, request)),
      deadlineMs: 0,
    },
    route("GET", "collections/:c/documents", (request) => listDocuments(engine, request)),
    route("POST", "collections/:c/documents", async (request) => {
      const id = services.randomId();
      const reply = await putDocument(engine, { collection: nameOf(request), id }, request);
      return withLocation(reply, `/api/rag/collections/${nameOf(request)}/documents/${id}`);
    }),
    route("GET", "collections/:c/documents/:id", (request) => readDocument(engine, request)),
    route("PUT", "collections/:c/documents/:id", (request) =>
      putDocument(engine, { collection: nameOf(request), id: request.params["id"]! }, request),
    ),
    route("DELETE", "collections/:c/documents/:id", async (request) => {
      const { collection, id } = needDocument(engine, request);
      await collections.needNotes(collection);
      await engine.corpus.commit({ kind: "drop", collection, ids: [id] });
      await engine.settled();
      return { status: 204 };
    }),
  ];
}

function nameOf({ params }: Request): string {
  return params["c"]!;
}

function listCollections(engine: Engine): Reply {
  const names = [...engine.corpus.state.collections.keys()].sort();
  return jsonReply({ collections: names.map((name) => engine.viewCollection(name)), problems: engine.problems() });
}

function showCollection(engine: Engine, name: string, status = 200): Reply {
  engine.collections.need(name);
  return jsonReply(engine.viewCollection(name), status);
}

async function reindex(services: Services, engine: Engine, request: Request): Promise<Reply> {
  const { definition } = engine.collections.need(nameOf(request));
  const checked = validate(reindexSchema, request.json ?? {});
  if (!checked.ok) throw refuseIssues(checked.issues);
  const waitMs = readWait(request.query.get("wait"));
  const done = reindexCollection(engine, definition.name, checked.value);
  if (waitMs > 0) {
    const report = await waitFor(services.clock, done, { waitMs, signal: request.signal });
    if (report !== undefined) return jsonReply({ report });
  }
  done.catch(() => undefined);
  return jsonReply({ collection: engine.viewCollection(definition.name) }, 202);
}

function readWait(text: string | null): number {
  if (text === null) return 0;
  try {
    return Math.min(LONGEST_WAIT_MS, parseDuration(text));
  } catch (error) {
    throw refuseIssues([{ path: "wait", message: (error as Error).message }]);
  }
}

function listDocuments(engine: Engine, request: Request): Reply {
  const { query } = request;
  const record = engine.collections.need(nameOf(request));
  const [after, prefix] = [query.get("after"), query.get("prefix") ?? ""];
  const limit = readLimit(query.get("limit"));
  record.sortedIds ??= [...record.documents.keys()].sort();
  const from = after === null ? 0 : record.sortedIds.findIndex((id) => id > after);
  const matching = from < 0 ? [] : record.sortedIds.slice(from).filter((id) => id.startsWith(prefix));
  const page = matching.slice(0, limit);
  return jsonReply({
    documents: page.map((id) => viewDocument(record.documents.get(id)!, record)),
    next: matching.length > page.length ? page.at(-1)! : null,
  });
}

async function putDocument(
  engine: Engine,
  place: { readonly collection: string; readonly id: string },
  request: Request,
): Promise<Reply> {
  const { document, isNew } = await putNote(engine.notes, place, needBody(request));
  await engine.settled();
  return jsonReply(viewDocument(document, engine.collections.need(place.collection)), isNew ? 201 : 200);
}

async function readDocument(engine: Engine, request: Request): Promise<Reply> {
  const document = needDocument(engine, request);
  const lines = readLines(request.query.get("lines"));
  const [bytes, stale] = [await engine.texts.read(document), await engine.knowledge.isStale(document)];
  if (bytes === undefined) throw gone(document);
  const text = lines === undefined ? bytes.toString() : cutLines(bytes.toString(), lines);
  const view = viewDocument(document, engine.collections.need(document.collection));
  const { startLine = 1, endLine = document.lineCount } = lines ?? {};
  return jsonReply({ ...view, text, startLine, endLine: Math.min(endLine, document.lineCount), stale });
}

function needDocument(engine: Engine, request: Request): KeptDocument {
  const record = engine.collections.need(nameOf(request));
  const id = request.params["id"]!;
  const document = record.documents.get(id);
  if (document !== undefined) return document;
  const message = `there is no document ${JSON.stringify(id)} in the collection "${nameOf(request)}"`;
  throw new HttpError(404, "NOT_FOUND", message);
}

function gone({ id }: KeptDocument): HttpError {
  return new HttpError(
    404,
    "NOT_FOUND",
    `the document ${JSON.stringify(id)} has gone while it was read, or its text is damaged`,
  );
}

interface LineRange {
  readonly startLine: number;
  readonly endLine: number;
}

function readLines(text: string | null): LineRange | undefined {
  if (text === null) return undefined;
  const [, start, end] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  const range = { startLine: Number(start), endLine: Number(end ?? start) };
  if (start !== undefined && range.startLine >= 1 && range.endLine >= range.startLine) return range;
  throw refuseIssues([
    { path: "lines", message: `expected a range of lines such as 10-30, got ${JSON.stringify(text)}` },
  ]);
}

function cutLines(text: string, { startLine, endLine }: LineRange): string {
  return text
    .split("\n")
    .slice(startLine - 1, endLine)
    .join("\n");
}

function readLimit(text: string | null): number {
  if (text === null) return 100;
  const value = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= MOST_DOCUMENTS) return value;
  const message = `expected a whole number from 1 to ${MOST_DOCUMENTS}, got ${JSON.stringify(text)}`;
  throw refuseIssues([{ path: "limit", message }]);
}
