/** `rag add`: a folder, or pi's sessions, into the knowledge base. */
import { realpathSync, statSync } from "node:fs";
import { basename } from "node:path";
import { type Client, DaemonError } from "../client.ts";
import { escapeUnprintable, quote } from "../core/printable.ts";
import { type Command, type CommandCall, CommandError, EXIT } from "./command.ts";
import { findDaemon } from "./place.ts";
import { callAbout, listCollections, projectToAdd } from "./rag-calls.ts";
import { waitForIndex } from "./rag-progress.ts";
import { describeContent, describeProject, describeSkipped } from "./rag-texts.ts";
import type { CollectionShown } from "./rag-views.ts";
import { readableDuration } from "./style.ts";
import { tell } from "./tell.ts";

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

export const addCommand: Command = {
  name: "rag add",
  operands: ["[FOLDER]"],
  options: [
    { name: "name", value: "NAME", summary: "of the collection (else that of the folder)" },
    { name: "include", value: "GLOB", isRepeatable: true, summary: "only files like this; may be given several times" },
    { name: "exclude", value: "GLOB", isRepeatable: true, summary: "no files like this" },
    { name: "watch", summary: "see changes as they happen, whatever the config says" },
    { name: "no-watch", summary: "look for changes now and then only" },
    {
      name: "project",
      value: "PROJECT",
      summary: "whom it belongs to: here, none (everyone), or a name (else its git repository)",
    },
    { name: "sessions", summary: "pi's session files instead of a folder" },
    { name: "no-wait", summary: "do not wait until it is indexed" },
  ],
  summary: "index a folder, or pi's sessions, and keep the index up to date",
  details:
    "A folder in a git repository belongs to that project: searches find it there. Any other is for everyone.\n" +
    ".gitignore holds; binary and huge files, and names that begin with a dot, are left out. Globs are written as\n" +
    "in a .gitignore file. What looks like a key or a token is taken out before anything is kept.",
  examples: [
    "pi-daemon rag add ~/notes",
    'pi-daemon rag add . --name web --exclude "vendor/" --include "*.md" --include "*.ts"',
    "pi-daemon rag add --sessions",
  ],
  async run(call) {
    const body = readNewCollection(call);
    const { client } = await findDaemon(call);
    const startMs = call.clock.monotonicMs();
    const path = "/api/rag/collections";
    const made = await callAbout<CollectionShown>(client, [], { method: "POST", path, body }).catch((error: unknown) =>
      explainRefusal(error, client, body).then((told) => Promise.reject(told)),
    );
    const isWaiting = !call.args.isSet("no-wait");
    // It may have been indexed by now; what it was made from has not.
    const shown = isWaiting ? await waitForIndex(call, client, { ...made, lastIndexedMs: null }) : made;
    tellIndexed(call, shown, { tookMs: call.clock.monotonicMs() - startMs, isWaiting });
    return isWaiting && shown.lastIndexedMs === null ? EXIT.failure : EXIT.ok;
  },
};

/** What has become of a collection that was indexed. */
export function tellIndexed(
  call: CommandCall,
  shown: CollectionShown,
  { tookMs, isWaiting }: { readonly tookMs: number; readonly isWaiting: boolean },
): void {
  const { name, project, problems } = shown;
  const skipped = describeSkipped(shown);
  const text = isWaiting
    ? `${name}: ${describeContent(shown)} in ${readableDuration(tookMs)}, for ${describeProject(project)}`
    : `${name} is being indexed, for ${describeProject(project)}; see "pi-daemon rag list"`;
  tell(call, shown, skipped === "" ? text : `${text}; left out: ${skipped}`);
  for (const problem of problems) call.terminal.err(`warning: ${escapeUnprintable(problem)}`);
}

interface NewCollection {
  readonly name: string;
  readonly kind: "folder" | "sessions";
  readonly root?: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly watch?: boolean;
  readonly project?: string | null;
}

/** Throws CommandError for what cannot be indexed. */
function readNewCollection(call: CommandCall): NewCollection {
  const { args } = call;
  const [folder] = args.operands;
  if (args.isSet("watch") && args.isSet("no-watch")) {
    throw new CommandError(EXIT.usage, "both --watch and --no-watch are given", "give one of them");
  }
  if ((folder === undefined) !== args.isSet("sessions")) {
    const fault = folder === undefined ? '"rag add" needs FOLDER, or --sessions' : "--sessions takes no FOLDER";
    throw new CommandError(EXIT.usage, fault, 'see "pi-daemon help rag add"');
  }
  const watch = args.isSet("watch") ? { watch: true } : args.isSet("no-watch") ? { watch: false } : {};
  const globs = { include: args.values("include"), exclude: args.values("exclude") };
  if (folder === undefined) {
    const project = args.isSet("project") ? { project: projectToAdd(call, process.cwd()) } : {};
    return { name: args.value("name") ?? "sessions", kind: "sessions", ...globs, ...watch, ...project };
  }
  const root = findFolder(folder);
  const name = args.value("name") ?? nameOf(root);
  return { name, kind: "folder", root, ...globs, ...watch, project: projectToAdd(call, root) };
}

/** The real path of a folder that is there. Throws CommandError. */
function findFolder(folder: string): string {
  try {
    const root = realpathSync(folder);
    if (statSync(root).isDirectory()) return root;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? "it does not exist" : code === "EACCES" ? "permission denied" : message;
    throw new CommandError(EXIT.failure, `Cannot index ${quote(folder)}: ${reason}`);
  }
  const hint = `index the folder around it, with --include ${quote(basename(folder))}`;
  throw new CommandError(EXIT.failure, `Cannot index ${quote(folder)}: it is no folder`, hint);
}

/** The name of the folder as one of a collection. Throws CommandError where nothing is left of it. */
function nameOf(root: string): string {
  const plain = basename(root)
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase();
  const name = plain
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+|-+$/g, "")
    .slice(0, 64);
  if (NAME.test(name)) return name;
  throw new CommandError(EXIT.usage, `${quote(root)} gives no name for a collection`, "give one: --name NAME");
}

async function explainRefusal(error: unknown, client: Client, { name, root }: NewCollection): Promise<unknown> {
  if (!(error instanceof DaemonError)) return error;
  if (error.status === 409) {
    const all = await listCollections(client);
    if (root !== undefined && all.some((each) => each.name === name && each.root === root)) {
      const hint = `"pi-daemon rag reindex ${name}" looks for changes now; to add it otherwise, remove it first`;
      return new CommandError(EXIT.failure, `${quote(root)} is indexed already, as ${quote(name)}`, hint);
    }
    const hint = `choose another one with --name; "pi-daemon rag show ${name}" shows it, "rag remove" removes it`;
    return new CommandError(EXIT.failure, `there is a collection ${quote(name)} already`, hint);
  }
  if (!/allowedRoots/.test(error.message)) return error;
  const hint = 'rag.allowedRoots stands in the config; "pi-daemon reload" puts a change into force';
  return new CommandError(EXIT.failure, escapeUnprintable(error.message), hint);
}
