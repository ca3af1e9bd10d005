/**
 * Collections and documents as the API shows them: plain JSON.
 *
 * Units: bytes; instants in milliseconds since the epoch; `null` for what there is none of.
 */
import { maxFileBytesOf } from "./collection.ts";
import type { CollectionKind, DocumentKind } from "./document.ts";
import { type CollectionRecord, type KeptDocument, NOTHING_SKIPPED, type Skipped } from "./corpus-state.ts";
import { joinBelow } from "./paths.ts";

/** What is being done about a collection. */
export interface CollectionActivity {
  readonly state: "idle" | "waiting" | "indexing";
  readonly progress: { readonly done: number; readonly total: number } | null;
  readonly problems: readonly string[];
}

export interface CollectionProgress extends CollectionActivity {
  /** How many of the chunks an endpoint has seen, from 0 to 1; `null` where there is none. */
  readonly embeddedRatio: number | null;
}

/** What holds for collections that do not say otherwise. */
export interface CollectionDefaults {
  readonly watch: boolean;
  readonly rescanMs: number;
  readonly maxFileBytes: number;
  readonly exclude: readonly string[];
}

export interface CollectionView {
  readonly name: string;
  readonly kind: CollectionKind;
  readonly source: "config" | "api";
  readonly project: string | null;
  readonly root: string | null;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly gitignore: boolean;
  readonly watch: boolean;
  readonly everyMs: number;
  readonly maxFileBytes: number;
  readonly tags: readonly string[];
  readonly documents: number;
  readonly chunks: number;
  readonly textBytes: number;
  readonly embeddedRatio: CollectionProgress["embeddedRatio"];
  readonly lastIndexedMs: number | null;
  readonly state: CollectionActivity["state"];
  readonly progress: CollectionActivity["progress"];
  readonly skipped: Skipped;
  readonly problems: readonly string[];
}

export interface DocumentView {
  readonly id: string;
  readonly collection: string;
  readonly title: string | null;
  readonly kind: DocumentKind;
  readonly tags: readonly string[];
  readonly metadata: KeptDocument["metadata"];
  readonly project: string | null;
  readonly addedMs: number;
  readonly expiresMs: number | null;
  readonly sizeBytes: number;
  readonly lines: number;
  readonly chunks: number;
  /** Absolute. */
  readonly path: string | null;
  readonly hash: string;
}

export function viewCollection(
  { definition, source, documents, chunkCount, textBytes, scan }: CollectionRecord,
  activity: CollectionProgress,
  defaults: CollectionDefaults,
): CollectionView {
  const { name, kind, project, root, include, exclude, gitignore, tags } = definition;
  return {
    name,
    kind,
    source,
    project,
    root,
    include,
    exclude,
    gitignore,
    watch: definition.watch ?? defaults.watch,
    everyMs: definition.everyMs ?? defaults.rescanMs,
    maxFileBytes: maxFileBytesOf(definition, defaults.maxFileBytes),
    tags,
    documents: documents.size,
    chunks: chunkCount,
    textBytes,
    embeddedRatio: activity.embeddedRatio,
    lastIndexedMs: scan?.atMs ?? null,
    state: activity.state,
    progress: activity.progress,
    skipped: scan?.skipped ?? NOTHING_SKIPPED,
    problems: activity.problems,
  };
}

export function viewDocument(document: KeptDocument, { definition }: CollectionRecord): DocumentView {
  const { id, collection, title, kind, tags, metadata, project, addedMs, expiresMs, sizeBytes, lineCount } = document;
  return {
    id,
    collection,
    title: title ?? null,
    kind,
    tags,
    metadata,
    project: project ?? definition.project,
    addedMs,
    expiresMs: expiresMs ?? null,
    sizeBytes,
    lines: lineCount,
    chunks: document.chunkCount,
    path: definition.root === null ? null : joinBelow(definition.root, id),
    hash: document.hash,
  };
}
