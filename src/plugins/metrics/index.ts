/**
 * The metrics plugin: takes samples over HTTP, keeps them durably, and shows them to Prometheus.
 *
 * It is the HTTP face and the durable part of the registry; the registry itself belongs to the daemon.
 */
import { METRIC_TYPES, type MetricType } from "../../core/names.ts";
import type { Registry } from "../../core/registry.ts";
import type { Reply, Request, Route } from "../../system/http.ts";
import { HttpError, jsonReply, type Plugin, type PluginFactory, type Services } from "../plugin.ts";
import { type MetricsConfig, metricsSchema } from "./config.ts";
import { expose, type ExposeContext } from "./expose.ts";
import { ingestBatch, type IngestContext, ingestMetric } from "./ingest.ts";
import { listFamilies } from "./listing.ts";
import { createRetention, type Retention } from "./retention.ts";
import { type MetricsState, metricsStore, type Moment } from "./state.ts";

const RETENTION_CHECK_MS = 5_000;
/** Of running time, by a crash. */
const MOST_TIME_LOST_MS = 60_000;

export const metricsPlugin: PluginFactory<MetricsConfig> = { name: "metrics", schema: metricsSchema, create };

async function create(services: Services, initialConfig: MetricsConfig): Promise<Plugin> {
  const { clock, registry, log } = services;
  let config = initialConfig;
  registry.limits = config;
  const store = await services.openStore("metrics", metricsStore(registry));
  const now = startRunningTime(services, store.state.nowMs);
  const count = selfMetrics(registry, () => config.maxSeries);
  const retention = createRetention({ store, config: () => config, now });
  const ingest: IngestContext = { store, config: () => config, now, isDropping: retention.isDropping, ...count };
  const deleteMetric = createDelete(store.state, { now, retention });
  const retentionTimer = clock.every(RETENTION_CHECK_MS, () => {
    // What the disk refuses, the store has told of; this is tried again.
    retention
      .expire(MOST_TIME_LOST_MS)
      .catch((error: Error) => log.debug("cannot drop expired series", { error: error.message }));
  });

  const exposeContext: ExposeContext = {
    registry,
    gzip: services.gzip,
    nowMs: () => now().nowMs,
    config: () => config,
  };
  const routes: readonly Route[] = [
    {
      method: "GET",
      pattern: "/metrics",
      access: "read",
      unlimited: true,
      handle: (request) => expose(exposeContext, request),
    },
    { method: "POST", pattern: "/api/metrics", access: "write", handle: (request) => ingestMetric(ingest, request) },
    {
      method: "POST",
      pattern: "/api/metrics/batch",
      access: "write",
      handle: (request) => ingestBatch(ingest, request),
    },
    {
      method: "GET",
      pattern: "/api/metrics/registry",
      access: "read",
      handle: (request) => listFamilies(registry, request),
    },
    { method: "DELETE", pattern: "/api/metrics/:name", access: "write", handle: deleteMetric },
  ];

  return {
    routes,
    reconfigure(next) {
      config = next as MetricsConfig;
      registry.limits = config;
    },
    problems: () => [],
    stats: () => ({
      metricNames: registry.clientFamilyCount,
      series: registry.clientSeriesCount,
      requestIds: store.state.requestIds.size,
    }),
    async stop() {
      retentionTimer.cancel();
      // A disk that refuses has been told of already, and loses no more than the age since the last event.
      await retention.expire(0).catch(() => undefined);
      await store.close();
    },
  };
}

/** Running time: goes on from where the state left off, by the monotonic clock. */
function startRunningTime({ clock }: Services, startMs: number): () => Moment {
  const openedMs = clock.monotonicMs();
  return () => ({ nowMs: startMs + clock.monotonicMs() - openedMs, wallMs: clock.wallMs() });
}

function selfMetrics(registry: Registry, maxSeries: () => number): Pick<IngestContext, "noteIngested" | "noteDropped"> {
  const ingested = registry.ownValue(
    "pi_daemon_samples_ingested_total",
    "counter",
    "Samples taken from clients, by type of metric.",
  );
  const dropped = registry.ownValue(
    "pi_daemon_series_dropped_total",
    "counter",
    "Samples that were refused, by reason.",
  );
  const series = registry.ownValue("pi_daemon_series", "gauge", "Series held for clients.")([]);
  const limit = registry.ownValue(
    "pi_daemon_series_limit",
    "gauge",
    "Series that may be held (metrics.maxSeries).",
  )([]);
  const byType = Object.fromEntries(METRIC_TYPES.map((type) => [type, ingested(["type", type])])) as Record<
    MetricType,
    ReturnType<typeof ingested>
  >;
  registry.beforeExposition(() => {
    series.set(registry.clientSeriesCount);
    limit.set(maxSeries());
  });
  for (const reason of ["invalid", "type_mismatch", "too_many_series"]) dropped(["reason", reason]);
  return {
    noteIngested: (sample) => byType[sample.type].add(1),
    noteDropped: (reason) => dropped(["reason", reason]).add(1),
  };
}

/** `DELETE /api/metrics/:name`: a whole family, or with `?label=value` the series that have those labels. */
function createDelete(
  { registry }: MetricsState,
  { now, retention }: { now: () => Moment; retention: Retention },
): (request: Request) => Promise<Reply> {
  return async ({ params, query }) => {
    const name = params["name"]!;
    const family = registry.family(name);
    if (family?.own) throw new HttpError(403, "FORBIDDEN", `"${name}" belongs to the daemon and cannot be dropped`);
    // An empty value asks for series without the label. Left out, it would ask for all: `?session=$UNSET` must not drop
    // the family.
    const labels = [...query].flat();
    const series = registry.countMatching(name, labels);
    if (series === 0)
      throw new HttpError(
        404,
        "NOT_FOUND",
        family === undefined ? `there is no metric "${name}"` : `"${name}" has no series with these labels`,
      );
    await retention.drop({ kind: "drop", ...now(), name, labels });
    return jsonReply({ dropped: series });
  };
}
