/** A transport whose answers a test gives, one call after the other, and a daemon behind it that counts. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ExtensionConfig } from "../../src/extension/config.ts";
import type { Sample } from "../../src/extension/sample.ts";
import type { Target } from "../../src/extension/target.ts";
import type { Answer, Call, Failure, Transport } from "../../src/extension/transport.ts";

export interface FakeTransport extends Transport {
  /** Every call so far. */
  readonly calls: (Call & { readonly target: Target })[];
  /** Decides the answer to a call; the default is that of a daemon that takes everything. */
  respond: (call: Call) => Answer | Failure | Promise<Answer | Failure>;
  aborts: number;
}

export function fakeTransport(): FakeTransport {
  const transport: FakeTransport = {
    calls: [],
    aborts: 0,
    respond: acceptAll,
    async call(target, call) {
      transport.calls.push({ ...call, target });
      return await transport.respond(call);
    },
    abort: () => void transport.aborts++,
  };
  return transport;
}

export function acceptAll(call: Call): Answer {
  if (call.path === "/health") return answer(200, { status: "ok", version: "1", uptime: 1 });
  return answer(200, { success: samplesOf(call).length, failed: [] });
}

export function answer(status: number, body: unknown, retryAfterMs?: number): Answer {
  return { kind: "answer", status, text: JSON.stringify(body), retryAfterMs };
}

export function failure(mayHaveArrived: boolean): Failure {
  return { kind: "failure", mayHaveArrived, error: mayHaveArrived ? "cut" : "refused" };
}

export function samplesOf(call: Pick<Call, "body">): Sample[] {
  return (JSON.parse(call.body ?? '{"metrics":[]}') as { metrics: Sample[] }).metrics;
}

/** Long enough for all that waits for nothing but promises. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
}

export function testConfig(fields: Partial<ExtensionConfig> = {}): ExtensionConfig {
  return {
    daemonUrl: new URL("http://127.0.0.1:9876"),
    token: undefined,
    socketPath: undefined,
    maxBufferSize: 50,
    maxQueuedSamples: 10_000,
    flushIntervalMs: 5000,
    requestTimeoutMs: 2000,
    enabled: true,
    footer: true,
    metrics: { compaction: true, sessions: true, usage: true, turns: true, tools: true, context: true },
    labels: { session: false, project: false },
    knowledge: { search: true, add: false, tokens: 2000, timeoutMs: 2000 },
    ...fields,
  };
}
