/** What a reload does to a running daemon, in this process. */
import assert from "node:assert/strict";
import { chmodSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { rotateToken } from "../src/system/token.ts";
import { startTestDaemon, type TestDaemon } from "./support/daemon.ts";
import { fakeClock } from "./support/fake-clock.ts";
import { recordingLog } from "./support/recording-log.ts";

function configure(daemon: TestDaemon, config: object): void {
  const before = JSON.parse(readFileSync(daemon.configPath, "utf8")) as object;
  writeFileSync(daemon.configPath, JSON.stringify({ ...before, ...config }));
}

async function reload(daemon: TestDaemon): Promise<void> {
  const outcome = await daemon.reload();
  assert.ok(outcome.ok, JSON.stringify(outcome));
}

async function statusesOf(daemon: TestDaemon, ...paths: readonly string[]): Promise<number[]> {
  return Promise.all(paths.map(async (path) => (await daemon.fetch(path)).status));
}

const counter = { name: "a_total", type: "counter", labels: { b: "c" } };

test("the metrics plugin off and on again: its routes go and come, and its state is as it was", async (t) => {
  const daemon = await startTestDaemon(t);
  await daemon.post("/api/metrics", counter);
  const histogram = { name: "h", type: "histogram", observe: 1, buckets: [1, 2] };
  await daemon.post("/api/metrics/batch", { requestId: "one", metrics: [histogram] });
  const before = await daemon.clientMetrics();
  for (let round = 0; round < 3; round++) {
    configure(daemon, { plugins: { metrics: false } });
    await reload(daemon);
    assert.deepEqual(await statusesOf(daemon, "/metrics", "/api/metrics/registry", "/health"), [404, 404, 200]);
    assert.equal((await daemon.post("/api/metrics", counter)).status, 404);
    configure(daemon, { plugins: { metrics: true } });
    await reload(daemon);
    assert.deepEqual(await statusesOf(daemon, "/metrics", "/api/metrics/registry", "/health"), [200, 200, 200]);
    assert.equal(await daemon.clientMetrics(), before);
    assert.equal((await daemon.post("/api/metrics/batch", { requestId: "one", metrics: [] })).status, 409);
  }
});

test("a plugin that stops well is not said to hang, however long the daemon then lives", async (t) => {
  const log = recordingLog();
  const clock = fakeClock();
  const daemon = await startTestDaemon(t, { log, clock });
  configure(daemon, { plugins: { metrics: false } });
  await reload(daemon);
  clock.advance(60_000);
  assert.deepEqual(
    log.lines.filter(({ level }) => level === "error"),
    [],
  );
});

test("a plugin that cannot start again: the reload fails, the rest is in force, and health tells why", async (t) => {
  const daemon = await startTestDaemon(t);
  await daemon.post("/api/metrics", counter);
  configure(daemon, { plugins: { metrics: false } });
  await reload(daemon);
  const directory = join(daemon.dataDir, "metrics");
  renameSync(directory, `${directory}.away`);
  writeFileSync(directory, "in the way");
  configure(daemon, { plugins: { metrics: true }, server: { port: 0, maxPayloadSize: 2048 } });
  await assert.rejects(daemon.reload(), /Cannot open the metrics store/);
  const health = await daemon.fetch("/health");
  assert.equal(health.status, 503);
  assert.match(await health.text(), /the metrics plugin is switched on and could not start: Cannot open the metrics/);
  assert.equal((await daemon.fetch("/metrics")).status, 404);

  rmSync(directory);
  renameSync(`${directory}.away`, directory);
  await reload(daemon);
  assert.deepEqual(await statusesOf(daemon, "/metrics", "/health"), [200, 200]);
  assert.match(await daemon.clientMetrics(), /a_total\{b="c"\} 1/);
});

test("the token: turned by a reload, repaired where others could read it; a link in its place changes nothing", async (t) => {
  const log = recordingLog();
  const daemon = await startTestDaemon(t, { log, config: { auth: { enabled: true } } });
  const path = join(daemon.dataDir, "token");
  const statusWith = async (token: string): Promise<number> =>
    (await daemon.post("/api/metrics", counter, { authorization: `Bearer ${token}` })).status;
  const old = readFileSync(path, "utf8").trim();
  assert.equal(await statusWith(old), 204);

  const rotated = await rotateToken(daemon.dataDir);
  assert.deepEqual([await statusWith(old), await statusWith(rotated)], [204, 403]);
  chmodSync(path, 0o644);
  await reload(daemon);
  assert.deepEqual([await statusWith(old), await statusWith(rotated)], [403, 204]);
  const warnings = log.lines.filter(({ level, message }) => level === "warn" && /let other users in/.test(message));
  assert.ok(warnings.some(({ fields }) => fields["path"] === path));

  renameSync(path, `${path}.away`);
  symlinkSync(`${path}.away`, path);
  configure(daemon, { auth: { enabled: false } });
  await assert.rejects(daemon.reload(), /symbolic link/);
  assert.deepEqual([await statusWith("wrong"), await statusWith(rotated)], [403, 204]);
  assert.partialDeepStrictEqual(await (await daemon.fetch("/config")).json(), { auth: { enabled: true } });
  rmSync(path);
  renameSync(`${path}.away`, path);
  await reload(daemon);
  assert.deepEqual([await statusWith("wrong"), await statusWith(rotated)], [204, 204]);
});

test("a config with faults changes nothing, and each fault is told", async (t) => {
  const daemon = await startTestDaemon(t);
  configure(daemon, { auth: { enabled: true }, server: { port: -1 }, nonsense: 1 });
  const outcome = await daemon.reload();
  assert.ok(!outcome.ok);
  assert.deepEqual(outcome.issues.map(({ path }) => path).sort(), ["nonsense", "server.port"]);
  assert.equal((await daemon.post("/api/metrics", counter)).status, 204);
});

test("reloads at once come one after the other", async (t) => {
  const daemon = await startTestDaemon(t);
  await daemon.post("/api/metrics", counter);
  const outcomes = Array.from({ length: 20 }, (_, index) => {
    configure(daemon, { plugins: { metrics: index % 2 === 1 } });
    return daemon.reload();
  });
  for (const outcome of await Promise.all(outcomes)) assert.ok(outcome.ok);
  assert.match(await daemon.clientMetrics(), /a_total\{b="c"\} 1/);
});
