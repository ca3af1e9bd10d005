/** How full the model's context is after each run -> `pi_context_used_ratio`, for each session. */
import type { Scope } from "../scope.ts";

export function collectContext({ client, on, commonLabels, sessionLabels }: Scope): void {
  on("agent_settled", (_event, ctx) => {
    const usage = ctx.getContextUsage();
    // Right after a compaction the tokens are not known until the next answer.
    if (typeof usage?.tokens !== "number" || usage.contextWindow <= 0) return;
    const labels = { ...commonLabels(ctx), session: sessionLabels(ctx)["session"] };
    client.set("pi_context_used_ratio", labels, usage.tokens / usage.contextWindow);
  });
}
