/** The table of plugins, in the order in which they start. Nothing registers itself by being imported. */
import { jobsPlugin } from "./jobs/index.ts";
import { metricsPlugin } from "./metrics/index.ts";
import type { PluginFactory } from "./plugin.ts";
import { ragPlugin } from "./rag/index.ts";

export const pluginTable: readonly PluginFactory<never>[] = [
  metricsPlugin as PluginFactory<never>,
  jobsPlugin as PluginFactory<never>,
  ragPlugin as PluginFactory<never>,
];
