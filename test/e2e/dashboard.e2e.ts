/**
 * The dashboard and the alert rules of contrib in a real Prometheus that scrapes a daemon which has something to
 * tell: it understands every question of the dashboard, answers almost all with data, and fires the alert of a job
 * that fails.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createClient } from "../../src/client.ts";
import { METRICS } from "../../src/extension/metrics.ts";
import { startTestDaemon, type TestDaemon } from "../support/daemon.ts";
import { freePort } from "../support/free-port.ts";
import { dashboardExpressions } from "../support/promql.ts";
import { tempDir } from "../support/temp-dir.ts";

const CONTRIB = join(import.meta.dirname, "../../contrib");
const skip = spawnSync("prometheus", ["--version"]).error
  ? "prometheus is not installed (Debian package prometheus)"
  : false;

/** Every label that any query of the dashboard asks by. */
const LABELS: Readonly<Record<string, string>> = {
  session: "s1",
  model: "m1",
  provider: "p1",
  type: "input",
  source: "rpc",
  outcome: "error",
  tool: "bash",
  class: "other",
  kind: "confirm",
  reason: "full",
  aborted: "false",
};
const EVENT = { counter: "increment", gauge: "set", histogram: "observe" } as const;

/** What no daemon without an agent tells. */
const UNTOLD = ["Cost by job"];

async function feed(daemon: TestDaemon): Promise<void> {
  const kinds = Object.entries(METRICS).flatMap(([name, { type }]) => [
    { name, type, labels: { ...LABELS }, [EVENT[type]]: 1 },
    { name, type, labels: { ...LABELS, type: "cache_read" }, [EVENT[type]]: 1 },
  ]);
  const reply = await daemon.post("/api/metrics/batch", {
    metrics: kinds.map((sample) => ({ ...sample, labels: only(sample.labels) })),
  });
  assert.deepEqual(((await reply.json()) as { failed: unknown[] }).failed, []);
}

/** At most ten labels a series. */
function only(labels: Readonly<Record<string, string>>): Record<string, string> {
  const { kind, reason, ...rest } = labels;
  return { ...rest, ...(rest["type"] === "input" ? { kind: kind! } : { reason: reason! }) };
}

interface Prometheus {
  ask<T>(path: string): Promise<T>;
}

async function startPrometheus(t: TestContext, daemon: TestDaemon): Promise<Prometheus> {
  const directory = tempDir(t);
  const port = await freePort();
  // The very files of contrib, but for the address and the pace.
  const config = readFileSync(join(CONTRIB, "prometheus.yml"), "utf8").replace(
    "127.0.0.1:9876",
    new URL(daemon.url).host,
  );
  writeFileSync(
    join(directory, "prometheus.yml"),
    config.replace(/scrape_interval: 15s/, "scrape_interval: 1s\n  evaluation_interval: 1s"),
  );
  copyFileSync(join(CONTRIB, "alerts.yml"), join(directory, "alerts.yml"));
  const server = spawn(
    "prometheus",
    [
      `--config.file=${directory}/prometheus.yml`,
      `--storage.tsdb.path=${directory}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: "ignore" },
  );
  t.after(async () => {
    server.kill("SIGKILL");
    await once(server, "exit");
  });
  return {
    async ask<T>(path: string): Promise<T> {
      const { status, data, error } = (await (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json()) as {
        status: string;
        data: T;
        error?: string;
      };
      assert.equal(status, "success", `${decodeURIComponent(path)}: ${error}`);
      return data;
    },
  };
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAtMs = performance.now() + 60_000;
  while (!(await isSo().catch(() => false))) {
    assert.ok(performance.now() < giveUpAtMs, `no ${what} within a minute`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

test("a real Prometheus answers the dashboard and fires the alerts", { skip }, async (t) => {
  const jobs = [
    { name: "fails", shell: "exit 3", schedule: "@yearly" },
    { name: "often", shell: "true", schedule: "@every 1s" },
  ];
  const root = join(CONTRIB, "../examples");
  const rag = { allowedRoots: [root], collections: [{ name: "examples", kind: "folder", root }] };
  const daemon = await startTestDaemon(t, { config: { jobs: { jobs }, rag, metrics: { maxLabelCount: 12 } } });
  const client = createClient({ socketPath: join(daemon.dataDir, "daemon.sock") });
  await client.json("POST", "/api/rag/search", { body: { q: "daemon" } });
  const prometheus = await startPrometheus(t, daemon);
  const query = (expression: string) =>
    prometheus.ask<{
      result: readonly { metric: Readonly<Record<string, string>>; value: readonly [number, string] }[];
    }>(`query?query=${encodeURIComponent(expression)}`);

  await until("scrape", async () => (await query('up{job="pi-daemon"} == 1')).result.length === 1);
  await feed(daemon);
  await until("scrape of what was sent", async () => (await query("pi_turns_total")).result.length > 0);
  await feed(daemon);
  await client.json("POST", "/api/jobs/fails/run?wait=20s");

  await t.test("every question has an answer", async () => {
    for (const { title, expression } of dashboardExpressions()) {
      if (UNTOLD.includes(title)) await query(expression);
      else await until(`data for "${title}": ${expression}`, async () => (await query(expression)).result.length > 0);
    }
  });

  await t.test("series that begin with their first event count from nothing", async () => {
    const [started] = dashboardExpressions().filter(({ title }) => title === "Sessions started");
    // Two series, each born with 1 and sent 1 more. An increase alone would see 2; it adds up to half a scrape at either
    // end, which the first scrapes are too few for.
    await until("count of about 4 sessions", async () => {
      const { result } = await query(started!.expression);
      const value = Number(result[0]!.value[1]);
      return value > 3.9 && value < 4.3;
    });
  });

  await t.test("the alert of a job that failed fires, with its name in the text", async () => {
    type Alerts = {
      readonly alerts: readonly {
        readonly labels: Record<string, string>;
        readonly annotations: Record<string, string>;
        readonly state: string;
      }[];
    };
    const firing = async () =>
      (await prometheus.ask<Alerts>("alerts")).alerts.filter(({ state }) => state === "firing");
    await until("alert", async () =>
      (await firing()).some(({ labels }) => labels["alertname"] === "PiDaemonJobFailed"),
    );
    const alerts = await firing();
    const { annotations } = alerts.find(({ labels }) => labels["alertname"] === "PiDaemonJobFailed")!;
    assert.deepEqual(annotations, {
      summary: "The job fails ended badly: failed",
      description: "pi-daemon jobs runs fails",
    });
    for (const alert of alerts) assert.doesNotMatch(JSON.stringify(alert.annotations), /error expanding|<no value>/);
    assert.deepEqual(
      alerts.filter(({ labels }) => labels["severity"] === "critical"),
      [],
    );
  });

  await t.test("every rule is healthy", async () => {
    const { groups } = await prometheus.ask<{
      groups: readonly { rules: readonly { name: string; health: string; lastError?: string }[] }[];
    }>("rules");
    const ill = groups.flatMap(({ rules }) => rules).filter(({ health }) => health !== "ok");
    assert.deepEqual(ill, []);
  });
});
