/**
 * Calls of tools, which run side by side -> `pi_tool_calls_total`, `pi_tool_duration_seconds`.
 *
 * Not: names that a model made up. They would be labels without bound, and text that nobody meant to send.
 */
import type { Scope } from "../scope.ts";

export function collectTools({ client, on, commonLabels, isKnownTool }: Scope): void {
  const startsMs = new Map<string, number>();

  on("tool_execution_start", ({ toolCallId }) => void startsMs.set(toolCallId, client.clock.monotonicMs()));

  on("tool_execution_end", ({ toolCallId, toolName, isError, durationMs }, ctx) => {
    const startMs = startsMs.get(toolCallId);
    startsMs.delete(toolCallId);
    const labels = { ...commonLabels(ctx), tool: isKnownTool(toolName) ? toolName : "unknown" };
    client.count("pi_tool_calls_total", { ...labels, outcome: isError ? "error" : "ok" });
    const tookMs = durationMs ?? (startMs === undefined ? undefined : client.clock.monotonicMs() - startMs);
    if (tookMs !== undefined) client.observe("pi_tool_duration_seconds", labels, tookMs / 1000);
  });

  on("agent_settled", () => startsMs.clear());
}
