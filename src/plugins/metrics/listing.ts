/** `GET /api/metrics/registry`: the names that are registered, a page at a time. */
import type { MetricFamily } from "../../core/metric-family.ts";
import type { Registry } from "../../core/registry.ts";
import type { Reply, Request } from "../../system/http.ts";
import { HttpError, jsonReply } from "../plugin.ts";

const DEFAULT_LIMIT = 1000;
const MOST_LIMIT = 10_000;

/** One row of the list. `lastUpdateMs` is when the last sample came, `lastTimestampMs` the time it gave itself. */
export interface FamilyRow {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string | null;
  readonly series: number;
  readonly lastUpdateMs: number | null;
  readonly lastTimestampMs: number | null;
  /** Whether clients send it or the daemon counts it itself. */
  readonly source: "client" | "daemon";
}

/** `?prefix=` filters; `?limit=` and `?after=NAME` (the `next` of the page before) page. */
export function listFamilies(registry: Registry, { query }: Request): Reply {
  const prefix = query.get("prefix") ?? "";
  const after = query.get("after") ?? "";
  const limit = readLimit(query.get("limit"));
  const matching = registry.listed().filter(({ name }) => name.startsWith(prefix));
  const rest = matching.filter(({ name }) => name > after);
  const page = rest.slice(0, limit);
  return jsonReply({
    metrics: page.map(describe),
    total: matching.length,
    next: rest.length > page.length ? page[page.length - 1]!.name : null,
  });
}

function readLimit(text: string | null): number {
  const limit = text === null ? DEFAULT_LIMIT : Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_LIMIT) return limit;
  const message = `expected a whole number from 1 to ${MOST_LIMIT}, not ${JSON.stringify(text)}`;
  throw new HttpError(400, "VALIDATION_ERROR", `limit: ${message}`, { details: [{ path: "limit", message }] });
}

function describe(family: MetricFamily): FamilyRow {
  return {
    name: family.name,
    type: family.type,
    help: family.help,
    unit: family.unit ?? null,
    series: family.bornCount,
    lastUpdateMs: family.lastUpdateMs || null,
    lastTimestampMs: family.lastTimestampMs || null,
    source: family.own ? "daemon" : "client",
  };
}
