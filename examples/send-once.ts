/**
 * Sends a batch that counts once, however often it has to be sent: `node --experimental-strip-types examples/send-once.ts`.
 *
 * When an answer is lost nobody knows whether the batch has arrived. With a requestId one just sends again: the daemon answers 409
 * when it had.
 */
import { randomUUID } from "node:crypto";

const url = process.env["PI_DAEMON_URL"] ?? "http://127.0.0.1:9876";
const ATTEMPTS = 5;

async function sendOnce(metrics: readonly object[]): Promise<"counted" | "had been counted"> {
  const body = JSON.stringify({ requestId: randomUUID(), metrics });
  for (let attempt = 1; ; attempt++) {
    try {
      const reply = await fetch(`${url}/api/metrics/batch`, { method: "POST", headers: { "content-type": "application/json" }, body });
      if (reply.status === 409) return "had been counted";
      const answer = (await reply.json()) as { failed?: { name: string; error: string }[]; error?: string };
      if (reply.ok) {
        for (const { name, error } of answer.failed ?? []) console.error(`${name} does not count: ${error}`);
        return "counted";
      }
      if (reply.status < 500 && reply.status !== 429) throw new TypeError(answer.error);
    } catch (error) {
      if (error instanceof TypeError && !("cause" in error)) throw error;
      if (attempt === ATTEMPTS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** attempt));
  }
}

console.log(await sendOnce([
  { name: "builds_total", type: "counter", labels: { project: "web" } },
  { name: "build_seconds", type: "histogram", labels: { project: "web" }, observe: 12.5 },
]));
