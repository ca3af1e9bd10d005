/**
 * Compactions -> their tokens, duration, summary length and failures.
 *
 * Pi finds the entry that it tells of by the text of its summary, and may tell of an older one with an equal summary;
 * the leaf of the session is the one just written.
 * Units: tokens after the compaction are pi's own estimate over the messages that are left.
 */
import type { PiCompactionEntry, PiContext, PiEntry, PiMessage } from "../pi.ts";
import type { Scope } from "../scope.ts";
import { estimateTokens } from "../token-estimate.ts";

export function collectCompaction({ client, on, sessionLabels }: Scope): void {
  let startMs: number | undefined;

  on("session_before_compact", () => {
    startMs = client.clock.monotonicMs();
    void estimateTokens();
  });

  on("session_compact", async ({ compactionEntry }, ctx) => {
    const labels = sessionLabels(ctx);
    const endMs = client.clock.monotonicMs();
    const entry = leafCompaction(ctx) ?? compactionEntry;
    const { messages } = ctx.sessionManager.buildSessionProjection();
    if (startMs !== undefined) client.observe("pi_compaction_duration_seconds", labels, (endMs - startMs) / 1000);
    startMs = undefined;
    client.count("pi_compaction_total", labels);
    client.count("pi_compaction_tokens_before", labels, entry.tokensBefore);
    client.set("pi_compaction_summary_length", labels, entry.summary.length);
    const tokensAfter = await estimate(messages);
    if (tokensAfter === undefined) return;
    client.count("pi_compaction_tokens_after", labels, tokensAfter);
    client.count("pi_compaction_tokens_saved", labels, Math.max(0, entry.tokensBefore - tokensAfter));
  });

  on("session_compact_failed", ({ reason, aborted }, ctx) => {
    startMs = undefined;
    client.count("pi_compaction_failed_total", { ...sessionLabels(ctx), reason, aborted: String(aborted) });
  });
}

export function leafCompaction(ctx: PiContext): PiCompactionEntry | undefined {
  const leaf = ctx.sessionManager.getLeafEntry();
  return leaf && isCompaction(leaf) ? leaf : undefined;
}

function isCompaction(entry: PiEntry): entry is PiCompactionEntry {
  return entry.type === "compaction";
}

async function estimate(messages: readonly PiMessage[]): Promise<number | undefined> {
  const estimator = await estimateTokens();
  return estimator && messages.reduce((sum, message) => sum + estimator(message), 0);
}
