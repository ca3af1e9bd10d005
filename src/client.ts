/**
 * Turns calls into requests to a daemon and its answers into typed values.
 *
 * Errors: UnreachableError when nothing answers, {@link DaemonError} for an answer that is a refusal.
 */
import type { MetricType } from "./core/names.ts";
import type { Issue } from "./core/validate.ts";
import { type Address, type Answer, callHttp, placeOf } from "./system/http-call.ts";

export { type Answer, UnreachableError } from "./system/http-call.ts";

/** Where a daemon is: its socket (no token needed), or its URL. */
export type DaemonAddress =
  { readonly socketPath: string } | { readonly url: string; readonly token?: string | undefined };

export interface Health {
  readonly status: "ok" | "degraded";
  /** Seconds. */
  readonly uptime: number;
  readonly version: string;
  /** What is not well, in sentences. */
  readonly reasons?: readonly string[];
}

export interface Stats {
  readonly version: string;
  readonly pid: number;
  readonly nodeVersion: string;
  /** Seconds. */
  readonly uptime: number;
  /** Bytes, as `process.memoryUsage()` tells them. */
  readonly memory: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly connections: number;
  readonly series: number;
  /** What each running plugin tells of itself. */
  readonly plugins: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What a reload changed at once, and what waits for a restart: paths of the config. */
export interface ReloadResult {
  readonly live: readonly string[];
  readonly needsRestart: readonly string[];
}

/** One event of a metric, as `POST /api/metrics` takes it. */
export interface MetricEvent {
  readonly name: string;
  readonly type: MetricType;
  readonly labels?: Readonly<Record<string, string>>;
  readonly increment?: number;
  readonly set?: number;
  readonly delta?: number;
  readonly observe?: number;
  /** Milliseconds since the epoch. */
  readonly timestamp?: number;
  readonly help?: string;
  readonly unit?: string;
  readonly buckets?: readonly number[];
  readonly exemplar?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly value: number;
    readonly timestamp?: number;
  };
}

export interface BatchResult {
  readonly success: number;
  readonly failed: readonly BatchFailure[];
}

export interface BatchFailure {
  readonly index: number;
  /** `null` where the item had none that can be told. */
  readonly name: string | null;
  readonly code: string;
  readonly error: string;
}

export interface RegisteredMetric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string | null;
  readonly series: number;
  /** When the last sample came, and the time that it gave itself; `null` for the daemon's own metrics. */
  readonly lastUpdateMs: number | null;
  readonly lastTimestampMs: number | null;
  readonly source: "client" | "daemon";
}

export interface RegistryPage {
  readonly metrics: readonly RegisteredMetric[];
  readonly total: number;
  /** What to ask for as `after` to get the next page. */
  readonly next: string | null;
}

/** A job as the API shows it. Instants are milliseconds since the epoch. */
export interface JobShown {
  readonly name: string;
  readonly kind: string | null;
  readonly description: string | null;
  /** "config", "api", or the path of a file. */
  readonly source: string;
  readonly enabled: boolean;
  readonly tags: readonly string[];
  readonly schedule: string | null;
  /** The schedule in English. */
  readonly scheduleText: string | null;
  readonly timeZone: string;
  readonly paused: { readonly sinceMs: number; readonly note: string; readonly by: string } | null;
  /** Why it cannot run, when it cannot. */
  readonly problem: string | null;
  readonly running: readonly number[];
  readonly queued: readonly number[];
  readonly nextRunMs: number | null;
  readonly last: RunShown | null;
  readonly lastOkMs: number | null;
  /** In a row. */
  readonly failures: number;
}

export interface RunShown {
  readonly id: number;
  readonly job: string;
  readonly state: string;
  readonly trigger: string;
  readonly createdMs: number;
  readonly slotMs?: number;
  /** Of slots in a row that did not run. */
  readonly count?: number;
  readonly isAtLeast?: boolean;
  readonly reason?: string;
  readonly startedMs?: number;
  readonly endedMs?: number;
  readonly durationMs?: number;
  readonly attempts?: number;
  readonly exitCode?: number;
  readonly signal?: string;
  readonly httpStatus?: number;
  readonly error?: string;
  readonly note?: string;
  /** Of an agent. */
  readonly usage?: { readonly costUsd: number; readonly finalText: string };
  readonly stdout?: { readonly text: string };
  readonly stderr?: { readonly text: string };
}

export interface CallOptions {
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly accept?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Takes the body of a good answer as it comes. */
  readonly onPiece?: (piece: Buffer) => void;
}

export interface Client {
  /** The address for people: a URL or the path of the socket. */
  readonly place: string;
  /** Any request; answers of every status are returned. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Any request whose good answer is text, handed on as it comes. */
  stream(path: string, onPiece: (piece: Buffer) => void, options?: CallOptions): Promise<void>;
  /** Any request whose answer is JSON. */
  json<T>(method: string, path: string, options?: CallOptions): Promise<T>;
  /** Also of a daemon that is not well (status 503). */
  health(options?: CallOptions): Promise<Health>;
  stats(): Promise<Stats>;
  /** The effective config, secrets hidden. */
  config(): Promise<unknown>;
  reload(): Promise<ReloadResult>;
  /** The archive of all durable state, handed on as it comes. */
  backup(onPiece: (piece: Buffer) => void): Promise<void>;
  /** The exposition in the Prometheus text format. */
  metricsText(): Promise<string>;
  send(event: MetricEvent): Promise<void>;
  sendBatch(events: readonly MetricEvent[], requestId?: string): Promise<BatchResult>;
  registry(query?: { prefix?: string; limit?: number; after?: string }): Promise<RegistryPage>;
  /** Drops a family, or those of its series that have all the labels; answers how many series went. */
  drop(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

/** The daemon's refusal: `{error, code, details}`; code `UNKNOWN` when whatever answered is no pi-daemon. */
export class DaemonError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: readonly Issue[] | Readonly<Record<string, unknown>>;

  constructor(status: number, refusal: { error: string; code: string; details?: DaemonError["details"] }) {
    super(refusal.error);
    this.status = status;
    this.code = refusal.code;
    this.details = refusal.details ?? {};
  }
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** For what may take long on a slow machine: all series, a config with many files. */
const LONG_TIMEOUT_MS = 60_000;
const BACKUP_TIMEOUT_MS = 3_600_000;

/** A client of the daemon at the address. Throws TypeError for a URL that is none of http or https. */
export function createClient(at: DaemonAddress): Client {
  const address: Address = "url" in at ? { url: parseUrl(at.url), token: at.token } : at;

  function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const { accept = "application/json", timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    return callHttp(address, { ...options, method, path, accept, timeoutMs });
  }

  async function json<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
    return readJson(await call(method, path, options)) as T;
  }

  return {
    place: placeOf(address),
    call,
    json,
    async stream(path, onPiece, options) {
      accepted(await call("GET", path, { ...options, accept: "text/plain", onPiece }));
    },
    async health(options) {
      const answer = await call("GET", "/health", options);
      const health = readJson(answer.status === 503 ? { ...answer, status: 200 } : answer) as Partial<Health>;
      if (typeof health.version !== "string" || typeof health.uptime !== "number") throw notPiDaemon(answer);
      return health as Health;
    },
    stats: () => json("GET", "/admin/stats"),
    config: () => json("GET", "/config"),
    reload: () => json("POST", "/admin/reload", { timeoutMs: LONG_TIMEOUT_MS }),
    async backup(onPiece) {
      const options = { accept: "application/gzip", timeoutMs: BACKUP_TIMEOUT_MS, onPiece };
      accepted(await call("GET", "/admin/backup", options));
    },
    async metricsText() {
      const answer = await call("GET", "/metrics", { accept: "text/plain; version=0.0.4", timeoutMs: LONG_TIMEOUT_MS });
      return accepted(answer).text;
    },
    async send(event) {
      accepted(await call("POST", "/api/metrics", { body: event }));
    },
    sendBatch: (metrics, requestId) =>
      json("POST", "/api/metrics/batch", { body: requestId === undefined ? { metrics } : { requestId, metrics } }),
    registry: (query = {}) => json("GET", "/api/metrics/registry" + toQuery(query)),
    async drop(name, labels = {}) {
      const path = `/api/metrics/${encodeURIComponent(name)}${toQuery(labels)}`;
      return (await json<{ dropped: number }>("DELETE", path)).dropped;
    },
  };
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  const expected = "expected something like http://127.0.0.1:9876";
  throw new TypeError(`Cannot use ${JSON.stringify(text)} as an address: ${expected}`);
}

function accepted(answer: Answer): Answer {
  if (answer.status >= 200 && answer.status <= 299) return answer;
  const refusal = parseObject(answer.text);
  if (typeof refusal?.["error"] !== "string" || typeof refusal["code"] !== "string") throw notPiDaemon(answer);
  throw new DaemonError(answer.status, refusal as unknown as { error: string; code: string });
}

function readJson(answer: Answer): unknown {
  const value = parseObject(accepted(answer).text);
  if (value === undefined) throw notPiDaemon(answer);
  return value;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function notPiDaemon({ status }: Answer): DaemonError {
  return new DaemonError(status, { error: `what answers (status ${status}) is no pi-daemon`, code: "UNKNOWN" });
}

function toQuery(values: Readonly<Record<string, string | number>>): string {
  const pairs = Object.entries(values).map(([name, value]): [string, string] => [name, String(value)]);
  return pairs.length === 0 ? "" : "?" + new URLSearchParams(pairs).toString();
}
