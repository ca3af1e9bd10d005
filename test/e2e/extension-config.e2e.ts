/** The real pi with the extension's config broken, line by line: pi runs on, with one warning, and defaults hold. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startTestDaemon } from "../support/daemon.ts";
import { startFakeLlm } from "../support/fake-llm.ts";
import { EXTENSION, type PiHome, makePiHome, runPi, writeClientConfig } from "../support/pi-agent.ts";
import { installPi } from "../support/pi-install.ts";
import { scrape } from "../support/scrape.ts";

const install = installPi();
const skip = typeof install === "string" ? install : false;
const WARNING = /^pi-daemon: config: .*\n$/;

async function home(t: TestContext): Promise<PiHome> {
  assert.ok(typeof install !== "string");
  const llm = await startFakeLlm();
  t.after(() => llm.close());
  return makePiHome(t, install, llm.url);
}

const numbers = ["maxBufferSize", "maxQueuedSamples", "flushIntervalMs", "requestTimeoutMs"];
const top = ["daemonUrl", ...numbers, "enabled", "footer", "metrics", "labels", "auth"];
const groups = ["compaction", "sessions", "usage", "turns", "tools", "context"];
const broken: readonly (readonly [line: string, config: string])[] = [
  ...top.map((key) => [key, JSON.stringify({ [key]: ["broken"] })] as const),
  ...groups.map((key) => [`metrics.${key}`, JSON.stringify({ metrics: { [key]: "broken" } })] as const),
  ...["session", "project"].map((key) => [`labels.${key}`, JSON.stringify({ labels: { [key]: 7 } })] as const),
  ["auth.token", JSON.stringify({ auth: { token: "two\nlines" } })],
  ["everything", "{ not json"],
  ["no object", "7"],
];
for (const [line, config] of broken) {
  test(`${line} broken: pi runs on, with one warning`, { skip }, async (t) => {
    const person = await home(t);
    const daemon = await startTestDaemon(t);
    writeClientConfig(person, config);
    const env: Record<string, string> = line === "daemonUrl" ? {} : { PI_DAEMON_URL: daemon.url };
    const run = await runPi(person, ["-p", "-e", EXTENSION, "hello"], env);
    assert.deepEqual([run.exitCode, run.out], [0, "fine\n"]);
    assert.match(run.err, WARNING);
    if (line !== "daemonUrl") assert.equal((await scrape(daemon.url)).sum("pi_sessions_ended"), 1);
  });
}

const variables = ["URL", "TOKEN", "BUFFER_SIZE", "FLUSH_INTERVAL", "TIMEOUT", "ENABLED", "CLIENT_CONFIG"];
for (const variable of variables) {
  test(`PI_DAEMON_${variable} broken: pi runs on, with one warning`, { skip }, async (t) => {
    const run = await runPi(await home(t), ["-p", "-e", EXTENSION, "hello"], {
      [`PI_DAEMON_${variable}`]: "/dev/null and more",
    });
    assert.deepEqual([run.exitCode, run.out], [0, "fine\n"]);
    assert.match(run.err, WARNING);
  });
}
