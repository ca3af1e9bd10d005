/**
 * What the API tells of the knowledge base.
 *
 * Units: instants in milliseconds since the epoch; `null` is for what there is none of.
 */

export interface CollectionShown {
  readonly name: string;
  readonly kind: "folder" | "notes" | "sessions";
  readonly source: "config" | "api";
  readonly project: string | null;
  readonly root: string | null;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly watch: boolean;
  readonly everyMs: number;
  readonly documents: number;
  readonly chunks: number;
  readonly textBytes: number;
  readonly embeddedRatio: number | null;
  readonly lastIndexedMs: number | null;
  readonly state: "idle" | "waiting" | "indexing";
  /** In files. */
  readonly progress: { readonly done: number; readonly total: number } | null;
  readonly skipped: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

export interface DocumentShown {
  readonly id: string;
  readonly collection: string;
  readonly title: string | null;
  readonly kind: string;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
  readonly project: string | null;
  readonly addedMs: number;
  readonly expiresMs: number | null;
  readonly sizeBytes: number;
  readonly lines: number;
  readonly chunks: number;
  readonly path: string | null;
}

export interface DocumentText extends DocumentShown {
  readonly text: string;
  readonly startLine: number;
  readonly endLine: number;
  /** The file is another one by now, or gone. */
  readonly stale: boolean;
}

export interface HitShown {
  /** 0 to 1. */
  readonly score: number;
  readonly collection: string;
  readonly id: string;
  readonly path: string | null;
  readonly startLine: number;
  readonly endLine: number;
  readonly headings: readonly string[];
  readonly symbol: string | null;
  readonly title: string | null;
  readonly snippet: string;
  /** UTF-16 offsets into the snippet, [from, to). */
  readonly highlights: readonly (readonly [number, number])[];
  readonly why: string;
  readonly stale: boolean;
  readonly explain?: HitExplained;
}

/** What the score of a hit is made of. */
export interface HitExplained {
  /** By way of searching: what it counts of itself, scaled to 0..1, and by which weight. */
  readonly legs: Readonly<Record<string, { readonly scaled: number; readonly weight: number }>>;
  /** What the best of all hits covers of the query, 0 to 1. */
  readonly coverage: { readonly part: number };
  /** What each term adds to BM25, best first. */
  readonly terms: readonly { readonly term: string; readonly score: number }[];
}

export interface SearchAnswer {
  readonly hits: readonly HitShown[];
  readonly notices: readonly string[];
  readonly tookMs: number;
}

export interface ContextAnswer {
  readonly context: string;
  readonly sources: readonly unknown[];
  readonly tokens: number;
  readonly notices: readonly string[];
}

export interface KnowledgeStatus {
  readonly documents: number;
  readonly chunks: number;
  readonly textBytes: number;
  readonly indexBytes: number;
  readonly collections: number;
  readonly indexing: boolean;
  readonly embeddings: {
    readonly state: "off" | "ready" | "catching-up" | "away";
    readonly model: string | null;
    readonly ratio: number | null;
    readonly error: string | null;
  };
  readonly problems: readonly string[];
}
