/** `rag note`: a text of a person's own into the knowledge base. */
import { readFileSync } from "node:fs";
import { parseDuration } from "../core/duration.ts";
import { type Command, CommandError, EXIT } from "./command.ts";
import { findDaemon } from "./place.ts";
import { callAbout, collectionPath, projectToAdd, readList } from "./rag-calls.ts";
import { describeProject } from "./rag-texts.ts";
import type { DocumentShown } from "./rag-views.ts";
import { tell } from "./tell.ts";

export const noteCommand: Command = {
  name: "rag note",
  operands: ["TEXT..."],
  options: [
    { name: "title", value: "TITLE", summary: "what it is about" },
    { name: "tags", value: "A,B", isRepeatable: true, summary: "words to find it by: tag:A in a search" },
    {
      name: "project",
      value: "PROJECT",
      summary: "whom it belongs to: here, none (everyone), or a name (else the git repository)",
    },
    { name: "ttl", value: "DURATION", summary: "forget it after this time: 30d" },
    { name: "collection", value: "NAME", summary: "where it is kept (notes)" },
  ],
  summary: "keep a note; - takes it from standard input",
  details: "In a git repository a note belongs to that project, elsewhere to everyone.",
  examples: [
    'pi-daemon rag note "The staging database is reset every Monday" --tags staging,db',
    "git log -1 --format=%B | pi-daemon rag note - --title release --ttl 30d",
  ],
  async run(call) {
    const { args } = call;
    const text = readText(args.operands);
    const ttl = args.value("ttl");
    const title = args.value("title");
    const project = projectToAdd(call, process.cwd());
    const body = {
      text,
      tags: readList(args.values("tags")),
      ...(title !== undefined && { title }),
      ...(project !== null && { project }),
      ...(ttl !== undefined && { ttlMs: readDuration(ttl) }),
    };
    const { client } = await findDaemon(call);
    const collection = args.value("collection") ?? "notes";
    const path = `${collectionPath(collection)}/documents`;
    const kept = await callAbout<DocumentShown>(client, [], { method: "POST", path, body });
    tell(call, kept, `kept as ${kept.collection}/${kept.id}, for ${describeProject(kept.project)}`);
    return EXIT.ok;
  },
};

function readText(operands: readonly string[]): string {
  const text = operands.length === 1 && operands[0] === "-" ? readFileSync(0, "utf8") : operands.join(" ");
  if (text.trim() !== "") return text;
  throw new CommandError(EXIT.usage, "the note is empty", 'write it behind the command, or "-" to take standard input');
}

function readDuration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new CommandError(EXIT.usage, (error as Error).message, "for example: --ttl 30d");
  }
}
