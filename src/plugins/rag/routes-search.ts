/**
 * The HTTP face of the search: hits, and blocks for a prompt. Every route is private: it reads out what is indexed.
 *
 * Errors: HttpError, with 404 for a collection that is not there.
 */
import { nearest } from "../../core/nearest.ts";
import type { Reply, Request, Route } from "../../system/http.ts";
import { HttpError, jsonReply, privateRoutes, type Services } from "../plugin.ts";
import { buildContext } from "./context.ts";
import type { ContextSource } from "./context.ts";
import type { PlacedChunk } from "./document.ts";
import type { Knowledge } from "./knowledge.ts";
import { SEARCH_MODES } from "./legs.ts";
import type { SearchMode } from "./legs.ts";
import { pathOf, readChunk, showHits } from "./results.ts";
import type { Hit } from "./results.ts";
import { ScopeCache } from "./scope-cache.ts";
import { searchKnowledge } from "./search.ts";
import type { Found, SearchRequest } from "./search.ts";
import { readContextBody, readSearchBody, readSearchQuery } from "./search-input.ts";
import type { ContextInput, SearchInput } from "./search-input.ts";

export interface SearchSettings {
  /** The least part of a query that an answer covers. */
  readonly cutOff: number;
}

type SearchServices = Pick<Services, "clock" | "registry" | "turn">;

/** Of a query: from one over notes to one over half a million chunks with an endpoint asked. */
const DURATION_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const TOKEN_LENGTH = 4;

type Ask = (input: SearchInput | ContextInput, signal: AbortSignal) => Promise<Asked>;

interface Asked {
  readonly found: Found;
  /** Milliseconds since the search began. */
  tookMs(): number;
}

export function searchRoutes(
  services: SearchServices,
  knowledge: Knowledge,
  settings: () => SearchSettings,
): readonly Route[] {
  const ask = createAsk(services, knowledge, settings);
  const route = privateRoutes("/api/rag/");
  return [
    route("GET", "search", (request) => answer(knowledge, ask, { input: readSearchQuery(request), request })),
    route("POST", "search", (request) => answer(knowledge, ask, { input: readSearchBody(request), request })),
    route("POST", "context", async (request) => {
      const input = readContextBody(request);
      const { found } = await ask(input, request.signal);
      return jsonReply(await viewContext(knowledge, found, input.budget));
    }),
  ];
}

function createAsk(services: SearchServices, knowledge: Knowledge, settings: () => SearchSettings): Ask {
  const { clock, registry, turn } = services;
  const durations = registry.ownHistogram(
    "pi_daemon_rag_query_duration_seconds",
    "Seconds that a search of the knowledge index took, by mode.",
    DURATION_BOUNDS,
  );
  const observe = Object.fromEntries(SEARCH_MODES.map((mode) => [mode, durations(["mode", mode])]));
  const scopes = new ScopeCache(knowledge);
  const pace = { monotonicMs: () => clock.monotonicMs(), turn };
  return async (input, signal) => {
    needCollections(knowledge, input.collections ?? []);
    const startMs = clock.monotonicMs();
    const options = { cutOff: settings().cutOff, scopes, pace, signal, nowMs: clock.wallMs() };
    const found = await searchKnowledge(knowledge, toRequest(input), options);
    const tookMs = (): number => clock.monotonicMs() - startMs;
    observe[input.mode]!.observe(tookMs() / 1000);
    return { found, tookMs };
  };
}

function toRequest({ q, ...input }: SearchInput | ContextInput): SearchRequest {
  return { per: "chunk", ...input, text: q };
}

function needCollections(knowledge: Knowledge, names: readonly string[]): void {
  const missing = names.find((name) => knowledge.collection(name) === undefined);
  if (missing === undefined) return;
  const meant = nearest(
    missing,
    [...knowledge.collections()].map(({ name }) => name),
  );
  const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
  throw new HttpError(404, "NOT_FOUND", `there is no collection ${JSON.stringify(missing)}${hint}`);
}

interface SearchAnswer {
  readonly query: string;
  readonly mode: SearchMode;
  readonly hits: readonly Hit[];
  readonly notices: readonly string[];
  readonly tookMs: number;
}

async function answer(
  knowledge: Knowledge,
  ask: Ask,
  { input, request }: { readonly input: SearchInput; readonly request: Request },
): Promise<Reply> {
  const { found, tookMs } = await ask(input, request.signal);
  const hits = withinBudget(await showHits(knowledge, found, { isExplained: input.explain }), input.budget);
  const { q: query, mode } = input;
  const view: SearchAnswer = { query, mode, hits, notices: found.notices, tookMs: round(tookMs()) };
  return jsonReply(view);
}

/** The first hits whose texts have room together; one at least. */
function withinBudget(hits: readonly Hit[], tokens: number | undefined): readonly Hit[] {
  if (tokens === undefined) return hits;
  let left = tokens * TOKEN_LENGTH;
  const end = hits.findIndex(({ text }) => (left -= text.length) < 0);
  return end === -1 ? hits : hits.slice(0, Math.max(1, end));
}

async function viewContext(knowledge: Knowledge, found: Found, budgetTokens: number): Promise<object> {
  const texts = await Promise.all(found.hits.map(({ chunk }) => readChunk(knowledge, chunk)));
  const chunks = found.hits.flatMap(({ chunk }, at) => (texts[at] === undefined ? [] : [{ chunk, text: texts[at] }]));
  const nameOf = ({ document }: PlacedChunk): string =>
    pathOf(knowledge, document) ?? `${document.collection}/${document.id}`;
  const { context, sources, tokens } = buildContext(chunks, { budgetTokens, nameOf });
  const views = sources.map((source) => viewSource(knowledge, source));
  return { context, sources: views, tokens, notices: found.notices };
}

function viewSource(knowledge: Knowledge, { number, chunk, ...place }: ContextSource): object {
  const { collection, id } = chunk.document;
  const { startLine, endLine, headings } = place;
  return { number, collection, id, path: pathOf(knowledge, chunk.document), startLine, endLine, headings };
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
