/**
 * What the metrics plugin keeps for good, and the events that change it.
 *
 * An event of samples is written as the very bytes that the client sent, behind a short header; what the header adds is
 * what the bytes alone do not say: when they came, which items were refused, and which buckets a new histogram was
 * given.
 *
 * Units: `nowMs` is running time: it goes on while the daemon runs and stands still while it does not.
 */
import type { LabelSet } from "../../core/label-set.ts";
import type { MetricType } from "../../core/names.ts";
import { Registry, type RegistryJson } from "../../core/registry.ts";
import type { Sample, Series } from "../../core/series.ts";
import type { StoreDefinition } from "../../system/store.ts";
import { RequestIds } from "./request-ids.ts";
import { toSample } from "./sample.ts";

export interface MetricsState {
  readonly registry: Registry;
  readonly requestIds: RequestIds;
  /** The running time of the last event. */
  nowMs: number;
}

export interface Moment {
  readonly nowMs: number;
  readonly wallMs: number;
}

export interface SamplesEvent extends Moment {
  readonly kind: "metric" | "batch";
  /** The body as it was sent. */
  readonly raw: Buffer;
  readonly samples: readonly Sample[];
  /** The series that hold a place for the samples, one for one; absent in an event read from disk. */
  readonly series: readonly Series[] | undefined;
  readonly requestId: string | undefined;
  readonly extra: SamplesExtra | undefined;
}

/** What the bytes of the body do not say. */
export interface SamplesExtra {
  /** Indexes of the items of a batch that do not count. */
  readonly refused?: readonly number[];
  /** The buckets of histograms that this event may found, by name. */
  readonly buckets?: Readonly<Record<string, readonly number[]>>;
}

export interface DropEvent extends Moment {
  readonly kind: "drop";
  readonly name: string;
  readonly labels: LabelSet;
}

export interface ExpireEvent extends Moment {
  readonly kind: "expire";
  readonly cutoffMs: Readonly<Record<MetricType, number>>;
}

export type MetricsEvent = SamplesEvent | DropEvent | ExpireEvent;

/** First bytes of a record; the order is the format's. */
const KINDS = ["metric", "batch", "drop", "expire"] as const;
/** kind (1), length of the extra (4), nowMs (8), wallMs (8). */
const HEADER_BYTES = 21;

/** The definition of the store behind `registry`, which holds the clients' families of this state. */
export function metricsStore(registry: Registry): StoreDefinition<MetricsState, MetricsEvent> {
  const initial = (): MetricsState => {
    registry.dropClients();
    return { registry, requestIds: new RequestIds(), nowMs: 0 };
  };
  return {
    version: 1,
    initial,
    apply,
    encode,
    decode,
    snapshot,
    restore: (pieces) => restore(initial(), pieces),
  };
}

function apply(state: MetricsState, event: MetricsEvent): void {
  state.nowMs = Math.max(state.nowMs, event.nowMs);
  if (event.kind === "drop") state.registry.drop(event.name, event.labels);
  else if (event.kind === "expire") state.registry.expire(event.cutoffMs);
  else applySamples(state, event);
}

function applySamples({ registry, requestIds }: MetricsState, event: SamplesEvent): void {
  const { samples, series } = event;
  for (let index = 0; index < samples.length; index++) {
    const sample = samples[index]!;
    const target = series === undefined ? registry.reserveAccepted(sample) : series[index];
    if (target !== undefined) registry.apply(sample, target, event);
  }
  if (event.requestId !== undefined) requestIds.add(event.requestId, event.nowMs);
}

function encode(event: MetricsEvent): readonly Uint8Array[] {
  if (event.kind === "metric" || event.kind === "batch") {
    if (event.extra === undefined) return [encodeHeader(event, 0), event.raw];
    const extra = Buffer.from(JSON.stringify(event.extra));
    return [encodeHeader(event, extra.length), extra, event.raw];
  }
  const { kind: _kind, nowMs: _nowMs, wallMs: _wallMs, ...content } = event;
  return [encodeHeader(event, 0), Buffer.from(JSON.stringify(content))];
}

function encodeHeader(event: MetricsEvent, extraBytes: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header[0] = KINDS.indexOf(event.kind);
  header.writeUInt32LE(extraBytes, 1);
  header.writeDoubleLE(event.nowMs, 5);
  header.writeDoubleLE(event.wallMs, 13);
  return header;
}

function decode(bytes: Buffer): MetricsEvent {
  const kind = KINDS[bytes[0]!];
  if (kind === undefined) throw new TypeError(`unknown kind of event: ${bytes[0]}`);
  const moment = { nowMs: bytes.readDoubleLE(5), wallMs: bytes.readDoubleLE(13) };
  const rawStart = HEADER_BYTES + bytes.readUInt32LE(1);
  const raw = bytes.subarray(rawStart);
  const content = JSON.parse(raw.toString()) as Record<string, unknown>;
  if (kind === "drop") return { kind, ...moment, ...(content as Pick<DropEvent, "name" | "labels">) };
  if (kind === "expire") return { kind, ...moment, ...(content as Pick<ExpireEvent, "cutoffMs">) };
  const extra =
    rawStart === HEADER_BYTES
      ? undefined
      : (JSON.parse(bytes.toString("utf8", HEADER_BYTES, rawStart)) as SamplesExtra);
  const items = (kind === "metric" ? [content] : content["metrics"]) as Record<string, unknown>[];
  const samples = extra === undefined ? items.map((item) => toSample(item)) : decodeSome(items, extra);
  const requestId = kind === "batch" ? (content["requestId"] as string | undefined) : undefined;
  return { kind, nowMs: moment.nowMs, wallMs: moment.wallMs, raw, samples, series: undefined, requestId, extra };
}

/** The samples that counted, with the buckets that they brought. */
function decodeSome(items: readonly Record<string, unknown>[], { refused, buckets }: SamplesExtra): Sample[] {
  const isRefused = new Set(refused);
  const bucketsByName = new Map(Object.entries(buckets ?? {}));
  const samples = items.filter((_, index) => !isRefused.has(index)).map((item) => toSample(item));
  return samples.map((sample) =>
    bucketsByName.has(sample.name) ? { ...sample, buckets: bucketsByName.get(sample.name) } : sample,
  );
}

/** A piece of a snapshot: about this many characters of JSON lines. */
const PIECE_CHARACTERS = 32_768;

function* snapshot(state: MetricsState): Generator<Uint8Array, void, void> {
  let piece = "";
  for (const line of snapshotLines(state)) {
    piece += JSON.stringify(line) + "\n";
    if (piece.length < PIECE_CHARACTERS) continue;
    yield Buffer.from(piece);
    piece = "";
  }
  yield Buffer.from(piece);
}

type SnapshotLine =
  { readonly nowMs: number } | { readonly requestIds: readonly (readonly [string, number])[] } | RegistryJson;

/** How many requestIds stand in one line. */
const IDS_IN_A_LINE = 256;

function* snapshotLines({ nowMs, registry, requestIds }: MetricsState): Generator<SnapshotLine, void, void> {
  const ids = requestIds.toJSON();
  yield { nowMs };
  // Second, and so still in the first piece: with its first line the registry takes hold of what it is now.
  yield* registry.snapshot();
  for (let start = 0; start < ids.length; start += IDS_IN_A_LINE) {
    yield { requestIds: ids.slice(start, start + IDS_IN_A_LINE) };
  }
}

function restore(state: MetricsState, pieces: Iterable<Buffer>): MetricsState {
  state.registry.restore(restoreOthers(state, parseLines(pieces)));
  return state;
}

/** Takes in the lines that are not the registry's, and passes on those that are. */
function* restoreOthers(state: MetricsState, lines: Iterable<SnapshotLine>): Generator<RegistryJson, void, void> {
  for (const line of lines) {
    if ("nowMs" in line) state.nowMs = line.nowMs;
    else if ("requestIds" in line) state.requestIds.restore(line.requestIds);
    else yield line;
  }
}

/** Pieces end at line ends, since `snapshot` wrote them so. */
function* parseLines(pieces: Iterable<Buffer>): Generator<SnapshotLine> {
  for (const piece of pieces) {
    for (const line of piece.toString().split("\n")) if (line !== "") yield JSON.parse(line) as SnapshotLine;
  }
}
