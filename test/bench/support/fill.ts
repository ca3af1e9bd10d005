/** Fills servers with series, and the bodies that add to them. */
import type { MeasuredServer } from "./servers.ts";

const BATCH = 1000;

/** The JSON of a post to series `index`: one counter family, three labels. */
export function metricOf(index: number): object {
  return {
    name: "pi_tokens_total",
    type: "counter",
    labels: { session: `0199a7c2-${index}`, model: "claude-sonnet-4", kind: "input" },
    increment: 100 + index,
  };
}

/** Makes `count` series in the daemon. */
export async function fillDaemon(server: MeasuredServer, count: number): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    const metrics = Array.from({ length: Math.min(BATCH, count - from) }, (_, index) => metricOf(from + index));
    const reply = await fetch(`${server.url}/api/metrics/batch`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ metrics }),
    });
    const { success } = (await reply.json()) as { success: number };
    if (success !== metrics.length) throw new Error(`only ${success} of ${metrics.length} series were taken`);
  }
}

/** One body for each of up to 1000 series, spread over all of them. */
export function bodiesOver(count: number): string[] {
  const step = Math.max(1, Math.floor(count / 1000));
  const bodies = [];
  for (let index = 0; index < Math.max(1, count); index += step) bodies.push(JSON.stringify(metricOf(index)));
  return bodies;
}

/** The same series as the text that Pushgateway takes. */
export function pushTextOf(count: number): string {
  const lines = Array.from(
    { length: count },
    (_, index) => `pi_tokens_total{session="0199a7c2-${index}",model="claude-sonnet-4",kind="input"} ${100 + index}`,
  );
  return `# TYPE pi_tokens_total counter\n${lines.join("\n")}\n`;
}
