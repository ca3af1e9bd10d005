/**
 * What the `rag` commands share: addresses of collections and documents, the project that is meant, and hints for names
 * that are not there.
 */
import { type CallOptions, type Client, DaemonError } from "../client.ts";
import { nearest } from "../core/nearest.ts";
import { quote } from "../core/printable.ts";
import { projectIdOf, repositoryIdOf } from "../system/project-id.ts";
import { type CommandCall, CommandError, EXIT } from "./command.ts";
import type { CollectionShown } from "./rag-views.ts";

const ANY_PROJECT = "*";

export function collectionPath(name: string): string {
  return `/api/rag/collections/${encodeURIComponent(name)}`;
}

export function documentPath(collection: string, id: string): string {
  return `${collectionPath(collection)}/documents/${encodeURIComponent(id)}`;
}

export interface Target {
  readonly collection: string;
  /** `undefined` for the collection as a whole. */
  readonly document: string | undefined;
}

/** `docs` or `docs/guide/start.md`. Throws CommandError. */
export function readTarget(text: string): Target {
  const slash = text.indexOf("/");
  const collection = slash < 0 ? text : text.slice(0, slash);
  const document = slash < 0 ? undefined : text.slice(slash + 1);
  if (collection !== "") return { collection, document };
  const hint = 'for example "docs" or "docs/guide/start.md"; see "pi-daemon rag list"';
  throw new CommandError(EXIT.usage, `${quote(text)} names no collection`, hint);
}

/** Throws CommandError where the daemon has no knowledge base. */
export async function listCollections(client: Client): Promise<readonly CollectionShown[]> {
  try {
    return (await client.json<{ collections: CollectionShown[] }>("GET", "/api/rag/collections")).collections;
  } catch (error) {
    if (!(error instanceof DaemonError) || error.status !== 404) throw error;
    const hint = "it is older than this program, or plugins.rag is false in its config";
    throw new CommandError(EXIT.failure, "this daemon has no knowledge base", hint);
  }
}

/** A call about collections: where one is not there, the hint names those that are. */
export async function callAbout<T>(
  client: Client,
  names: readonly string[],
  { method, path, ...options }: CallOptions & { readonly method: string; readonly path: string },
): Promise<T> {
  try {
    if (method !== "DELETE") return await client.json<T>(method, path, options);
    const { status, text } = await client.call(method, path, options);
    if (status === 204) return undefined as T;
    throw new DaemonError(status, JSON.parse(text) as { error: string; code: string });
  } catch (error) {
    if (error instanceof DaemonError && error.status === 404) await needCollections(client, names);
    throw error;
  }
}

/** Throws CommandError for a collection that is not there. */
async function needCollections(client: Client, names: readonly string[]): Promise<void> {
  const all = await listCollections(client);
  const missing = names.find((name) => !all.some((each) => each.name === name));
  if (missing === undefined) return;
  throw new CommandError(EXIT.failure, `there is no collection ${quote(missing)}`, hintFor(missing, all));
}

function hintFor(missing: string, all: readonly CollectionShown[]): string {
  const names = all.map(({ name }) => name);
  const near = nearest(missing, names);
  if (near !== undefined) return `did you mean ${quote(near)}?`;
  if (names.length === 0) return 'there is none yet; index a folder with "pi-daemon rag add FOLDER"';
  const some = names.slice(0, 8).map(quote).join(", ");
  return `there ${names.length === 1 ? "is" : "are"} ${some}${names.length > 8 ? ", ..." : ""}`;
}

/**
 * What is added belongs to the project of the repository around `folder`, and without one to everyone.
 *
 * `--project none`: to everyone; `here`: to the project of the current directory. `null`: to everyone.
 */
export function projectToAdd({ args }: CommandCall, folder: string): string | null {
  const given = args.value("project");
  if (given === undefined) return repositoryIdOf(folder) ?? null;
  if (given === "none") return null;
  return given === "here" ? projectIdOf(process.cwd()) : needProject(given);
}

/**
 * What is searched: the project of the current directory and what is for everyone; in collections that are named,
 * everything. `undefined`: no project is said.
 */
export function projectToSearch({ args }: CommandCall): string | undefined {
  const given = args.value("project");
  if (given === undefined) return args.isSet("collection") ? undefined : projectIdOf(process.cwd());
  if (given === "all") return ANY_PROJECT;
  if (given === "none") return undefined;
  return given === "here" ? projectIdOf(process.cwd()) : needProject(given);
}

function needProject(text: string): string {
  if (text !== "" && text.length <= 128) return text;
  throw new CommandError(EXIT.usage, "--project must be 1 to 128 characters", "here, all, none, or a name of your own");
}

/** `a,b` and repeated options alike. */
export function readList(values: readonly string[]): string[] {
  return values
    .flatMap((value) => value.split(","))
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
