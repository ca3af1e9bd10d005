/** Tokens and cost of the session, and of all sessions that the daemon knows of -> a text. */
import { parseExposition, type ScrapedFamily } from "../core/parse-exposition.ts";
import { describeRefusal } from "./batch.ts";
import type { Client } from "./client.ts";
import { describeError } from "./stderr.ts";
import { TOKEN_TYPES, type Tokens } from "./session-usage.ts";

const PATH = "/metrics?name[]=pi_tokens_total&name[]=pi_cost_usd_total";

export async function describeUsage(client: Client, session: string): Promise<string> {
  const { usage } = client;
  const isOwn = usage.session === session;
  const own = isOwn ? describe(usage.tokens, usage.costUsd) : "nothing yet";
  const sayWhyNot = (error: unknown): string => `no totals from ${client.state.place}: ${describeError(error)}`;
  const all = await describeDaemon(client).catch(sayWhyNot);
  return `this session, since pi started: ${own}\n${all}`;
}

async function describeDaemon(client: Client): Promise<string> {
  await client.drain();
  const answer = await client.get(PATH);
  const { place } = client.state;
  if (answer.kind === "failure") return `no pi-daemon at ${place}: ${answer.error}`;
  if (answer.status !== 200) return `no totals from ${place}: ${describeRefusal(answer.status, answer.text)}`;
  const families = parseExposition(answer.text);
  const totals = TOKEN_TYPES.map((type) => [type, sum(families, "pi_tokens_total", type)] as const);
  const tokens = Object.fromEntries(totals) as Tokens;
  return `all that the daemon has counted: ${describe(tokens, sum(families, "pi_cost_usd_total"))}`;
}

function sum(families: readonly ScrapedFamily[], name: string, type?: string): number {
  const samples = families.filter((family) => family.name === name).flatMap((family) => family.samples);
  const fitting = samples.filter(({ labels }) => type === undefined || labels.get("type") === type);
  return fitting.reduce((total, { value }) => total + value, 0);
}

function describe(tokens: Tokens, costUsd: number): string {
  const spent = TOKEN_TYPES.filter((type) => tokens[type] > 0);
  const counts = spent.map((type) => `${tokens[type]} ${type.replace("_", " ")}`).join(", ");
  return `${counts || "no"} tokens, $${costUsd.toFixed(4)}`;
}
