/**
 * Increments of a counter, sent by many at once, and what became of each: acknowledged, refused, or unknown because no
 * answer came.
 *
 * What the daemon exposes must then lie between what it acknowledged and that plus what is unknown: now, and after any
 * restart.
 */
import assert from "node:assert/strict";

const WORKERS = 8;

interface Target {
  fetch(path: string): Promise<Response>;
  post(path: string, body: unknown): Promise<Response>;
}

export class Tally {
  acknowledged = 0;
  unknown = 0;
  /** How many requests were refused, as they should be. */
  refused = 0;
  readonly #name: string;
  #sent = 0;
  /** The ids of what was not acknowledged. */
  readonly #open = new Set<string>();
  /** The ids of what was. */
  readonly #settled = new Set<string>();

  readonly #otherRefusals: readonly number[];

  /** `otherRefusals`: statuses beside 503 with which requests may be refused. */
  constructor(name = "tally_total", otherRefusals: readonly number[] = []) {
    this.#name = name;
    this.#otherRefusals = otherRefusals;
  }

  /** Sends one increment of 1 in a batch with an id; answers the status, `undefined` when no answer came. */
  async send(target: Target): Promise<number | undefined> {
    const id = `${this.#name}-${this.#sent++}`;
    this.#open.add(id);
    const outcome = await this.#post(target, id).catch(() => undefined);
    if (outcome === undefined) this.unknown++;
    else if (outcome.status === 200) this.#settle(id);
    else {
      this.refused++;
      if (this.#otherRefusals.includes(outcome.status)) return outcome.status;
      assert.equal(outcome.status, 503, outcome.text);
      assert.equal((JSON.parse(outcome.text) as { code: string }).code, "UNAVAILABLE");
      assert.match(outcome.retryAfter ?? "", /^\d+$/);
    }
    return outcome?.status;
  }

  /** Sends again what was not acknowledged, with the ids that it had: now all of it counts, once. */
  async sendAgain(target: Target): Promise<void> {
    const ids = [...this.#open].values();
    const work = async (): Promise<void> => {
      for (const id of ids) {
        const { status, text } = await this.#post(target, id);
        assert.ok(status === 200 || status === 409, `${status} ${text}`);
        this.#settle(id);
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
    this.unknown = this.refused = 0;
    assert.equal(await this.exposed(target), this.acknowledged, "after sending again");
  }

  async #post(target: Target, requestId: string): Promise<{ status: number; text: string; retryAfter: string | null }> {
    const labels = { worker: String(Number(requestId.split("-").at(-1)) % 10) };
    const metrics = [{ name: this.#name, type: "counter", labels }];
    const reply = await target.post("/api/metrics/batch", { requestId, metrics });
    return { status: reply.status, text: await reply.text(), retryAfter: reply.headers.get("retry-after") };
  }

  #settle(id: string): void {
    this.acknowledged++;
    this.#open.delete(id);
    this.#settled.add(id);
  }

  /** The ids of all that has been acknowledged so far. */
  acknowledgedIds(): readonly string[] {
    return [...this.#settled];
  }

  /** Sends batches with these ids again; answers how many the daemon had forgotten, which now count again. */
  async countForgotten(target: Target, ids: readonly string[]): Promise<number> {
    let forgotten = 0;
    for (const id of ids) {
      const { status, text } = await this.#post(target, id);
      assert.ok(status === 200 || status === 409, `${status} ${text}`);
      if (status === 200) forgotten++;
    }
    return forgotten;
  }

  /** Sends from `workers` at once as long as `goesOn` says so. */
  async sendWhile(target: Target, goesOn: (status: number | undefined) => boolean, workers = WORKERS): Promise<void> {
    let isOver = false;
    const work = async (): Promise<void> => {
      while (!isOver) if (!goesOn(await this.send(target))) isOver = true;
    };
    await Promise.all(Array.from({ length: workers }, work));
  }

  /** What the daemon exposes of it. */
  async exposed(target: Target): Promise<number> {
    const reply = await target.fetch("/metrics");
    assert.equal(reply.status, 200);
    let sum = 0;
    const line = new RegExp(`^${this.#name}\\{[^}]*\\} (\\S+)$`, "gm");
    for (const [, value] of (await reply.text()).matchAll(line)) sum += Number(value);
    return sum;
  }

  /** Fails unless all that was acknowledged is there, and nothing counts that was not sent. */
  async check(target: Target): Promise<void> {
    const exposed = await this.exposed(target);
    assert.ok(exposed >= this.acknowledged, `acknowledged ${this.acknowledged}, exposed only ${exposed}`);
    const most = this.acknowledged + this.#open.size;
    assert.ok(exposed <= most, `exposed ${exposed}, though only ${most} can have been counted`);
  }
}

/** Waits until `isTrue`, looking every 10 ms; fails after `timeoutMs`. */
export async function until(isTrue: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    assert.ok(performance.now() < endMs, `not true after ${timeoutMs} ms: ${isTrue.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
