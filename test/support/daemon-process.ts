/**
 * A daemon as a process of its own, to be measured or killed: `daemon-process.ts CONFIG`. Prints its URL; logs warnings
 * and errors to stderr.
 */
import { loadConfig } from "../../src/config.ts";
import { pluginSchemas, startDaemon } from "../../src/daemon.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createLog } from "../../src/system/log.ts";
import { createStreamSink } from "../../src/system/log-stream.ts";

const log = createLog({
  level: "warn",
  format: "text",
  sink: createStreamSink(process.stderr, { clock: systemClock }),
  clock: systemClock,
});
const read = () =>
  loadConfig({ configPath: process.argv[2]!, env: {}, home: "/", uid: process.getuid?.(), pluginSchemas });
const loaded = read();
if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
const daemon = await startDaemon({
  config: loaded.config,
  references: loaded.references,
  clock: systemClock,
  log,
  readConfig: async () => read(),
  onConfig: () => undefined,
});
process.on("SIGTERM", () => void daemon.stop().then(() => process.exit(0)));
console.log(daemon.url);
