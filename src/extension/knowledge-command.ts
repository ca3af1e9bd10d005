/**
 * `/knowledge WORDS` -> where the knowledge base has something on them; `/knowledge status` -> what is in it.
 *
 * Errors: none thrown; what cannot be reached is said.
 */
import { isAbsolute, relative } from "node:path";
import type { Client } from "./client.ts";
import type { CommandResult } from "./command.ts";
import { type Caller, type Json, callKnowledge, cleanText } from "./knowledge-call.ts";
import { projectIdOf } from "./knowledge-project.ts";

const HITS = 5;
const SNIPPET_CHARACTERS = 200;
const HELP = `/knowledge WORDS: search the notes, documents and sessions of this project, and what is for everyone
/knowledge status: what is indexed`;

export async function runKnowledgeCommand(args: string, client: Client, caller: Caller): Promise<CommandResult> {
  const words = args.trim();
  if (words === "" || words === "help") return { text: HELP, type: "info" };
  return words === "status" ? await showStatus(client) : await search(words, client, caller);
}

async function search(q: string, client: Client, { cwd }: Caller): Promise<CommandResult> {
  const body = { q, project: projectIdOf(cwd), k: HITS };
  const found = await callKnowledge(client, { method: "POST", path: "/api/rag/search", body });
  if (typeof found === "string") return unavailable(found);
  const hits = objectsOf(found["hits"]);
  const texts = hits.map((hit) => describeHit(hit, cwd));
  return { text: [...(hits.length === 0 ? ["nothing fits"] : texts), ...noticesOf(found)].join("\n"), type: "info" };
}

function describeHit(hit: Json, cwd: string): string {
  const { path, collection, id, startLine, endLine, headings, snippet } = hit;
  const place = typeof path === "string" ? shortenPath(path, cwd) : `${String(collection)}/${String(id)}`;
  const under = Array.isArray(headings) && headings.length > 0 ? `  ${headings.map(String).join(" > ")}` : "";
  const excerpt = String(snippet ?? "")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, SNIPPET_CHARACTERS);
  return cleanText(`${place}:${String(startLine)}-${String(endLine)}${under}\n  ${excerpt}`);
}

/** Below the working directory as seen from there. */
function shortenPath(path: string, cwd: string): string {
  const below = relative(cwd, path);
  return below === "" || below.startsWith("..") || isAbsolute(below) ? path : below;
}

async function showStatus(client: Client): Promise<CommandResult> {
  const status = await callKnowledge(client, { method: "GET", path: "/api/rag/status" });
  if (typeof status === "string") return unavailable(status);
  const { documents, chunks, collections, indexing, embeddings } = status;
  const { state, model, error } = (embeddings ?? {}) as Json;
  const vectors = typeof model === "string" ? `${String(state)} (${model})` : String(state ?? "off");
  const lines = [
    `${String(documents)} documents in ${String(collections)} collections, ${String(chunks)} chunks`,
    ...(indexing === true ? ["indexing goes on"] : []),
    `embeddings endpoint: ${vectors}${typeof error === "string" ? `: ${error}` : ""}`,
    ...(Array.isArray(status["problems"]) ? status["problems"].map((problem) => `problem: ${String(problem)}`) : []),
  ];
  return { text: cleanText(lines.join("\n")), type: "info" };
}

function unavailable(reason: string): CommandResult {
  return { text: `the knowledge base is not available: ${cleanText(reason)}`, type: "warning" };
}

function noticesOf(found: Json): string[] {
  return Array.isArray(found["notices"]) ? found["notices"].map((notice) => cleanText(`note: ${String(notice)}`)) : [];
}

function objectsOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter((item): item is Json => typeof item === "object" && item !== null) : [];
}
