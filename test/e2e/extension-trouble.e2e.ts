/** The real pi beside daemons in every kind of trouble: pi works and ends, and what can arrive arrives once. */
import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { BAD_KINDS, type BadServer, findClosedPort, startBadServer, startBlackhole } from "../support/bad-servers.ts";
import { startTestDaemon } from "../support/daemon.ts";
import { startDaemonChild, writeConfig } from "../support/daemon-child.ts";
import { type FakeLlm, startFakeLlm } from "../support/fake-llm.ts";
import { freePort } from "../support/free-port.ts";
import { EXTENSION, type PiHome, makePiHome, runPi, startRpc } from "../support/pi-agent.ts";
import { installPi } from "../support/pi-install.ts";
import { startRelay } from "../support/relay.ts";
import { scrape } from "../support/scrape.ts";
import { tempDir } from "../support/temp-dir.ts";

const install = installPi();
const skip = typeof install === "string" ? install : false;
const WITH = ["-e", EXTENSION];

async function stage(t: TestContext): Promise<{ llm: FakeLlm; home: PiHome }> {
  assert.ok(typeof install !== "string");
  const llm = await startFakeLlm();
  t.after(() => llm.close());
  return { llm, home: makePiHome(t, install, llm.url) };
}

const bad: readonly (readonly [state: string, start: () => Promise<{ url: URL; close?: BadServer["close"] }>])[] = [
  ["down", async () => ({ url: await findClosedPort() })],
  ["blackholed", startBlackhole],
  ["at a name that nobody knows", async () => ({ url: new URL("http://nowhere.invalid:9876") })],
  ["at an address that is routed nowhere", async () => ({ url: new URL("http://192.0.2.1:9876") })],
  [
    "https where there is none",
    async () => ({ url: new URL((await findClosedPort()).href.replace("http:", "https:")) }),
  ],
  ...BAD_KINDS.map((kind) => [kind, () => startBadServer(kind)] as const),
];

for (const [state, start] of bad) {
  test(`daemon ${state}: pi starts, works and ends as without it, a second later at most`, { skip }, async (t) => {
    const { home } = await stage(t);
    const server = await start();
    t.after(() => server.close?.());
    const env = { PI_DAEMON_URL: server.url.href };

    const bare = await runPi(home, ["-p", "hello"]);
    // With such a timeout, whatever waits for a request is seen to wait.
    const run = await runPi(home, ["-p", ...WITH, "hello"], { ...env, PI_DAEMON_TIMEOUT: "30000" });
    assert.deepEqual([run.exitCode, run.out, run.err], [0, "fine\n", ""]);
    // The second of the last flush; what is above it is the noise of a shared machine.
    assert.ok(run.tookMs < bare.tookMs + 1000 + 3000, `${run.tookMs} ms after ${bare.tookMs} ms`);

    const pi = startRpc(t, home, WITH, { ...env, PI_DAEMON_TIMEOUT: "200" });
    await pi.prompt("one");
    assert.match(await pi.command("/daemon status"), new RegExp(`no pi-daemon at ${server.url.protocol}`));
    await pi.ask("new_session");
    await pi.prompt("two");
    assert.equal(await pi.end(), 0);
    assert.equal(pi.err(), "");
    const notices = pi.messages.filter((message) => String(message["message"]).includes("takes no metrics"));
    assert.ok(notices.length <= 2, "one notice a session at most");
  });
}

for (const [signal, exitCode] of [
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  test(`daemon hanging: ${signal} in the middle of a request ends pi`, { skip }, async (t) => {
    const { home } = await stage(t);
    const server = await startBadServer("hanging");
    t.after(() => server.close());
    const pi = startRpc(t, home, WITH, { PI_DAEMON_URL: server.url.href, PI_DAEMON_TIMEOUT: "60000" });
    await pi.prompt("one");
    const startMs = performance.now();
    assert.equal(await pi.end(signal), exitCode);
    assert.ok(performance.now() - startMs < 4000);
  });
}

test("daemon slow: everything arrives once", { skip }, async (t) => {
  const { home } = await stage(t);
  const daemon = await startTestDaemon(t);
  const relay = await startRelay(t, daemon.url, () => ({ delayMs: 400 }));
  const pi = startRpc(t, home, WITH, { PI_DAEMON_URL: relay.url });
  for (const text of ["one", "two", "three"]) await pi.prompt(text);
  assert.equal(await pi.end(), 0);
  const shown = await scrape(daemon.url);
  assert.equal(shown.sum("pi_prompts_total"), 3);
  assert.equal(shown.sum("pi_tokens_total", { type: "input" }), 300);
  assert.equal(shown.sum("pi_sessions_ended"), 1);
});

test("answers that are lost: nothing is counted twice", { skip }, async (t) => {
  const { home } = await stage(t);
  const daemon = await startTestDaemon(t);
  const relay = await startRelay(t, daemon.url, (_path, count) => (count % 2 === 1 ? "drop-answer" : "pass-and-close"));
  const pi = startRpc(t, home, WITH, { PI_DAEMON_URL: relay.url });
  for (const text of ["one", "two", "three"]) {
    await pi.prompt(text);
    // The first attempt loses its answer, the second is told that it was one too many.
    for (let attempt = 0; attempt < 2; attempt++) await pi.command("/daemon flush");
  }
  assert.equal(await pi.end(), 0);
  const shown = await scrape(daemon.url);
  assert.ok(shown.sum("pi_daemon_requests_total", { path: "/api/metrics/batch", status: "409" }) >= 3);
  assert.equal(shown.sum("pi_sessions_started"), 1);
  assert.equal(shown.sum("pi_prompts_total"), 3);
  assert.equal(shown.sum("pi_agent_run_duration_seconds_count"), 3);
  assert.equal(shown.sum("pi_tokens_total", { type: "input" }), 300);
  assert.equal(shown.sum("pi_extension_dropped_total"), 0);
});

test("a daemon that is killed, and started again: nothing is lost, nothing counted twice", { skip }, async (t) => {
  const { home } = await stage(t);
  const [dataDir, port] = [tempDir(t), await freePort()];
  const config = writeConfig(join(tempDir(t), "config.json"), { dataDir, server: { port } });
  let daemon = await startDaemonChild(config);
  t.after(() => daemon.kill());
  const pi = startRpc(t, home, WITH, { PI_DAEMON_URL: daemon.url });
  for (let round = 0; round < 3; round++) {
    await pi.prompt(`before ${round}`);
    await daemon.kill();
    await pi.prompt(`while it is away ${round}`);
    assert.match(await pi.command("/daemon flush"), /still wait/);
    daemon = await startDaemonChild(config);
    await pi.prompt(`after ${round}`);
    assert.match(await pi.command("/daemon flush"), /all is sent/);
  }
  assert.equal(await pi.end(), 0);
  const shown = await scrape(daemon.url);
  assert.equal(shown.sum("pi_prompts_total"), 9);
  assert.equal(shown.sum("pi_turns_total"), 9);
  assert.equal(shown.sum("pi_agent_run_duration_seconds_count"), 9);
  assert.equal(shown.sum("pi_tokens_total", { type: "output" }), 90);
  assert.equal(shown.sum("pi_sessions_started"), 1);
  assert.equal(shown.sum("pi_sessions_ended"), 1);
  assert.equal(shown.sum("pi_extension_dropped_total"), 0);
});

test("a daemon that comes later gets everything from before", { skip }, async (t) => {
  const { home } = await stage(t);
  const pi = startRpc(t, home, WITH, { PI_DAEMON_TIMEOUT: "500" });
  await pi.prompt("nobody listens");
  await pi.ask("new_session");
  await pi.prompt("still nobody");
  const daemon = await startTestDaemon(t, { dataDir: join(home.home, ".pi/daemon/data") });
  assert.match(await pi.command("/daemon flush"), /all is sent/);
  assert.equal(await pi.end(), 0);
  const shown = await scrape(daemon.url);
  assert.equal(shown.sum("pi_sessions_started"), 2);
  assert.equal(shown.sum("pi_sessions_ended"), 2);
  assert.equal(shown.sum("pi_prompts_total"), 2);
});

test("a daemon that wants a token gets it, and the socket needs none", { skip }, async (t) => {
  const { home } = await stage(t);
  const dataDir = join(home.home, ".pi/daemon/data");
  const token = "a-token-of-sufficient-length-0123456789";
  const daemon = await startTestDaemon(t, { dataDir, config: { auth: { enabled: true, token } } });
  const prompts = async (): Promise<number> => (await scrape(daemon.url)).sum("pi_prompts_total");
  await runPi(home, ["-p", ...WITH, "by token"], { PI_DAEMON_URL: daemon.url, PI_DAEMON_TOKEN: token });
  assert.equal(await prompts(), 1);
  await runPi(home, ["-p", ...WITH, "by socket"]);
  assert.equal(await prompts(), 2);
  await runPi(home, ["-p", ...WITH, "no token"], { PI_DAEMON_URL: daemon.url });
  assert.equal(await prompts(), 2);
  const wrong = await runPi(home, ["-p", ...WITH, "wrong token"], {
    PI_DAEMON_URL: daemon.url,
    PI_DAEMON_TOKEN: "wrong",
  });
  assert.deepEqual([wrong.exitCode, wrong.out, wrong.err], [0, "fine\n", ""]);
  assert.equal(await prompts(), 2);
});

test("with a proxy in the environment, pi's models go through it and the daemon does not", { skip }, async (t) => {
  const { llm, home } = await stage(t);
  const daemon = await startTestDaemon(t);
  const proxy = await startRelay(t, daemon.url, () => "pass");
  const proxies = { HTTP_PROXY: proxy.url, http_proxy: proxy.url, HTTPS_PROXY: proxy.url, NO_PROXY: "" };
  const run = await runPi(home, ["-p", ...WITH, "hello"], { ...proxies, PI_DAEMON_URL: daemon.url });
  assert.deepEqual([run.exitCode, run.out], [0, "fine\n"]);
  assert.deepEqual([...new Set(proxy.tunnels)], [new URL(llm.url).host], "the proxy works, and only for the model");
  assert.equal(proxy.requests.size, 0);
  assert.equal((await scrape(daemon.url)).sum("pi_sessions_ended"), 1);
});

test("PI_DAEMON_ENABLED=false: not a byte", { skip }, async (t) => {
  const { home } = await stage(t);
  const server = await startBadServer("hanging");
  t.after(() => server.close());
  const run = await runPi(home, ["-p", ...WITH, "hello"], {
    PI_DAEMON_URL: server.url.href,
    PI_DAEMON_ENABLED: "false",
  });
  assert.deepEqual([run.exitCode, run.out, run.err], [0, "fine\n", ""]);
  assert.equal(server.connections, 0);
});

test("PI_DAEMON_DEBUG=1 tells on stderr, and stdout stays pi's", { skip }, async (t) => {
  const { home } = await stage(t);
  const env = { PI_DAEMON_URL: (await findClosedPort()).href, PI_DAEMON_DEBUG: "1" };
  const run = await runPi(home, ["-p", ...WITH, "hello"], env);
  assert.deepEqual([run.exitCode, run.out], [0, "fine\n"]);
  assert.match(run.err, /^pi-daemon: attempt 1 failed: connect ECONNREFUSED/);
});

test("two copies: one is idle, with a word, and nothing counts twice", { skip }, async (t) => {
  const { home } = await stage(t);
  const daemon = await startTestDaemon(t);
  const copy = join(tempDir(t), "copy");
  cpSync(new URL("../../src", import.meta.url), copy, { recursive: true });
  const both = [...WITH, "-e", join(copy, "extension/index.ts")];
  const run = await runPi(home, ["-p", ...both, "hello"], { PI_DAEMON_URL: daemon.url });
  assert.deepEqual([run.exitCode, run.out], [0, "fine\n"]);
  assert.match(run.err, /installed twice/);
  assert.equal((await scrape(daemon.url)).sum("pi_prompts_total"), 1);
});

test("another extension's metrics go along", { skip }, async (t) => {
  const { home } = await stage(t);
  const daemon = await startTestDaemon(t);
  const other = join(tempDir(t), "other.ts");
  writeFileSync(
    other,
    `export default (pi) => {
    pi.on("agent_settled", () => {
      pi.events.emit("pi-daemon:metric", { name: "other_runs_total", type: "counter", labels: { from: "other" } });
      pi.events.emit("pi-daemon:metric", { name: "other broken" });
    });
  };`,
  );
  const run = await runPi(home, ["-p", ...WITH, "-e", other, "hello"], { PI_DAEMON_URL: daemon.url });
  assert.deepEqual([run.exitCode, run.out, run.err], [0, "fine\n", ""]);
  assert.equal((await scrape(daemon.url)).sum("other_runs_total", { from: "other" }), 1);
});
