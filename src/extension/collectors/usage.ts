/**
 * Tokens and dollars, wherever pi pays them -> `pi_tokens_total`, `pi_cost_usd_total`.
 *
 * Answers of models carry theirs; so do results of tools that called models themselves, summaries of compactions and of
 * branches, and entries of pi's own, which no event tells of: together what pi shows as the usage of the session.
 * Units: reasoning tokens are a part of the output tokens.
 */
import type {
  PiAssistantMessage,
  PiContext,
  PiEntry,
  PiMessage,
  PiToolResultMessage,
  PiUsage,
  PiUsageEntry,
} from "../pi.ts";
import type { Scope } from "../scope.ts";
import { TOKEN_TYPES, type Tokens } from "../session-usage.ts";
import { leafCompaction } from "./compaction.ts";

interface Payer {
  readonly provider: string | undefined;
  readonly model: string | undefined;
}

export function collectUsage({ client, on, commonLabels, isKnownTool }: Scope): void {
  let seenEntries: number | undefined;

  function add(usage: PiUsage | undefined, { provider, model }: Payer, ctx: PiContext): void {
    if (!usage) return;
    const labels = { ...commonLabels(ctx), provider, model };
    const tokens = toTokens(usage);
    for (const type of TOKEN_TYPES) {
      if (tokens[type] > 0) client.count("pi_tokens_total", { ...labels, type }, tokens[type]);
    }
    if (usage.cost.total > 0) client.count("pi_cost_usd_total", labels, usage.cost.total);
    client.usage.add(ctx.sessionManager.getSessionId(), tokens, usage.cost.total);
  }

  /** Entries that came since the last look. */
  function addEntries(ctx: PiContext): void {
    const entries = ctx.sessionManager.getEntries();
    for (const entry of entries.slice(seenEntries ?? entries.length)) if (isUsage(entry)) add(entry.usage, entry, ctx);
    seenEntries = entries.length;
  }

  on("session_start", (_event, ctx) => void (seenEntries ??= ctx.sessionManager.getEntries().length));
  on("message_end", ({ message }, ctx) => {
    if (isAssistant(message)) add(message.usage, message, ctx);
    else if (isToolResult(message)) {
      // What models a tool called is not known.
      const tool = isKnownTool(message.toolName) ? message.toolName : "unknown";
      add(message.usage, { provider: "tool", model: tool }, ctx);
    }
  });
  on("session_compact", ({ compactionEntry }, ctx) => {
    add((leafCompaction(ctx) ?? compactionEntry).usage, currentModel(ctx), ctx);
  });
  on("session_tree", ({ summaryEntry }, ctx) => add(summaryEntry?.usage, currentModel(ctx), ctx));
  on("agent_settled", (_event, ctx) => addEntries(ctx));
  on("session_shutdown", (_event, ctx) => addEntries(ctx));
}

export function isAssistant(message: PiMessage): message is PiAssistantMessage {
  return message.role === "assistant";
}

function isToolResult(message: PiMessage): message is PiToolResultMessage {
  return message.role === "toolResult";
}

function isUsage(entry: PiEntry): entry is PiUsageEntry {
  return entry.type === "usage";
}

function currentModel({ model }: PiContext): Payer {
  return { provider: model?.provider, model: model?.id };
}

function toTokens({ input, output, cacheRead, cacheWrite, reasoning = 0 }: PiUsage): Tokens {
  return { input, output, cache_read: cacheRead, cache_write: cacheWrite, reasoning };
}
