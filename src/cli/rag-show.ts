/** `rag show`: a collection and its documents, or the text of one. */
import type { Client } from "../client.ts";
import { escapeUnprintable, quote } from "../core/printable.ts";
import { type Command, type CommandCall, CommandError, EXIT } from "./command.ts";
import { findDaemon } from "./place.ts";
import { callAbout, collectionPath, documentPath, readTarget } from "./rag-calls.ts";
import { describeAge, describeContent, describeProject, describeSkipped, describeState } from "./rag-texts.ts";
import type { CollectionShown, DocumentShown, DocumentText } from "./rag-views.ts";
import { readableBytes, readableDuration } from "./style.ts";
import { type Column, renderFacts } from "./table.ts";
import { tellTable } from "./tell.ts";

const DOCUMENTS_SHOWN = 20;
const MOST_DOCUMENTS = 1000;

export const showCommand: Command = {
  name: "rag show",
  operands: ["COLLECTION[/DOCUMENT]"],
  options: [{ name: "lines", value: "A-B", summary: "of a document: only these lines" }],
  summary: "show a collection and its documents, or the text of a document as it is kept",
  details: "A slash at the end lists the documents below it: docs/guide/",
  examples: ["pi-daemon rag show docs", "pi-daemon rag show docs/guide/start.md --lines 10-30"],
  async run(call) {
    const { collection, document } = readTarget(call.args.operands[0]!);
    const lines = readLines(call.args.value("lines"));
    const { client } = await findDaemon(call);
    if (document !== undefined && document !== "" && !document.endsWith("/")) {
      await showDocument(call, client, { collection, document, lines });
    } else if (lines !== undefined) {
      const hint = "for example: pi-daemon rag show docs/guide.md --lines 10-30";
      throw new CommandError(EXIT.usage, "--lines goes with a document", hint);
    } else await showCollection(call, client, { collection, prefix: document });
    return EXIT.ok;
  },
};

interface DocumentsPage {
  readonly documents: readonly DocumentShown[];
  readonly next: string | null;
}

async function showCollection(
  call: CommandCall,
  client: Client,
  { collection, prefix }: { readonly collection: string; readonly prefix: string | undefined },
): Promise<void> {
  const path = collectionPath(collection);
  const shown = await callAbout<CollectionShown>(client, [collection], { method: "GET", path });
  const query = new URLSearchParams({
    limit: String(prefix === undefined ? DOCUMENTS_SHOWN : MOST_DOCUMENTS),
    prefix: prefix ?? "",
  });
  const page = await client.json<DocumentsPage>("GET", `${path}/documents?${query.toString()}`);
  const facts = prefix === undefined ? renderFacts(factsOf(call, shown)) : [];
  if (call.args.isSet("json")) {
    call.terminal.out(JSON.stringify(prefix === undefined ? { collection: shown, ...page } : page));
    return;
  }
  if (facts.length > 0) call.terminal.out(facts.join("\n"));
  if (page.documents.length > 0) {
    if (facts.length > 0) call.terminal.out("");
    tellDocuments(call, page.documents);
  }
  if (page.next !== null) call.terminal.out(`and more; below a folder of it: pi-daemon rag show ${collection}/FOLDER/`);
}

function factsOf(call: CommandCall, shown: CollectionShown): [string, string][] {
  const { name, kind, source, project, root, include, exclude, watch, everyMs, lastIndexedMs, embeddedRatio } = shown;
  const ofFiles: [string, string][] =
    kind === "notes"
      ? []
      : [
          ["folder", root ?? "-"],
          ...(include.length > 0 ? [["only", include.join("  ")] satisfies [string, string]] : []),
          ...(exclude.length > 0 ? [["without", exclude.join("  ")] satisfies [string, string]] : []),
          ["changes", `${watch ? "watched, and " : ""}looked for every ${readableDuration(everyMs)}`],
          ["indexed", describeAge(lastIndexedMs, call.clock.wallMs())],
          ["left out", describeSkipped(shown) || "nothing"],
        ];
  return [
    ["name", name],
    ["kind", `${kind}, made by ${source === "config" ? "the config" : "hand"}`],
    ["for", describeProject(project)],
    ["holds", describeContent(shown)],
    ...ofFiles,
    ...(embeddedRatio === null
      ? []
      : [["embedded", `${Math.floor(embeddedRatio * 100)} %`] satisfies [string, string]]),
    ["state", describeState(shown)],
    ...shown.problems.map((problem): [string, string] => ["problem", problem]),
  ];
}

function tellDocuments(call: CommandCall, documents: readonly DocumentShown[]): void {
  const nowMs = call.clock.wallMs();
  const columns: Column[] = [
    { title: "DOCUMENT" },
    { title: "TITLE" },
    { title: "TAGS" },
    { title: "SIZE", isNumber: true },
    { title: "LINES", isNumber: true },
    { title: "ADDED" },
  ];
  const cells = documents.map(({ id, title, tags, sizeBytes, lines, addedMs }) => [
    id,
    title ?? "-",
    tags.join(",") || "-",
    readableBytes(sizeBytes),
    String(lines),
    describeAge(addedMs, nowMs),
  ]);
  tellTable(call, columns, cells);
}

interface DocumentRequest {
  readonly collection: string;
  readonly document: string;
  readonly lines: string | undefined;
}

async function showDocument(call: CommandCall, client: Client, request: DocumentRequest): Promise<void> {
  const { collection, document, lines } = request;
  const query = lines === undefined ? "" : `?lines=${lines}`;
  const path = documentPath(collection, document) + query;
  const shown = await callAbout<DocumentText>(client, [collection], { method: "GET", path });
  const { terminal } = call;
  if (call.args.isSet("json")) return terminal.out(JSON.stringify(shown));
  const facts = [
    shown.title ?? "",
    shown.tags.map((tag) => `tag:${tag}`).join(" "),
    `for ${describeProject(shown.project)}`,
  ];
  terminal.err(escapeUnprintable(facts.filter((fact) => fact !== "").join("; ")));
  if (shown.stale) terminal.err("the file has changed since it was indexed");
  const shownLines = shown.text.replace(/\n$/, "").split("\n");
  terminal.out(shownLines.map((line) => escapeUnprintable(line.replaceAll("\t", "    "))).join("\n"));
}

function readLines(text: string | undefined): string | undefined {
  const [, from, to] = /^([1-9]\d{0,8})(?:-([1-9]\d{0,8}))?$/.exec(text ?? "") ?? [];
  if (text === undefined) return undefined;
  if (from !== undefined && Number(to ?? from) >= Number(from)) return text;
  throw new CommandError(EXIT.usage, `--lines must be a range such as 10-30, not ${quote(text)}`);
}
