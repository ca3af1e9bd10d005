/** `rag search`: words -> the places that answer them, or a block for a prompt. */
import type { Client } from "../client.ts";
import { escapeUnprintable } from "../core/printable.ts";
import { type Command, type CommandCall, CommandError, EXIT } from "./command.ts";
import { readWholeNumber } from "./numbers.ts";
import { findDaemon } from "./place.ts";
import { callAbout, projectToSearch, readList } from "./rag-calls.ts";
import { describeHit, describeScore } from "./rag-texts.ts";
import type { ContextAnswer, SearchAnswer } from "./rag-views.ts";
import { createPainter } from "./style.ts";

const MODES = ["hybrid", "lexical", "vector"];
/** An embeddings endpoint may have to load its model first. */
const TIMEOUT_MS = 60_000;

export const searchCommand: Command = {
  name: "rag search",
  operands: ["WORDS..."],
  options: [
    { name: "collection", value: "NAME", isRepeatable: true, summary: "only there, whatever the project" },
    {
      name: "project",
      value: "PROJECT",
      summary: "here (with what is for everyone; the default), all, none, or a name",
    },
    { name: "k", short: "k", value: "COUNT", summary: "how many places (10)" },
    { name: "mode", value: "MODE", summary: "hybrid (the default), lexical, vector" },
    { name: "explain", summary: "show what each score is made of" },
    { name: "context", summary: "print one block for a prompt instead, with sources" },
    { name: "budget", value: "TOKENS", summary: "with --context: how long it may be (2000)" },
  ],
  summary: "search what is indexed",
  details:
    'In WORDS: "a phrase", -word for what must not be there, path:docs/*, tag:db, kind:code. What begins with a\n' +
    "dash, and a phrase, need quotes of the shell around all: 'pool -swimming'.",
  examples: [
    "pi-daemon rag search how is the cache invalidated",
    "pi-daemon rag search '\"connection pool\" -test path:src/*' -k 3",
    "pi-daemon rag search deploy --project all --json",
    'pi-daemon rag search "how do we deploy" --context --budget 4000',
  ],
  async run(call) {
    const request = readRequest(call);
    const { client } = await findDaemon(call);
    if (call.args.isSet("context")) await printContext(call, client, request);
    else await printHits(call, client, request);
    return EXIT.ok;
  },
};

interface SearchBody {
  readonly q: string;
  readonly collections?: readonly string[];
}

function readRequest(call: CommandCall): SearchBody {
  const { args } = call;
  const q = args.operands.join(" ").trim();
  if (q === "") throw new CommandError(EXIT.usage, "there is nothing to search for", 'see "pi-daemon help rag search"');
  const collections = readList(args.values("collection"));
  const mode = args.value("mode");
  if (mode !== undefined && !MODES.includes(mode)) {
    throw new CommandError(EXIT.usage, `--mode must be one of ${MODES.join(", ")}`);
  }
  if (args.isSet("budget") && !args.isSet("context")) {
    throw new CommandError(EXIT.usage, "--budget goes with --context", "for the number of places: -k COUNT");
  }
  const project = projectToSearch(call);
  const [k, budget] = [args.value("k"), args.value("budget")];
  return {
    q,
    ...(collections.length > 0 && { collections }),
    ...(project !== undefined && { project }),
    ...(mode !== undefined && { mode }),
    ...(k !== undefined && { k: readWholeNumber("k", k, { fallback: 10, least: 1, most: 100 }) }),
    ...(budget !== undefined && {
      budget: readWholeNumber("budget", budget, { fallback: 2000, least: 100, most: 100_000 }),
    }),
  };
}

async function printContext(call: CommandCall, client: Client, body: SearchBody): Promise<void> {
  const path = "/api/rag/context";
  const options = { method: "POST", path, body, timeoutMs: TIMEOUT_MS };
  const answer = await callAbout<ContextAnswer>(client, body.collections ?? [], options);
  if (call.args.isSet("json")) return call.terminal.out(JSON.stringify(answer));
  if (answer.sources.length > 0) call.terminal.out(answer.context.split("\n").map(printable).join("\n").trimEnd());
  else tellNothing(call);
  tellNotices(call, answer.notices);
}

async function printHits(call: CommandCall, client: Client, request: SearchBody): Promise<void> {
  const body = { ...request, ...(call.args.isSet("explain") && { explain: true }) };
  const options = { method: "POST", path: "/api/rag/search", body, timeoutMs: TIMEOUT_MS };
  const answer = await callAbout<SearchAnswer>(client, request.collections ?? [], options);
  if (call.args.isSet("json")) return call.terminal.out(JSON.stringify(answer));
  const paint = createPainter(call.terminal.outHasColours);
  const blocks = answer.hits.map((hit) => {
    const why = hit.explain === undefined ? [] : [`    ${paint("dim", printable(describeScore(hit.explain)))}`];
    return [...describeHit(hit, paint), ...why].join("\n");
  });
  if (blocks.length > 0) call.terminal.out(blocks.join("\n\n"));
  else tellNothing(call);
  tellNotices(call, answer.notices);
}

function tellNothing({ args, terminal }: CommandCall): void {
  const isNarrow = !args.isSet("project") && !args.isSet("collection");
  terminal.err(`nothing found${isNarrow ? "; --project all searches in every project" : ""}`);
}

function tellNotices({ terminal }: CommandCall, notices: readonly string[]): void {
  for (const notice of notices) terminal.err(`note: ${escapeUnprintable(notice)}`);
}

function printable(text: string): string {
  return escapeUnprintable(text.replaceAll("\t", "  "));
}
