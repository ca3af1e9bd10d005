/**
 * `GET /metrics`: the registry as text, in slices that leave the event loop free between them.
 *
 * Source: Prometheus text format 0.0.4 and OpenMetrics 1.0, whichever the Accept header prefers.
 */
import { encodeFamilies } from "../../core/exposition.ts";
import type { MetricFamily } from "../../core/metric-family.ts";
import { negotiateExposition } from "../../core/negotiate.ts";
import type { Registry } from "../../core/registry.ts";
import type { Reply, Request } from "../../system/http.ts";
import type { Compress } from "../plugin.ts";
import type { MetricsConfig } from "./config.ts";

export interface ExposeContext {
  readonly registry: Registry;
  readonly gzip: Compress;
  /** Running time. */
  nowMs(): number;
  /** `enabled: false` shows the daemon's own metrics only; `created`: whether OpenMetrics carries `_created` lines. */
  config(): Pick<MetricsConfig, "enabled" | "created">;
}

export function expose(context: ExposeContext, request: Request): Reply {
  const { enabled, created } = context.config();
  const { format, contentType, gzip } = negotiateExposition(
    request.header("accept"),
    request.header("accept-encoding"),
  );
  const names = request.query.getAll("name[]");
  const families = context.registry.exposed(context.nowMs(), names.length === 0 ? undefined : new Set(names));
  const pieces = yieldBetween(encodeFamilies(enabled ? families : ownOnly(families), { format, created }));
  const headers = { "content-type": contentType, vary: "Accept, Accept-Encoding" };
  if (!gzip) return { status: 200, headers, body: pieces };
  return { status: 200, headers: { ...headers, "content-encoding": "gzip" }, body: context.gzip(pieces) };
}

function* ownOnly(families: Iterable<MetricFamily>): Generator<MetricFamily> {
  for (const family of families) if (family.own) yield family;
}

/**
 * The same pieces, with a turn of the event loop between one and the next: a large scrape must not hold up the posts.
 */
async function* yieldBetween(pieces: Iterable<string>): AsyncGenerator<string> {
  for (const piece of pieces) {
    yield piece;
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
}
