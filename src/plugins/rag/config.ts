/** The `rag` section of the config. */
import { LARGEST_ID } from "../../core/id-set.ts";
import { compileLinearPattern } from "../../core/linear-pattern.ts";
import {
  array,
  boolean,
  filePath,
  type Infer,
  integer,
  type Issue,
  number,
  object,
  refine,
  string,
  withDefault,
} from "../../core/validate.ts";
import { collectionSchema } from "./collection.ts";
import { DEFAULT_CUT_OFF } from "./cut-off.ts";
import { embeddingsSchema } from "./embedding-config.ts";

const MOST_COLLECTIONS = 1000;
/** What programs write for programs: long, full of rare words, and no answer to any question. */
const MADE_BY_PROGRAMS = [
  "node_modules/",
  "__pycache__/",
  "*.map",
  "*.min.js",
  "*.min.css",
  "*.lock",
  "*-lock.json",
  "*-lock.yaml",
  "npm-shrinkwrap.json",
  "go.sum",
];

const pattern = refine(string({ minLength: 1, maxLength: 1000 }), (source) => {
  try {
    compileLinearPattern(source);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
});

export const ragSchema = object({
  collections: withDefault(refine(array(collectionSchema, { max: MOST_COLLECTIONS }), findDuplicates), []),
  /** Folders may stand below these only; what begins with a dot must be named itself. */
  allowedRoots: withDefault(array(filePath(), { max: 100 }), ["~"]),
  /** Left out of every folder, before what its own `exclude` says (`!` takes in again). */
  exclude: withDefault(array(string({ minLength: 1, maxLength: 1024 }), { max: 1000 }), MADE_BY_PROGRAMS),
  /** Larger files are left out, and counted. */
  maxFileBytes: withDefault(integer({ min: 1, max: 67_108_864 }), 1_048_576),
  maxDocuments: withDefault(integer({ min: 1, max: 10_000_000 }), 200_000),
  maxChunks: withDefault(integer({ min: 1, max: LARGEST_ID }), 1_000_000),
  redact: withDefault(
    object({
      /** A person's own kinds of secrets, beside those that are known. */
      patterns: withDefault(array(pattern, { max: 100 }), []),
    }),
    {},
  ),
  /** Whether changes in folders are seen as they happen. */
  watch: withDefault(boolean(), true),
  /** How often all files of a folder are looked at, whatever was seen. */
  rescanMs: withDefault(integer({ min: 1000, max: 2_592_000_000 }), 600_000),
  /** The least part of a query, by the rarity of its words, that an answer covers; 0 answers noise, too. */
  cutOff: withDefault(number({ min: 0, max: 1 }), DEFAULT_CUT_OFF),
  /** A server of a person's own that makes vectors. */
  embeddings: withDefault(embeddingsSchema, {}),
});

export type RagConfig = Infer<typeof ragSchema>;

function findDuplicates(collections: readonly { readonly name: string }[]): readonly Issue[] {
  const seen = new Map<string, number>();
  return collections.flatMap(({ name }, index) => {
    const first = seen.get(name);
    if (first === undefined) seen.set(name, index);
    return first === undefined
      ? []
      : [{ path: `${index}.name`, message: `"${name}" is the name of collection ${first} already` }];
  });
}
