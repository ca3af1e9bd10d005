/** Plugins that exist only for tests of the config: one with settings of every kind, one without any. */
import type { PluginSchema } from "../../src/config.ts";
import {
  array,
  filePath,
  integer,
  number,
  object,
  optional,
  record,
  secret,
  string,
  withDefault,
} from "../../src/core/validate.ts";

export const samplePlugins: readonly PluginSchema[] = [
  {
    name: "sample",
    schema: object({
      retentionMinutes: withDefault(number({ min: 0 }), 60),
      retentionByType: withDefault(record(number({ min: 0 })), {}),
      buckets: withDefault(array(object({ match: string(), buckets: array(number()) })), []),
      folder: withDefault(filePath(), "~/sample"),
      webhooks: withDefault(array(object({ url: secret(string()), headers: optional(record(secret(string()))) })), []),
      limit: withDefault(integer({ min: 1 }), 10),
      note: withDefault(string(), ""),
    }),
  },
  { name: "bare", schema: object({}) },
];
