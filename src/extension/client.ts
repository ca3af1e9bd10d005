/**
 * What the sessions of one pi process share: the buffer, the sender, and what is told of both.
 *
 * A reload evaluates this module again: the new client takes over, by {@link HANDOVER}, what the old one had not sent.
 * Errors: none thrown while recording.
 */
import { type Clock, processClock } from "./clock.ts";
import type { ExtensionConfig } from "./config.ts";
import { METRICS, type MetricName, type MetricShape } from "./metrics.ts";
import type { Labels, Sample } from "./sample.ts";
import { type DropReason, SampleBuffer } from "./sample-buffer.ts";
import { type OpenBatch, type SenderState, createSender } from "./sender.ts";
import { SessionUsage } from "./session-usage.ts";
import { debug } from "./stderr.ts";
import { chooseTarget, describeTarget } from "./target.ts";
import { type Answer, type Call, type Failure, type Transport, createTransport } from "./transport.ts";

export interface Client {
  readonly config: ExtensionConfig;
  readonly clock: Clock;
  /** Whether anything is collected and sent. */
  isOn: boolean;
  /** Ids of the sessions that were counted as started and not yet as ended. */
  readonly openSessions: Set<string>;
  /** Of the current session, as far as this process saw it. */
  readonly usage: SessionUsage;
  readonly state: ClientState;
  /** Each of these adds one sample; labels without a value are left out. */
  count(name: MetricName, labels: OptionalLabels, increment?: number): void;
  set(name: MetricName, labels: OptionalLabels, value: number): void;
  observe(name: MetricName, labels: OptionalLabels, value: number): void;
  add(sample: Sample): void;
  flush(): void;
  /** Sends what there is, whatever happened before; resolves when that is done or an attempt has failed. */
  drain(): Promise<void>;
  /** The last flush of a process: at most a second, after which nothing is under way. */
  finish(): Promise<void>;
  get(path: string): Promise<Answer | Failure>;
  /** Any request, beside the samples; it keeps the process alive until it is answered or its time is over. */
  call(call: Call): Promise<Answer | Failure>;
  configure(config: ExtensionConfig): void;
  release(): HandedOver;
  adopt(handedOver: HandedOver): void;
}

export interface ClientState extends SenderState {
  readonly waiting: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Where new batches go. */
  readonly place: string;
}

type Amount = Pick<Sample, "increment" | "set" | "observe">;

export type OptionalLabels = Readonly<Record<string, string | undefined>>;

export interface HandedOver {
  readonly samples: readonly Sample[];
  readonly batches: readonly OpenBatch[];
  readonly openSessions: readonly string[];
  readonly usage: SessionUsage;
}

const LAST_FLUSH_MS = 1000;
const MAX_VALUE_LENGTH = 200;

export function createClient(
  first: ExtensionConfig,
  clock: Clock = processClock,
  transport: Transport = createTransport(),
): Client {
  let config = first;
  const buffer = new SampleBuffer(first.maxQueuedSamples);
  const sender = createSender({
    buffer,
    transport,
    clock,
    chooseTarget: () => chooseTarget(config),
    settings: () => config,
    random: Math.random,
    debug,
  });
  const openSessions = new Set<string>();
  const usage = new SessionUsage();

  function add(sample: Sample): void {
    if (!client.isOn) return;
    buffer.add(sample);
    sender.wake();
  }

  function record(name: MetricName, labels: OptionalLabels, value: Amount): void {
    const shape: MetricShape = METRICS[name];
    if (!Number.isFinite(value.increment ?? value.set ?? value.observe)) return;
    add({ name, ...shape, labels: cleanLabels(labels), ...value });
  }

  const client: Client = {
    get config() {
      return config;
    },
    clock,
    isOn: first.enabled,
    openSessions,
    usage,
    get state() {
      const { sent, inBatches, lastError, isAway } = sender.state;
      const waiting = buffer.size + inBatches;
      const place = describeTarget(chooseTarget(config));
      return { sent, inBatches, lastError, isAway, waiting, dropped: buffer.dropped, place };
    },
    count: (name, labels, increment = 1) => record(name, labels, { increment: Math.max(0, increment) }),
    set: (name, labels, value) => record(name, labels, { set: value }),
    observe: (name, labels, value) => record(name, labels, { observe: value }),
    add,
    flush() {
      if (client.isOn) sender.flush();
    },
    drain: () => sender.drain(),
    async finish() {
      // Not unref'd: with nothing else to wait for, pi would end in the middle of the flush.
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => void (timer = setTimeout(resolve, LAST_FLUSH_MS)));
      if (client.isOn) await Promise.race([sender.drain(), deadline]);
      clearTimeout(timer);
      sender.stop();
    },
    get: (path) => transport.call(chooseTarget(config), { method: "GET", path, timeoutMs: config.requestTimeoutMs }),
    async call(call) {
      // Nothing of the request itself does, and pi's print mode ends when nothing is left to wait for.
      const hold = setInterval(() => undefined, 60_000);
      try {
        return await transport.call(chooseTarget(config), call);
      } finally {
        clearInterval(hold);
      }
    },
    configure(next) {
      if (next.enabled !== config.enabled) client.isOn = next.enabled;
      config = next;
    },
    release() {
      const batches = sender.release();
      sender.stop();
      return { samples: buffer.take(Infinity), batches, openSessions: [...openSessions], usage };
    },
    adopt({ samples, batches, openSessions: sessions, usage: earlier }) {
      sender.adopt(batches);
      for (const sample of samples) buffer.add(sample);
      for (const session of sessions) openSessions.add(session);
      usage.adopt(earlier);
    },
  };
  return client;
}

/** Where a client waits to be relieved by that of a later evaluation of this module. */
const HANDOVER = Symbol.for("pi-daemon.client.1");
const shared = globalThis as { [HANDOVER]?: Pick<Client, "release"> };
let own: Client | undefined;

/** The client of this process, with this config from now on. */
export function useClient(config: ExtensionConfig): Client {
  if (own) {
    own.configure(config);
    return own;
  }
  own = createClient(config);
  const earlier = shared[HANDOVER];
  shared[HANDOVER] = own;
  if (earlier) own.adopt(earlier.release());
  return own;
}

/** Without what has no value; well-formed and short enough for any daemon. */
function cleanLabels(labels: OptionalLabels): Labels {
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(labels)) {
    if (value) clean[name] = value.slice(0, MAX_VALUE_LENGTH).toWellFormed();
  }
  return clean;
}
