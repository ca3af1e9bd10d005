/** A daemon that knows just enough of the knowledge API for the command line: folders read at once, words found as they are. */
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";

interface Kept {
  id: string;
  text: string;
  [field: string]: unknown;
}

interface Collection {
  view: Record<string, unknown> & { name: string; kind: string; root: string | null; project: string | null };
  documents: Map<string, Kept>;
  polls: number;
}

export async function startKnowledgeStandIn(t: TestContext): Promise<{ url: string; requests: unknown[] }> {
  const collections = new Map<string, Collection>();
  const requests: unknown[] = [];
  let lastId = 0;

  const make = (body: Record<string, unknown>): Collection => {
    const { name, kind, root = null, project = null, include = [], exclude = [], watch = true } = body;
    const numbers = { everyMs: 600_000, embeddedRatio: null, lastIndexedMs: null, progress: null };
    const view = { name, kind, root, project, include, exclude, watch, source: "api", state: "idle", ...numbers };
    const made = {
      view: { ...view, problems: [], skipped: { binary: 1 } },
      documents: new Map(),
      polls: 0,
    } as Collection;
    collections.set(made.view.name, made);
    return made;
  };
  const show = (collection: Collection): unknown => {
    const { view, documents } = collection;
    if (view.root !== null) {
      const isDone = ++collection.polls > 2;
      view["state"] = isDone ? "idle" : "indexing";
      view["progress"] = isDone ? null : { done: collection.polls, total: 4 };
      if (isDone && view["lastIndexedMs"] === null) {
        for (const id of readdirSync(view.root)) {
          documents.set(id, { id, text: readFileSync(join(view.root, id), "utf8"), path: join(view.root, id) });
        }
        view["lastIndexedMs"] = Date.now();
      }
    }
    const texts = [...documents.values()].map(({ text }) => text);
    return { ...view, documents: documents.size, chunks: documents.size, textBytes: texts.join("").length };
  };
  const showDocument = (collection: Collection, { id, text, ...more }: Kept): Record<string, unknown> => {
    const shown = {
      title: null,
      tags: [],
      metadata: {},
      kind: "markdown",
      expiresMs: null,
      addedMs: Date.now(),
      path: null,
    };
    const numbers = { sizeBytes: text.length, lines: text.split("\n").length, chunks: 1 };
    return { ...shown, project: collection.view.project, ...more, id, collection: collection.view.name, ...numbers };
  };
  const find = ({
    q,
    collections: names,
    project,
  }: {
    q: string;
    collections?: string[];
    project?: string;
  }): unknown[] =>
    [...collections.values()].flatMap((collection) => {
      if (names && !names.includes(collection.view.name)) return [];
      return [...collection.documents.values()].flatMap((kept) => {
        const at = kept.text.toLowerCase().indexOf(q.toLowerCase());
        const own = kept["project"] ?? collection.view.project;
        const isInScope = (names && !project) || project === "*" || own === null || own === project;
        if (at < 0 || !isInScope) return [];
        const place = { startLine: 1, endLine: kept.text.split("\n").length, headings: ["Top"], symbol: null };
        const found = {
          snippet: kept.text,
          highlights: [[at, at + q.length]],
          why: "lexical",
          stale: false,
          score: 0.5,
        };
        return [{ ...showDocument(collection, kept), ...place, ...found, text: kept.text }];
      });
    });

  const answer = (method: string, url: URL, body: Record<string, unknown>): [status: number, answer?: unknown] => {
    const [, , , what, name, , id] = url.pathname.split("/").map(decodeURIComponent);
    const missing = (text: string): [number, unknown] => [404, { error: text, code: "NOT_FOUND" }];
    const unknown = ((body["collections"] ?? []) as string[]).find((each) => !collections.has(each));
    if (unknown !== undefined) return missing(`there is no collection "${unknown}"`);
    if (what === "search") return [200, { hits: find(body as { q: string }), notices: [], tookMs: 1 }];
    if (what === "context") {
      const hits = find(body as { q: string }) as Kept[];
      return [
        200,
        { context: `untrusted\n${hits.map(({ text }) => text).join("\n")}`, sources: hits, tokens: 1, notices: [] },
      ];
    }
    if (what === "status") {
      const embeddings = { state: "off", model: null, ratio: null, error: null };
      const totals = { documents: 3, chunks: 3, textBytes: 90, indexBytes: 2048, indexing: false };
      return [200, { ...totals, collections: collections.size, embeddings, problems: [] }];
    }
    if (what !== "collections") return missing("no such route");
    if (name === undefined && method === "GET")
      return [200, { collections: [...collections.values()].map(show), problems: [] }];
    if (name === undefined) {
      if (collections.has(String(body["name"]))) return [409, { error: "taken", code: "CONFLICT" }];
      return [201, show(make(body))];
    }
    const isNote = url.pathname.endsWith("/documents") && method === "POST";
    const collection = collections.get(name) ?? (isNote ? make({ name, kind: "notes" }) : undefined);
    if (!collection) return missing(`there is no collection "${name}"`);
    if (isNote) {
      const kept = { ...body, id: `n${++lastId}` } as Kept;
      collection.documents.set(kept.id, kept);
      return [201, showDocument(collection, kept)];
    }
    if (url.pathname.endsWith("/reindex")) {
      collection.view["lastIndexedMs"] = null;
      collection.polls = 0;
      return [202, { collection: show(collection) }];
    }
    if (id === undefined && url.pathname.endsWith("/documents")) {
      const prefix = url.searchParams.get("prefix") ?? "";
      const kept = [...collection.documents.values()].filter((each) => each.id.startsWith(prefix));
      return [200, { documents: kept.map((each) => showDocument(collection, each)), next: null }];
    }
    if (id === undefined) return method === "DELETE" ? [collections.delete(name) ? 204 : 404] : [200, show(collection)];
    const kept = collection.documents.get(id);
    if (!kept) return missing(`there is no document "${id}" in the collection "${name}"`);
    if (method === "DELETE") return [collection.documents.delete(id) ? 204 : 404];
    const [from, to] = (url.searchParams.get("lines") ?? "1-99").split("-").map(Number) as [number, number];
    const text = kept.text
      .split("\n")
      .slice(from - 1, to)
      .join("\n");
    return [200, { ...showDocument(collection, kept), text, startLine: from, endLine: to, stale: true }];
  };

  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (piece: Buffer) => void (text += piece.toString()));
    request.on("end", () => {
      const body = JSON.parse(text || "{}") as Record<string, unknown>;
      if (request.method !== "GET") requests.push({ line: `${request.method} ${request.url}`, body });
      const [status, value] = answer(request.method!, new URL(request.url!, "http://x"), body);
      response.writeHead(status).end(value === undefined ? undefined : JSON.stringify(value));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}
