/**
 * Rounds of load, a kill in the middle, and the question whether every batch counts exactly once.
 *
 * Each batch adds to a counter and to a histogram, under a requestId of its own. A batch is acknowledged (200), or its
 * outcome is unknown (the connection broke); sent again later it must be taken (200) or be known already (409).
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type DaemonChild, startDaemonChild, writeConfig } from "./daemon-child.ts";
import type { Random } from "./random.ts";
import { tempDir } from "./temp-dir.ts";

export interface CrashOptions {
  readonly random: Random;
  readonly rounds: number;
  readonly storage: Readonly<Record<string, unknown>>;
  /**
   * Done to the data directory between the kill and the next start; says what it did. Nothing, when absent or
   * `undefined`.
   */
  readonly damage?: (dataDir: string, random: Random) => string | undefined;
}

interface Batch {
  readonly id: string;
  readonly worker: number;
  readonly amount: number;
  acknowledged: boolean;
}

const WORKERS = 8;

export async function runCrashRounds(t: TestContext, options: CrashOptions): Promise<void> {
  const directory = tempDir(t);
  const dataDir = join(directory, "data");
  const config = writeConfig(join(directory, "config.json"), { dataDir, storage: options.storage });
  const batches: Batch[] = [];
  let daemon = await startDaemonChild(config);
  t.after(() => daemon.kill());

  for (let round = 0; round < options.rounds; round++) {
    const killed = new Promise<void>((resolve) =>
      setTimeout(() => void daemon.kill().then(resolve), options.random.int(20, 250)),
    );
    await Promise.all([
      killed,
      ...Array.from({ length: WORKERS }, (_, worker) =>
        sendUntilKilled(daemon, { worker, round, batches, random: options.random }),
      ),
    ]);
    const damage = options.damage?.(dataDir, options.random);
    daemon = await startDaemonChild(config);
    const context = `round ${round}${damage === undefined ? "" : `, ${damage}`}\n${daemon.log()}`;
    checkBounds(await readTotals(daemon), batches, { damaged: damage !== undefined, context });
    await sendAgain(daemon, damage === undefined ? batches.filter((batch) => !batch.acknowledged) : batches);
    assert.deepEqual(await readTotals(daemon), totalsOf(batches), `after sending again, ${context}`);
    t.diagnostic(`round ${round}: ${batches.length} batches so far${damage === undefined ? "" : `; ${damage}`}`);
  }
}

async function sendUntilKilled(
  daemon: DaemonChild,
  { worker, round, batches, random }: { worker: number; round: number; batches: Batch[]; random: Random },
): Promise<void> {
  for (let turn = 0; ; turn++) {
    const batch: Batch = { id: `${round}-${worker}-${turn}`, worker, amount: random.int(1, 9), acknowledged: false };
    batches.push(batch);
    const status = await send(daemon, batch).catch(() => undefined);
    if (status === undefined) return;
    assert.equal(status, 200);
    batch.acknowledged = true;
  }
}

async function send(daemon: DaemonChild, { id, worker, amount }: Batch): Promise<number> {
  const labels = { worker: String(worker) };
  const metrics = [
    { name: "sent_total", type: "counter", labels, increment: amount },
    { name: "sent_amount", type: "histogram", labels, observe: amount },
  ];
  const reply = await fetch(`${daemon.url}/api/metrics/batch`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ requestId: id, metrics }),
  });
  await reply.arrayBuffer();
  return reply.status;
}

async function sendAgain(daemon: DaemonChild, batches: readonly Batch[]): Promise<void> {
  for (let from = 0; from < batches.length; from += 32) {
    await Promise.all(
      batches.slice(from, from + 32).map(async (batch) => {
        const status = await send(daemon, batch);
        assert.ok(status === 200 || status === 409, `sent again: ${status}`);
        batch.acknowledged = true;
      }),
    );
  }
}

/** By worker: what the counter says, and how many observations the histogram has. */
type Totals = Record<string, { amount: number; count: number }>;

async function readTotals(daemon: DaemonChild): Promise<Totals> {
  const text = await (await fetch(`${daemon.url}/metrics`)).text();
  const totals: Totals = {};
  for (const [, worker, value] of text.matchAll(/^sent_total\{worker="(\d)"\} (\S+)$/gm))
    totals[worker!] = { amount: Number(value), count: 0 };
  for (const [, worker, value] of text.matchAll(/^sent_amount_count\{worker="(\d)"\} (\S+)$/gm))
    totals[worker!]!.count = Number(value);
  return totals;
}

function totalsOf(batches: readonly Batch[]): Totals {
  const totals: Totals = {};
  for (const { worker, amount } of batches) {
    const total = (totals[String(worker)] ??= { amount: 0, count: 0 });
    total.amount += amount;
    total.count++;
  }
  return totals;
}

/** acknowledged <= exposed <= sent; what damage took may be missing, but never is there more than was sent. */
function checkBounds(
  exposed: Totals,
  batches: readonly Batch[],
  { damaged, context }: { damaged: boolean; context: string },
): void {
  const least = totalsOf(damaged ? [] : batches.filter(({ acknowledged }) => acknowledged));
  const most = totalsOf(batches);
  for (const worker of Object.keys(most)) {
    const { amount, count } = exposed[worker] ?? { amount: 0, count: 0 };
    assert.ok(
      amount >= (least[worker]?.amount ?? 0) && amount <= most[worker]!.amount,
      `worker ${worker}: ${least[worker]?.amount} <= ${amount} <= ${most[worker]!.amount}, ${context}`,
    );
    assert.ok(
      count >= (least[worker]?.count ?? 0) && count <= most[worker]!.count,
      `worker ${worker}: count ${count}, ${context}`,
    );
  }
}
