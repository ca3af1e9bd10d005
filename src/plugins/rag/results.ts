/** Chunks that were found -> what an answer shows of them: place, text, snippet, why, and whether it is out of date. */
import { rarity } from "../../core/lexical-plan.ts";
import type { DocumentKind, PlacedChunk, StoredDocument } from "./document.ts";
import { explainHit, findReason } from "./explain.ts";
import type { Explanation } from "./explain.ts";
import type { Knowledge } from "./knowledge.ts";
import { compileMatcher } from "./query-matcher.ts";
import type { QueryMatcher } from "./query-matcher.ts";
import type { Found, FoundChunk } from "./search.ts";
import { cutSnippet } from "./snippet.ts";

export interface Hit {
  readonly score: number;
  readonly collection: string;
  readonly id: string;
  /** Absolute; of what came from a file. */
  readonly path: string | null;
  readonly startLine: number;
  readonly endLine: number;
  readonly headings: readonly string[];
  readonly symbol: string | null;
  readonly title: string | null;
  readonly kind: DocumentKind;
  readonly tags: readonly string[];
  readonly metadata: StoredDocument["metadata"];
  readonly project: string | null;
  readonly snippet: string;
  readonly highlights: readonly (readonly [start: number, end: number])[];
  /** The whole chunk. */
  readonly text: string;
  readonly why: "lexical" | "vector" | "both";
  /** Whether its file has changed since. */
  readonly stale: boolean;
  readonly explain?: Explanation;
}

/** How many files are looked at together. */
const AT_ONCE = 16;

/** In the order of `found`; what has gone meanwhile is left out. */
export async function showHits(
  knowledge: Knowledge,
  found: Found,
  { isExplained }: { readonly isExplained: boolean },
): Promise<Hit[]> {
  const matcher = matcherOf(knowledge, found);
  const stale = await findStale(knowledge, new Set(found.hits.map(({ chunk }) => chunk.document)));
  const shown = found.hits.map(async (hit): Promise<Hit | undefined> => {
    const text = await readChunk(knowledge, hit.chunk);
    if (text === undefined) return undefined;
    const view = showHit(knowledge, hit, { text, matcher });
    const why = findReason(found, hit);
    const explained = isExplained ? { explain: explainHit(knowledge, found, hit) } : {};
    return { ...view, why, stale: stale.has(hit.chunk.document), ...explained };
  });
  return (await Promise.all(shown)).filter((hit) => hit !== undefined);
}

export function readChunk(
  knowledge: Knowledge,
  { document, startByte, endByte }: PlacedChunk,
): Promise<string | undefined> {
  return knowledge.readText(document, startByte, endByte);
}

/** Absolute, where the document came from a file. */
export function pathOf(knowledge: Knowledge, document: StoredDocument): string | null {
  const root = knowledge.collection(document.collection)?.root;
  return document.file === undefined || root === undefined ? null : `${root.replace(/\/$/, "")}/${document.id}`;
}

function matcherOf({ lexical }: Knowledge, { query }: Found): QueryMatcher {
  return compileMatcher(query, (term) => {
    const count = lexical.documentCount(term);
    return count === 0 ? 0 : rarity(count, lexical.size);
  });
}

type View = Omit<Hit, "why" | "stale" | "explain">;

function showHit(
  knowledge: Knowledge,
  { chunk, score }: FoundChunk,
  { text, matcher }: { readonly text: string; readonly matcher: QueryMatcher },
): View {
  const { document, startLine, endLine, headings, symbol } = chunk;
  const { collection, id, kind, tags, metadata } = document;
  return {
    score,
    collection,
    id,
    path: pathOf(knowledge, document),
    startLine,
    endLine,
    headings,
    symbol: symbol ?? null,
    title: document.title ?? null,
    kind,
    tags,
    metadata,
    project: document.project ?? knowledge.collection(collection)?.project ?? null,
    ...cutSnippet(text, kind, matcher),
    text,
  };
}

async function findStale(knowledge: Knowledge, documents: ReadonlySet<StoredDocument>): Promise<Set<StoredDocument>> {
  const stale = new Set<StoredDocument>();
  const waiting = documents.values();
  const lookOn = async (): Promise<void> => {
    for (const document of waiting) if (await knowledge.isStale(document)) stale.add(document);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, documents.size) }, lookOn));
  return stale;
}
