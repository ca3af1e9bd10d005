/**
 * Samples in a buffer -> batches at the daemon, one request at a time, and never in a hurry when it is away.
 *
 * Order: a batch whose outcome is unknown is sent again, unchanged, before anything else; {@link GIVE_UP_MS} after it
 *   was first sent it is counted as unknown and left behind, while the daemon still knows its id.
 * Errors: none thrown; they are told by `state`.
 * Cost: after a failure, waits of 1 s, doubling to a minute; then `GET /health` goes ahead of samples, because a
 *   request that never was sent cannot have an unknown outcome.
 */
import {
  type Batch,
  MAX_BATCH_SAMPLES,
  describeRefusal,
  freezeBatch,
  judge,
  parseObject,
  splitBatch,
} from "./batch.ts";
import type { Clock } from "./clock.ts";
import { DROPPED_NAME, type DropReason, type SampleBuffer } from "./sample-buffer.ts";
import type { Sample } from "./sample.ts";
import { describeError } from "./stderr.ts";
import type { Target } from "./target.ts";
import type { Transport } from "./transport.ts";

/** The daemon keeps ids for 5 minutes. */
const GIVE_UP_MS = 240_000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

export interface SenderSettings {
  readonly maxBufferSize: number;
  readonly flushIntervalMs: number;
  readonly requestTimeoutMs: number;
}

export interface SenderServices {
  readonly buffer: SampleBuffer;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Where a batch goes that was never sent. */
  readonly chooseTarget: () => Target;
  readonly settings: () => SenderSettings;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly debug: (text: string) => void;
}

export interface SenderState {
  /** Samples that the daemon has taken. */
  readonly sent: number;
  /** Samples frozen in batches. */
  readonly inBatches: number;
  readonly lastError: string | undefined;
  /** The last attempt failed. */
  readonly isAway: boolean;
}

/** A batch, and since when and where it may have been counted: it goes to no other daemon, which would not know. */
export interface OpenBatch {
  readonly batch: Batch;
  uncertain: { readonly sinceWallMs: number; readonly sinceMonotonicMs: number; readonly target: Target } | undefined;
}

export interface Sender {
  readonly state: SenderState;
  /** To be called after the buffer was filled. */
  wake(): void;
  /** Sends what there is, unless the daemon is away and it is too early to try again. */
  flush(): void;
  /** Sends what there is, whatever happened before; resolves when all is sent or an attempt has failed. */
  drain(): Promise<void>;
  /** Cancels timers, requests and drains. What was not sent waits for the next `wake`. */
  stop(): void;
  /** Takes over batches, and gives them away. */
  adopt(batches: readonly OpenBatch[]): void;
  release(): OpenBatch[];
}

export function createSender({ buffer, transport, clock, settings, ...services }: SenderServices): Sender {
  let batches: OpenBatch[] = [];
  let running: Promise<void> | undefined;
  let timer: { cancel(): void } | undefined;
  let failures = 0;
  let notBeforeMs = 0;
  let sent = 0;
  let stops = 0;
  let lastError: string | undefined;

  const hasWork = (): boolean => batches.length > 0 || buffer.size > 0;

  function arm(delayMs: number): void {
    timer ??= clock.after(delayMs, () => {
      timer = undefined;
      start();
    });
  }

  function disarm(): void {
    timer?.cancel();
    timer = undefined;
  }

  function start(): void {
    if (running || !hasWork()) return;
    disarm();
    run(() => buffer.size >= settings().maxBufferSize);
  }

  function run(isMoreWanted: () => boolean): Promise<void> {
    running = work(isMoreWanted)
      .catch((error: unknown) => void fail(describeError(error), undefined))
      .then(() => {
        running = undefined;
        if (hasWork()) arm(failures > 0 ? Math.max(0, notBeforeMs - clock.monotonicMs()) : settings().flushIntervalMs);
      });
    return running;
  }

  /** Sends at least once, and goes on while it works and `isMoreWanted`. */
  async function work(isMoreWanted: () => boolean): Promise<void> {
    do {
      if (!(await step())) return;
    } while (batches.length > 0 || isMoreWanted());
  }

  /** Whether it is of use to go on. */
  async function step(): Promise<boolean> {
    leaveOldBatches();
    if (batches.length === 0) {
      if (failures > 0 && !(await probe())) return false;
      const samples = buffer.take(MAX_BATCH_SAMPLES);
      if (samples.length === 0) return false;
      batches.push(toOpen(freezeBatch(samples)));
    }
    return await send(batches[0]!);
  }

  async function probe(): Promise<boolean> {
    const timeoutMs = settings().requestTimeoutMs;
    const answer = await transport.call(services.chooseTarget(), { method: "GET", path: "/health", timeoutMs });
    if (answer.kind === "failure") return fail(answer.error, undefined);
    const isDaemon = typeof parseObject(answer.text)?.["status"] === "string" && [200, 503].includes(answer.status);
    return isDaemon || fail(describeRefusal(answer.status, answer.text), answer.retryAfterMs);
  }

  async function send(open: OpenBatch): Promise<boolean> {
    const { body, samples } = open.batch;
    const earlier = open.uncertain;
    const target = earlier?.target ?? services.chooseTarget();
    // While it is under way it may be counted at any moment, whoever looks.
    open.uncertain ??= { sinceWallMs: clock.wallMs(), sinceMonotonicMs: clock.monotonicMs(), target };
    const timeoutMs = settings().requestTimeoutMs;
    const call = { method: "POST", path: "/api/metrics/batch", body, timeoutMs } as const;
    const verdict = judge(await transport.call(target, call));
    // Given away while it was under way: its outcome is the business of whoever has it now.
    if (!batches.includes(open)) return false;
    switch (verdict.kind) {
      case "delivered":
        failures = 0;
        sent += samples.length - verdict.rejected.length;
        if (verdict.rejected.length > 0)
          reject(
            verdict.rejected.flatMap((at) => samples[at] ?? []),
            verdict.error,
          );
        remove(open);
        return true;
      case "refused":
        reject(samples, verdict.error);
        remove(open);
        return true;
      case "too-large":
        if (samples.length === 1) reject(samples, "a sample is too large");
        batches = [...(samples.length === 1 ? [] : splitBatch(open.batch).map(toOpen)), ...batches.slice(1)];
        return true;
      case "later":
        if (!verdict.isUncertain) open.uncertain = earlier;
        return fail(verdict.error, verdict.retryAfterMs);
    }
  }

  function reject(samples: readonly Sample[], error = "refused"): void {
    dropAll("rejected", samples);
    lastError = error;
    services.debug(`${samples.length} samples were refused: ${error}`);
  }

  /** A lost count of losses is no loss: it would be counted, sent and lost for ever. */
  function dropAll(reason: DropReason, samples: readonly Sample[]): void {
    buffer.drop(reason, samples.filter(({ name }) => name !== DROPPED_NAME).length);
  }

  function remove(open: OpenBatch): void {
    batches = batches.filter((other) => other !== open);
  }

  function fail(error: string, retryAfterMs: number | undefined): false {
    failures++;
    lastError = error;
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS) * (0.5 + services.random() / 2);
    notBeforeMs = clock.monotonicMs() + Math.max(waitMs, Math.min(retryAfterMs ?? 0, LONGEST_WAIT_MS));
    services.debug(`attempt ${failures} failed: ${error}`);
    return false;
  }

  function leaveOldBatches(): void {
    for (const open of batches.filter(isTooOld)) {
      dropAll("unknown", open.batch.samples);
      remove(open);
    }
  }

  /** By both clocks: the monotonic one stands still while the machine sleeps, the other may be set back. */
  function isTooOld({ uncertain }: OpenBatch): boolean {
    if (!uncertain) return false;
    const ageMs = clock.monotonicMs() - uncertain.sinceMonotonicMs;
    return Math.max(ageMs, clock.wallMs() - uncertain.sinceWallMs) >= GIVE_UP_MS;
  }

  return {
    get state() {
      const inBatches = batches.reduce((sum, { batch }) => sum + batch.samples.length, 0);
      return { sent, inBatches, lastError, isAway: failures > 0 };
    },
    wake() {
      if (running) return;
      if (failures > 0) arm(Math.max(0, notBeforeMs - clock.monotonicMs()));
      else if (buffer.size >= settings().maxBufferSize) start();
      else arm(settings().flushIntervalMs);
    },
    flush() {
      if (failures === 0 || clock.monotonicMs() >= notBeforeMs) start();
    },
    async drain() {
      const stopsBefore = stops;
      await running;
      if (stops > stopsBefore || !hasWork()) return;
      disarm();
      await run(hasWork);
    },
    stop() {
      stops++;
      disarm();
      transport.abort();
    },
    adopt: (adopted) => void batches.push(...adopted),
    release() {
      const released = batches;
      batches = [];
      return released;
    },
  };
}

function toOpen(batch: Batch): OpenBatch {
  return { batch, uncertain: undefined };
}
