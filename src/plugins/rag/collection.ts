/** What a collection is: its name, where its documents come from, and how they are read. */
import {
  array,
  boolean,
  filePath,
  type Infer,
  integer,
  type Issue,
  nullable,
  object,
  oneOf,
  refine,
  string,
  withDefault,
} from "../../core/validate.ts";

export const COLLECTION_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const LARGEST_FILE_BYTES = 67_108_864;

const glob = string({ minLength: 1, maxLength: 1024 });

export const tagSchema = string({
  pattern: /^[^\s,\p{Cc}]{1,64}$/u,
  expected: "a tag (1 to 64 characters without spaces and commas)",
});

export const projectSchema = string({
  pattern: /^[^\p{Cc}]{1,128}$/u,
  expected: "the name of a project (1 to 128 characters)",
});

export const collectionName = string({
  pattern: COLLECTION_NAME,
  expected: "the name of a collection (a-z, 0-9, dot, dash, underscore; at most 64)",
});

/** A collection as the config and the API take it. */
export const collectionSchema = refine(
  object({
    name: collectionName,
    kind: oneOf(["folder", "notes", "sessions"]),
    /** Absolute; of folders and sessions. */
    root: withDefault(nullable(filePath()), null),
    include: withDefault(array(glob, { max: 1000 }), []),
    exclude: withDefault(array(glob, { max: 1000 }), []),
    /** Whether `.gitignore` files count. */
    gitignore: withDefault(boolean(), true),
    /** Whether changes are seen as they happen; `null` is `rag.watch`. */
    watch: withDefault(nullable(boolean()), null),
    /** How often all files are looked at; `null` is `rag.rescanMs`. */
    everyMs: withDefault(nullable(integer({ min: 1000, max: 2_592_000_000 })), null),
    /** Larger files are left out; `null` is `rag.maxFileBytes`. */
    maxFileBytes: withDefault(nullable(integer({ min: 1, max: LARGEST_FILE_BYTES })), null),
    /** Who finds what is in it; `null` is everyone. */
    project: withDefault(nullable(projectSchema), null),
    /** Of all its documents. */
    tags: withDefault(array(tagSchema, { max: 32 }), []),
    /** Of sessions: whether what tools answered is indexed too. */
    toolOutput: withDefault(boolean(), false),
  }),
  findFault,
);

export type CollectionDefinition = Infer<typeof collectionSchema>;

function findFault({ kind, root }: { kind: string; root: string | null }): readonly Issue[] {
  if (kind === "folder" && root === null) return [{ path: "root", message: "is required for a folder" }];
  if (kind === "notes" && root !== null)
    return [{ path: "root", message: "is for folders and sessions; notes have none" }];
  return [];
}

/** What a first note makes. */
export function notesCollection(name: string): CollectionDefinition {
  return {
    name,
    kind: "notes",
    root: null,
    include: [],
    exclude: [],
    gitignore: true,
    watch: null,
    everyMs: null,
    maxFileBytes: null,
    project: null,
    tags: [],
    toolOutput: false,
  };
}

/** A session grows for weeks, and most of it is what tools answered, which is left out. */
const SESSION_FILE_BYTES = LARGEST_FILE_BYTES;

/** The largest file that is read. */
export function maxFileBytesOf({ kind, maxFileBytes }: CollectionDefinition, fallback: number): number {
  return maxFileBytes ?? (kind === "sessions" ? Math.max(fallback, SESSION_FILE_BYTES) : fallback);
}
