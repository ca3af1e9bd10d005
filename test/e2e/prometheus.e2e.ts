/** The real Prometheus: promtool reads what the daemon writes, and a server scrapes it and answers queries. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { startTestDaemon, type TestDaemon } from "../support/daemon.ts";
import { freePort } from "../support/free-port.ts";
import { tempDir } from "../support/temp-dir.ts";

const skip = spawnSync("promtool", ["--version"]).error
  ? "promtool is not installed (Debian package prometheus)"
  : false;

const EVERY_TYPE = [
  {
    name: "pi_runs_total",
    type: "counter",
    labels: { session: "a", odd: 'new\nline "quoted" back\\slash 💩 \t\u0000' },
    increment: 3,
    help: 'Help with "quotes",\na new line and a \\',
  },
  { name: "bare_counter", type: "counter", increment: 2.5 },
  { name: "pi_level", type: "gauge", labels: { job: "own", instance: "own" }, set: -1e-7 },
  {
    name: "pi_wait_seconds",
    type: "histogram",
    unit: "seconds",
    observe: 0.3,
    exemplar: { labels: { trace_id: "t1" }, value: 0.3 },
  },
  { name: "pi_wait_seconds", type: "histogram", observe: 30 },
  { name: "pi_size_bytes", type: "summary", observe: 1e9 },
  {
    name: "pi_exemplified_total",
    type: "counter",
    increment: 1,
    exemplar: { labels: {}, value: 1, timestamp: 1700000000000 },
  },
];

async function promtoolOn(daemon: TestDaemon): Promise<{ status: number | null; text: string }> {
  const input = await (await daemon.fetch("/metrics")).text();
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
    input,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  return { status, text: stdout + stderr };
}

async function send(daemon: TestDaemon, metrics: readonly unknown[]): Promise<void> {
  const reply = await daemon.post("/api/metrics/batch", { metrics });
  assert.deepEqual(await reply.json(), { success: metrics.length, failed: [] });
}

describe("promtool check metrics", { skip }, () => {
  test("has no complaint about an idle daemon", async (t) => {
    const { status, text } = await promtoolOn(await startTestDaemon(t));
    assert.equal(status, 0, text);
  });

  test("complains, with every type and odd values, only of names that clients chose", async (t) => {
    const daemon = await startTestDaemon(t);
    await send(daemon, EVERY_TYPE);
    const { status, text } = await promtoolOn(daemon);
    assert.notEqual(status, 1, text);
    for (const line of text.trim().split("\n"))
      assert.match(line, /^(bare_counter|pi_level) /, `promtool on the daemon's own: ${line}`);
  });

  test("takes 20 000 series", async (t) => {
    const daemon = await startTestDaemon(t, { config: { metrics: { maxSeriesPerMetric: 100_000 } } });
    for (let batch = 0; batch < 20; batch++) {
      await send(
        daemon,
        Array.from({ length: 1000 }, (_, index) => ({
          name: "pi_many_total",
          type: "counter",
          labels: { v: `${batch}-${index}` },
        })),
      );
    }
    const { status, text } = await promtoolOn(daemon);
    assert.equal(status, 0, text.slice(0, 2000));
  });

  test("refused text leaves the exposition whole", async (t) => {
    const daemon = await startTestDaemon(t);
    for (const body of [
      '{"name":"a","type":"counter","labels":{"a":"\\ud800"}}',
      '{"name":"a","type":"counter","labels":{"1a":"x"}}',
      '{"name":"a","type":"counter","labels":{"__name__":"x"}}',
    ]) {
      const reply = await daemon.fetch("/api/metrics", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      assert.equal(reply.status, 400);
    }
    assert.equal((await promtoolOn(daemon)).status, 0);
  });
});

interface PrometheusServer {
  query(expression: string): Promise<Record<string, string>>;
}

/** A Prometheus that scrapes the daemon every 200 ms. `query` answers the values by their label set. */
async function startPrometheus(t: TestContext, daemon: TestDaemon): Promise<PrometheusServer> {
  const directory = tempDir(t);
  const port = await freePort();
  const config = {
    global: { scrape_interval: "200ms", scrape_timeout: "200ms" },
    scrape_configs: [
      { job_name: "pi-daemon", honor_labels: true, static_configs: [{ targets: [new URL(daemon.url).host] }] },
    ],
  };
  writeFileSync(join(directory, "prometheus.yml"), JSON.stringify(config));
  const server: ChildProcess = spawn(
    "prometheus",
    [
      `--config.file=${directory}/prometheus.yml`,
      `--storage.tsdb.path=${directory}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--enable-feature=exemplar-storage",
    ],
    { stdio: "ignore" },
  );
  t.after(async () => {
    server.kill("SIGKILL");
    await once(server, "exit");
  });
  return {
    async query(expression) {
      const reply = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`);
      const { data } = (await reply.json()) as {
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      return Object.fromEntries(data.result.map(({ metric, value }) => [JSON.stringify(metric), value[1]]));
    },
  };
}

/** Asks until the answer is there; the server needs a moment to start and to scrape. */
async function waitFor<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const giveUpAtMs = performance.now() + 30_000;
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    if (performance.now() > giveUpAtMs) assert.fail(`no ${what} within 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe("a Prometheus server", { skip }, () => {
  for (const format of ["OpenMetrics", "text"] as const) {
    test(`scrapes ${format} and answers with the right values`, async (t) => {
      const daemon = await startTestDaemon(t);
      await send(daemon, EVERY_TYPE);
      const scraped = format === "text" ? await startTextProxy(t, daemon) : daemon;
      const prometheus = await startPrometheus(t, scraped);
      await waitFor("scrape", async () => Object.values(await prometheus.query('up{job="pi-daemon"} == 1'))[0]);

      const one = async (expression: string): Promise<string | undefined> =>
        Object.values(await prometheus.query(expression))[0];
      const [runs] = Object.entries(await prometheus.query("pi_runs_total"));
      assert.equal(runs![1], "3");
      assert.equal(
        (JSON.parse(runs![0]) as Record<string, string>)["odd"],
        'new\nline "quoted" back\\slash 💩 \t\u0000',
      );
      assert.equal(await one("bare_counter"), "2.5");
      assert.equal(Number(await one('pi_level{job="own",instance="own"}')), -1e-7);
      assert.equal(await one("pi_wait_seconds_count"), "2");
      assert.equal(await one("pi_wait_seconds_sum"), "30.3");
      assert.equal(await one('pi_wait_seconds_bucket{le="0.5"}'), "1");
      assert.equal(await one('pi_wait_seconds_bucket{le="1.0"}'), "1");
      assert.equal(await one('pi_wait_seconds_bucket{le="+Inf"}'), "2");
      const median = Number(await one('pi_size_bytes{quantile="0.5"}'));
      assert.ok(Math.abs(median / 1e9 - 1) <= 0.01, `the median of one observation of 1e9 is ${median}`);
      assert.equal(await one("pi_daemon_build_info"), "1");

      await send(daemon, [{ name: "pi_runs_total", type: "counter", labels: EVERY_TYPE[0]!.labels, increment: 4 }]);
      await waitFor("second scrape", async () => ((await one("pi_runs_total")) === "7" ? true : undefined));
    });
  }
});

/** The same daemon behind a proxy that asks for the text format, whatever the scraper prefers. */
async function startTextProxy(t: TestContext, daemon: TestDaemon): Promise<TestDaemon> {
  const { createServer: createHttpServer } = await import("node:http");
  const proxy = createHttpServer((_request, response) => {
    void daemon.fetch("/metrics", { headers: { accept: "text/plain" } }).then(async (reply) => {
      assert.equal(reply.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
      response.writeHead(200, { "content-type": reply.headers.get("content-type")! }).end(await reply.text());
    });
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  t.after(() => void proxy.close());
  return { ...daemon, url: `http://127.0.0.1:${(proxy.address() as { port: number }).port}` };
}
