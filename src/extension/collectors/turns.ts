/**
 * Prompts, turns, runs of the agent, answers of models and waits for the person -> counts and durations.
 *
 * A run lasts from the first start of the agent until it has settled, retries and queued prompts included. An answer is
 * timed from the start of its turn; one that failed is counted by what went wrong.
 */
import { classifyError } from "../provider-error.ts";
import type { Scope } from "../scope.ts";
import { isAssistant } from "./usage.ts";

export function collectTurns({ client, on, commonLabels }: Scope): void {
  const nowMs = client.clock.monotonicMs;
  let runStartMs: number | undefined;
  let turnStartMs: number | undefined;
  let promptStartMs: number | undefined;
  let lastStopReason: string | undefined;

  on("input", ({ source }, ctx) => client.count("pi_prompts_total", { ...commonLabels(ctx), source }));

  on("agent_start", () => void (runStartMs ??= nowMs()));

  on("agent_settled", ({ aborted }, ctx) => {
    if (runStartMs === undefined) return;
    const labels = commonLabels(ctx);
    client.count("pi_agent_runs_total", { ...labels, outcome: aborted ? "aborted" : outcomeOf(lastStopReason) });
    client.observe("pi_agent_run_duration_seconds", labels, (nowMs() - runStartMs) / 1000);
    runStartMs = turnStartMs = lastStopReason = undefined;
  });

  on("turn_start", (_event, ctx) => {
    turnStartMs = nowMs();
    client.count("pi_turns_total", commonLabels(ctx));
  });

  on("message_end", ({ message }, ctx) => {
    if (!isAssistant(message)) return;
    const { provider, model, stopReason } = message;
    const labels = { ...commonLabels(ctx), provider, model };
    lastStopReason = stopReason;
    if (stopReason === "error") {
      client.count("pi_provider_errors_total", { ...labels, class: classifyError(message.errorMessage ?? "") });
    } else if (stopReason !== "aborted" && turnStartMs !== undefined) {
      client.observe("pi_response_duration_seconds", labels, (nowMs() - turnStartMs) / 1000);
    }
    turnStartMs = undefined;
  });

  on("ui_prompt_start", () => void (promptStartMs = nowMs()));

  on("ui_prompt_end", ({ kind }, ctx) => {
    if (promptStartMs === undefined) return;
    client.count("pi_user_wait_seconds_total", { ...commonLabels(ctx), kind }, (nowMs() - promptStartMs) / 1000);
    promptStartMs = undefined;
  });
}

function outcomeOf(stopReason: string | undefined): string {
  return stopReason === "error" || stopReason === "aborted" ? stopReason : "completed";
}
