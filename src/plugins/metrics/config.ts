/** The `metrics` section of the config. */
import {
  anything,
  array,
  boolean,
  type Infer,
  integer,
  nullable,
  number,
  object,
  refine,
  string,
  withDefault,
} from "../../core/validate.ts";
import { findBucketsFault } from "./sample.ts";

const minutes = number({ min: 0.01 });
/** `null`: as `retentionMinutes` says. */
const ownMinutes = withDefault(nullable(minutes), null);

const buckets = refine(anything(), findBucketsFault);

export const metricsSchema = object({
  enabled: withDefault(boolean(), true),
  retentionMinutes: withDefault(minutes, 60),
  retentionByType: withDefault(
    object({ counter: ownMinutes, gauge: ownMinutes, histogram: ownMinutes, summary: ownMinutes }),
    {},
  ),
  maxLabelCount: withDefault(integer({ min: 0 }), 10),
  maxLabelValueLength: withDefault(integer({ min: 1 }), 1024),
  maxMetricNames: withDefault(integer({ min: 1 }), 1000),
  maxSeries: withDefault(integer({ min: 1 }), 100_000),
  maxSeriesPerMetric: withDefault(integer({ min: 1 }), 10_000),
  maxBatchSize: withDefault(integer({ min: 1 }), 1000),
  maxRequestIds: withDefault(integer({ min: 1 }), 100_000),
  buckets: withDefault(array(object({ match: string({ minLength: 1 }), buckets })), []),
  created: withDefault(boolean(), false),
});

export type MetricsConfig = Infer<typeof metricsSchema>;
