/**
 * What goes away: series that are dropped by name or by age, as events in the journal, in their order among the
 * samples.
 *
 * Units: running time. It goes on while the daemon runs; after a crash it goes on from the last event, so it is written
 * down now and then while nothing else is.
 */
import { METRIC_TYPES, type MetricType } from "../../core/names.ts";
import type { Store } from "../../system/store.ts";
import type { MetricsConfig } from "./config.ts";
import type { DropEvent, ExpireEvent, MetricsEvent, MetricsState, Moment } from "./state.ts";

const MINUTE_MS = 60_000;

export interface Retention {
  /** Writes and applies an event that drops series. */
  drop(event: DropEvent | ExpireEvent): Promise<void>;
  /** Whether such an event is being written: what is there now may be gone for those that come after it. */
  isDropping(): boolean;
  /** Drops what is too old; writes the time down if it was last written `lostMs` ago or more and anything ages by it. */
  expire(lostMs: number): Promise<void>;
}

export interface RetentionContext {
  readonly store: Store<MetricsState, MetricsEvent>;
  config(): MetricsConfig;
  now(): Moment;
}

export function createRetention({ store, config, now }: RetentionContext): Retention {
  let underWay = 0;

  async function drop(event: DropEvent | ExpireEvent): Promise<void> {
    underWay++;
    try {
      await store.commit(event);
    } finally {
      underWay--;
    }
  }

  return {
    drop,
    isDropping: () => underWay > 0,
    async expire(lostMs) {
      const moment = now();
      const cutoffMs = cutoffsOf(config(), moment.nowMs);
      const isLate = holdsAnything(store.state) && moment.nowMs - store.state.nowMs >= lostMs;
      if (isLate || store.state.registry.hasExpired(cutoffMs)) await drop({ kind: "expire", ...moment, cutoffMs });
    },
  };
}

function cutoffsOf(config: MetricsConfig, nowMs: number): ExpireEvent["cutoffMs"] {
  const minutesOf = (type: MetricType): number => config.retentionByType[type] ?? config.retentionMinutes;
  const cutoffs = METRIC_TYPES.map((type) => [type, nowMs - minutesOf(type) * MINUTE_MS]);
  return Object.fromEntries(cutoffs) as Record<MetricType, number>;
}

function holdsAnything({ registry, requestIds }: MetricsState): boolean {
  return registry.clientSeriesCount > 0 || requestIds.size > 0;
}
