/** The table of `rag` commands, and those that only look. */
import { escapeUnprintable, quote } from "../core/printable.ts";
import { type Command, type CommandCall, EXIT } from "./command.ts";
import { findDaemon } from "./place.ts";
import { addCommand } from "./rag-add.ts";
import { callAbout } from "./rag-calls.ts";
import { changeCommands } from "./rag-change.ts";
import { ragDoctorCommand } from "./rag-doctor.ts";
import { noteCommand } from "./rag-note.ts";
import { searchCommand } from "./rag-search.ts";
import { showCommand } from "./rag-show.ts";
import { describeAge, describeContent, describeProject, describeState } from "./rag-texts.ts";
import type { CollectionShown, KnowledgeStatus } from "./rag-views.ts";
import { readableBytes } from "./style.ts";
import { type Column, renderFacts } from "./table.ts";
import { tell, tellTable } from "./tell.ts";

const NOTHING_YET =
  "there are no collections yet; index a folder: pi-daemon rag add FOLDER, " +
  'or keep a note: pi-daemon rag note "..."';

const listCommand: Command = {
  name: "rag list",
  operands: ["[PREFIX]"],
  options: [],
  summary: "show the collections: what they hold, for whom, and how they are",
  examples: ["pi-daemon rag list", "pi-daemon rag list --json"],
  async run(call) {
    const { client } = await findDaemon(call);
    type Answer = { readonly collections: readonly CollectionShown[]; readonly problems: readonly string[] };
    const { collections, problems } = await callAbout<Answer>(client, [], {
      method: "GET",
      path: "/api/rag/collections",
    });
    const [prefix = ""] = call.args.operands;
    const shown = collections.filter(({ name }) => name.startsWith(prefix));
    if (call.args.isSet("json")) call.terminal.out(JSON.stringify(shown));
    else if (shown.length === 0)
      call.terminal.out(prefix === "" ? NOTHING_YET : `no collection begins with ${quote(prefix)}`);
    else tellCollections(call, shown);
    for (const problem of problems) call.terminal.err(`warning: ${escapeUnprintable(problem)}`);
    return EXIT.ok;
  },
};

function tellCollections(call: CommandCall, shown: readonly CollectionShown[]): void {
  const nowMs = call.clock.wallMs();
  const columns: Column[] = [
    { title: "NAME" },
    { title: "KIND" },
    { title: "FOR" },
    { title: "DOCUMENTS", isNumber: true },
    { title: "CHUNKS", isNumber: true },
    { title: "SIZE", isNumber: true },
    { title: "INDEXED" },
    { title: "STATE" },
    { title: "FOLDER" },
  ];
  const cells = shown.map((each) => [
    each.name,
    each.kind,
    describeProject(each.project),
    String(each.documents),
    String(each.chunks),
    readableBytes(each.textBytes),
    describeAge(each.lastIndexedMs, nowMs),
    describeState(each),
    each.root ?? "-",
  ]);
  tellTable(call, columns, cells);
}

const statusCommand: Command = {
  name: "rag status",
  operands: [],
  options: [],
  summary: "show how much is indexed, and how the index is",
  async run(call) {
    const { client } = await findDaemon(call);
    const status = await callAbout<KnowledgeStatus>(client, [], { method: "GET", path: "/api/rag/status" });
    const { state, model, ratio, error } = status.embeddings;
    const embedded = ratio === null ? "" : `, ${Math.floor(ratio * 100)} % embedded`;
    const facts: [string, string][] = [
      ["holds", describeContent(status)],
      ["collections", `${status.collections}${status.indexing ? " (indexing goes on)" : ""}`],
      ["index", `${readableBytes(status.indexBytes)} of memory`],
      ["embeddings", `${state}${model === null ? "" : ` (${model})`}${embedded}${error === null ? "" : `: ${error}`}`],
      ...status.problems.map((problem): [string, string] => ["problem", problem]),
    ];
    tell(call, status, renderFacts(facts).join("\n"));
    if (status.collections === 0 && !call.args.isSet("json")) call.terminal.err(NOTHING_YET);
    return EXIT.ok;
  },
};

export const ragCommands: readonly Command[] = [
  addCommand,
  noteCommand,
  searchCommand,
  listCommand,
  showCommand,
  ...changeCommands,
  statusCommand,
  ragDoctorCommand,
];
