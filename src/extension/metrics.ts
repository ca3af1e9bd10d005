/**
 * The metrics that the extension sends: names, types and buckets, once.
 *
 * Units: seconds, tokens, dollars, characters.
 */
export interface MetricShape {
  readonly type: "counter" | "gauge" | "histogram";
  readonly buckets?: readonly number[];
}

const MINUTES = [1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600];
const RESPONSES = [0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300];
const TOOLS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600];

export const METRICS = {
  pi_compaction_tokens_before: { type: "counter" },
  pi_compaction_tokens_after: { type: "counter" },
  pi_compaction_tokens_saved: { type: "counter" },
  pi_compaction_summary_length: { type: "gauge" },
  pi_compaction_duration_seconds: { type: "histogram", buckets: MINUTES },
  pi_compaction_total: { type: "counter" },
  pi_compaction_failed_total: { type: "counter" },
  pi_sessions_started: { type: "counter" },
  pi_sessions_ended: { type: "counter" },
  pi_tokens_total: { type: "counter" },
  pi_cost_usd_total: { type: "counter" },
  pi_prompts_total: { type: "counter" },
  pi_turns_total: { type: "counter" },
  pi_agent_runs_total: { type: "counter" },
  pi_agent_run_duration_seconds: { type: "histogram", buckets: MINUTES },
  pi_response_duration_seconds: { type: "histogram", buckets: RESPONSES },
  pi_provider_errors_total: { type: "counter" },
  pi_user_wait_seconds_total: { type: "counter" },
  pi_tool_calls_total: { type: "counter" },
  pi_tool_duration_seconds: { type: "histogram", buckets: TOOLS },
  pi_context_used_ratio: { type: "gauge" },
  pi_extension_dropped_total: { type: "counter" },
} as const satisfies Readonly<Record<string, MetricShape>>;

export type MetricName = keyof typeof METRICS;
