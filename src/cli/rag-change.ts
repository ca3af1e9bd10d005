/** `rag remove` and `rag reindex`: what goes, and what is read anew. */
import type { Client } from "../client.ts";
import { quote } from "../core/printable.ts";
import { type Command, type CommandCall, CommandError, EXIT } from "./command.ts";
import { findDaemon } from "./place.ts";
import { tellIndexed } from "./rag-add.ts";
import { callAbout, collectionPath, documentPath, listCollections, readTarget } from "./rag-calls.ts";
import { waitForIndex } from "./rag-progress.ts";
import type { CollectionShown } from "./rag-views.ts";
import { plural } from "./style.ts";
import { tell } from "./tell.ts";

const removeCommand: Command = {
  name: "rag remove",
  operands: ["COLLECTION[/DOCUMENT]"],
  options: [{ name: "force", summary: "also notes, which are kept nowhere else" }],
  summary: "take a collection or a note out of the index; files stay as they are",
  examples: ["pi-daemon rag remove docs", "pi-daemon rag remove notes/1f0c"],
  async run(call) {
    const target = readTarget(call.args.operands[0]!);
    const { client } = await findDaemon(call);
    const { collection, document } = target;
    if (document === undefined) await removeCollection(call, client, collection);
    else {
      await callAbout(client, [collection], { method: "DELETE", path: documentPath(collection, document) });
      tell(call, { removed: `${collection}/${document}` }, `${quote(`${collection}/${document}`)} is removed`);
    }
    return EXIT.ok;
  },
};

async function removeCollection(call: CommandCall, client: Client, name: string): Promise<void> {
  const path = collectionPath(name);
  const { kind, documents } = await callAbout<CollectionShown>(client, [name], { method: "GET", path });
  if (kind === "notes" && documents > 0 && !call.args.isSet("force")) {
    const what = `${quote(name)} holds ${plural(documents, "note")}, kept nowhere else`;
    throw new CommandError(EXIT.failure, what, "--force removes them; one note: pi-daemon rag remove " + `${name}/ID`);
  }
  await callAbout(client, [name], { method: "DELETE", path });
  const files = kind === "notes" ? "" : "; its files stay as they are";
  tell(call, { removed: name }, `${name} is removed from the index${files}`);
}

const reindexCommand: Command = {
  name: "rag reindex",
  operands: ["[COLLECTION]"],
  options: [
    { name: "full", summary: "read every file anew, also where nothing seems to have changed" },
    { name: "no-wait", summary: "do not wait until it is done" },
  ],
  summary: "look for changes now, in one collection or in all",
  examples: ["pi-daemon rag reindex docs", "pi-daemon rag reindex --full"],
  async run(call) {
    const { client } = await findDaemon(call);
    const [name] = call.args.operands;
    const all = name === undefined ? await namesOfFiles(client) : [name];
    const shown: CollectionShown[] = [];
    let code: number = EXIT.ok;
    for (const each of all) {
      const { after, isDone } = await reindex(call, client, each);
      shown.push(after);
      if (!isDone) code = EXIT.failure;
    }
    if (call.args.isSet("json")) call.terminal.out(JSON.stringify(shown));
    else if (shown.length === 0) call.terminal.out('there are no folders yet; "pi-daemon rag add FOLDER" indexes one');
    return code;
  },
};

/** Notes are indexed as they come. */
async function namesOfFiles(client: Client): Promise<string[]> {
  return (await listCollections(client)).filter(({ kind }) => kind !== "notes").map(({ name }) => name);
}

async function reindex(
  call: CommandCall,
  client: Client,
  name: string,
): Promise<{ readonly after: CollectionShown; readonly isDone: boolean }> {
  const { args, clock } = call;
  const startMs = clock.monotonicMs();
  const path = collectionPath(name);
  const before = await callAbout<CollectionShown>(client, [name], { method: "GET", path });
  if (before.kind === "notes") {
    throw new CommandError(EXIT.failure, `${quote(name)} holds notes, which are indexed as they come`);
  }
  const body = { full: args.isSet("full") };
  const { collection } = await callAbout<{ collection: CollectionShown }>(client, [name], {
    method: "POST",
    path: `${path}/reindex`,
    body,
  });
  const isWaiting = !args.isSet("no-wait");
  const after = isWaiting ? await waitForIndex(call, client, before) : collection;
  if (!args.isSet("json")) tellIndexed(call, after, { tookMs: clock.monotonicMs() - startMs, isWaiting });
  return { after, isDone: !isWaiting || after.lastIndexedMs !== before.lastIndexedMs };
}

export const changeCommands: readonly Command[] = [removeCommand, reindexCommand];
