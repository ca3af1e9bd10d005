import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { cpSync, writeFileSync } from "node:fs";
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Pi, PiEvents } from "../../src/extension/pi.ts";
import type { Sample } from "../../src/extension/sample.ts";
import { type FakePi, assistantMessage, fakeContext, fakePi } from "../support/fake-pi.ts";
import { findClosedPort, withBadServer } from "../support/bad-servers.ts";
import { tempDir } from "../support/temp-dir.ts";

type Extension = (pi: Pi) => void;

/** All modules of the extension evaluated anew, as pi does it after a reload: from files of their own. */
async function evaluate(t: TestContext): Promise<Extension> {
  const folder = tempDir(t);
  cpSync(new URL("../../src/extension", import.meta.url), join(folder, "extension"), { recursive: true });
  // The one file that it imports from outside.
  cpSync(new URL("../../src/core/parse-exposition.ts", import.meta.url), join(folder, "core/parse-exposition.ts"));
  return ((await import(join(folder, "extension/index.ts"))) as { default: Extension }).default;
}

interface Receiver {
  readonly url: string;
  readonly samples: Sample[];
  /** By name, counters summed up. */
  total(name: string): number;
}

const EXPOSITION = `# TYPE pi_tokens_total counter
pi_tokens_total{type="input",model="a"} 1000
pi_tokens_total{type="input",model="b"} 234
pi_tokens_total{type="output",model="b"} 5
# TYPE pi_cost_usd_total counter
pi_cost_usd_total{model="a"} 1.5
pi_cost_usd_total{model="b"} 0.25
`;

/** Takes batches, each id once. */
async function receive(t: TestContext): Promise<Receiver> {
  const samples: Sample[] = [];
  const ids = new Set<string>();
  const server = createServer((request: IncomingMessage, response) => {
    let text = "";
    request.on("data", (piece: Buffer) => void (text += piece.toString()));
    request.on("end", () => {
      if (request.url!.startsWith("/metrics")) return response.end(EXPOSITION);
      if (request.method === "GET") return response.end('{"status":"ok","version":"1.2.3","uptime":7300}');
      const { requestId, metrics } = JSON.parse(text) as { requestId: string; metrics: Sample[] };
      if (ids.has(requestId)) return response.writeHead(409).end("{}");
      ids.add(requestId);
      samples.push(...metrics);
      return response.end(JSON.stringify({ success: metrics.length, failed: [] }));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const total = (name: string): number =>
    samples.filter((sample) => sample.name === name).reduce((sum, sample) => sum + (sample.increment ?? 1), 0);
  return { url, samples, total };
}

/** For one test; the extension reads the environment when it is loaded. */
function configure(t: TestContext, config: unknown): void {
  const path = join(tempDir(t), "config.json");
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  process.env["PI_DAEMON_CLIENT_CONFIG"] = path;
  t.after(() => {
    delete process.env["PI_DAEMON_CLIENT_CONFIG"];
    // What the last client of a test has not sent is no business of the next test.
    Reflect.deleteProperty(globalThis, Symbol.for("pi-daemon.client.1"));
  });
}

async function command(pi: FakePi, args: string): Promise<string> {
  await pi.commands.get("daemon")!.handler(args, pi.ctx);
  return pi.ctx.notices.at(-1)!;
}

test("a session from start to quit arrives whole", async (t) => {
  const { url, samples, total } = await receive(t);
  configure(t, { daemonUrl: url });
  const pi = fakePi();
  (await evaluate(t))(pi);
  await pi.fire("session_start", { reason: "startup" });
  await pi.fire("input", { source: "interactive" });
  await pi.fire("agent_start", {});
  await pi.fire("turn_start", {});
  await pi.fire("message_end", { message: assistantMessage() });
  await pi.fire("agent_settled", {});
  await pi.fire("session_shutdown", { reason: "quit" });
  for (const name of ["pi_sessions_started", "pi_prompts_total", "pi_turns_total", "pi_sessions_ended"]) {
    assert.equal(total(name), 1, name);
  }
  assert.equal(total("pi_tokens_total"), 120);
  assert.deepEqual(pi.ctx.notices, []);
  assert.deepEqual(pi.ctx.statuses, []);
  assert.ok(samples.every(({ name }) => name.startsWith("pi_")));
});

test("groups that are switched off are silent", async (t) => {
  const { url, samples } = await receive(t);
  configure(t, {
    daemonUrl: url,
    metrics: { usage: false, turns: false, sessions: false, tools: false, context: false },
  });
  const pi = fakePi();
  (await evaluate(t))(pi);
  await pi.fire("session_start", { reason: "startup" });
  await pi.fire("turn_start", {});
  await pi.fire("message_end", { message: assistantMessage() });
  await pi.fire("tool_execution_end", { toolCallId: "1", toolName: "bash", isError: false });
  await pi.fire("session_compact_failed", { reason: "manual", aborted: false });
  await pi.fire("session_shutdown", { reason: "quit" });
  assert.deepEqual(
    samples.map(({ name }) => name),
    ["pi_compaction_failed_total"],
  );
});

test("disabled: nothing is sent, until /daemon on", async (t) => {
  const { url, samples, total } = await receive(t);
  configure(t, { daemonUrl: url, enabled: false });
  const pi = fakePi();
  (await evaluate(t))(pi);
  await pi.fire("session_start", { reason: "startup" });
  await pi.fire("turn_start", {});
  assert.match(await command(pi, "on"), /collected and sent/);
  await pi.fire("turn_start", {});
  assert.match(await command(pi, "flush"), /all is sent, 1 samples/);
  assert.match(await command(pi, "off"), /nothing is collected/);
  await pi.fire("turn_start", {});
  assert.match(await command(pi, "flush"), /is off/);
  await pi.fire("session_shutdown", { reason: "quit" });
  assert.equal(total("pi_turns_total"), 1);
  assert.equal(samples.length, 1);
});

test("a reload hands over what was not sent, and the count of the session", async (t) => {
  const { url, total } = await receive(t);
  configure(t, { daemonUrl: (await findClosedPort()).href });
  const bus = new EventEmitter();
  const first = fakePi(fakeContext(), bus);
  (await evaluate(t))(first);
  await first.fire("session_start", { reason: "startup" });
  await first.fire("agent_start", {});
  await first.fire("message_end", { message: assistantMessage() });
  await first.fire("agent_settled", {});
  assert.match(await command(first, "flush"), /still wait/);
  await first.fire("session_shutdown", { reason: "reload" });
  configure(t, { daemonUrl: url });
  const second = fakePi(first.ctx, bus);
  (await evaluate(t))(second);
  await second.fire("session_start", { reason: "reload" });
  assert.equal(
    await command(second, "usage"),
    [
      "this session, since pi started: 100 input, 20 output tokens, $0.5000",
      "all that the daemon has counted: 1234 input, 5 output tokens, $1.7500",
    ].join("\n"),
  );
  await second.fire("turn_start", {});
  await second.fire("session_shutdown", { reason: "quit" });
  assert.equal(total("pi_turns_total"), 1);
  assert.equal(total("pi_sessions_started"), 1);
  assert.equal(total("pi_sessions_ended"), 1);
  assert.equal(total("pi_tokens_total"), 120);
});

test("the next session of one evaluation goes on with the same client", async (t) => {
  const { url, total } = await receive(t);
  configure(t, { daemonUrl: url });
  const extension = await evaluate(t);
  const bus = new EventEmitter();
  for (const [reason, end] of [
    ["startup", "new"],
    ["new", "fork"],
    ["fork", "quit"],
  ] as const) {
    const pi = fakePi({ ...fakeContext(), sessionManager: fakeContext().sessionManager }, bus);
    extension(pi);
    await pi.fire("session_start", { reason });
    await pi.fire("session_start", { reason });
    await pi.fire("session_shutdown", { reason: end });
  }
  assert.equal(total("pi_sessions_started"), 3);
  assert.equal(total("pi_sessions_ended"), 3);
});

test("installed twice: one copy is idle, and says so", async (t) => {
  const { url, total } = await receive(t);
  configure(t, { daemonUrl: url });
  const bus = new EventEmitter();
  const ctx = fakeContext();
  const copies = [fakePi(ctx, bus), fakePi(ctx, bus)];
  for (const pi of copies) (await evaluate(t))(pi);
  for (const pi of copies) await pi.fire("session_start", { reason: "startup" });
  for (const pi of copies) await pi.fire("turn_start", {});
  for (const pi of copies) await pi.fire("session_shutdown", { reason: "quit" });
  assert.equal(total("pi_turns_total"), 1);
  assert.match(ctx.notices.join(), /installed twice/);
  const later = fakePi(ctx, bus);
  (await evaluate(t))(later);
  assert.ok(later.commands.has("daemon"), "a copy that is over answers no more");
});

test("metrics of other extensions go along, wrong ones do not", async (t) => {
  const { url, samples } = await receive(t);
  configure(t, { daemonUrl: url });
  const pi = fakePi();
  (await evaluate(t))(pi);
  pi.events.emit("pi-daemon:metric", { name: "my_total", type: "counter", increment: 2, labels: { a: "b" } });
  pi.events.emit("pi-daemon:metric", { name: "my_total", type: "counter", increment: 3, labels: { a: "b" } });
  pi.events.emit("pi-daemon:metric", { name: "pi_cost_usd_total", type: "counter", increment: 1000 });
  pi.events.emit(
    "pi-daemon:metric",
    new Proxy(
      {},
      {
        get: () => {
          throw new Error("hostile");
        },
      },
    ),
  );
  pi.events.emit("pi-daemon:metric", undefined);
  pi.events.emit("pi-daemon:hello", {
    get answer() {
      throw new Error("hostile");
    },
  });
  await pi.fire("session_shutdown", { reason: "quit" });
  assert.deepEqual(samples, [{ name: "my_total", type: "counter", labels: { a: "b" }, increment: 5 }]);
});

test("away: one notice, a word in the footer until it is back, and /daemon status says why", async (t) => {
  const bad = await withBadServer(t, "asking for a token");
  configure(t, { daemonUrl: bad.url.href });
  const pi = fakePi();
  (await evaluate(t))(pi);
  await pi.fire("session_start", { reason: "startup" });
  await command(pi, "flush");
  for (let turn = 0; turn < 3; turn++) await pi.fire("turn_start", {});
  assert.equal(pi.ctx.notices.filter((text) => text.includes("takes no metrics")).length, 1);
  assert.deepEqual(pi.ctx.statuses, ["pi-daemon: away"]);
  const status = await command(pi, "status");
  assert.match(status, /no pi-daemon at http/);
  assert.match(status, /asks for a token/);
  assert.match(status, /2 waiting/);
  await pi.fire("session_shutdown", { reason: "quit" });
});

test("away: the footer can be switched off; without a screen nothing is shown at all", async (t) => {
  const bad = await withBadServer(t, "error 500");
  configure(t, { daemonUrl: bad.url.href, footer: false });
  const pi = fakePi();
  (await evaluate(t))(pi);
  await pi.fire("session_start", { reason: "startup" });
  await command(pi, "flush");
  await pi.fire("turn_start", {});
  assert.deepEqual(pi.ctx.statuses, []);
  pi.ctx.hasUI = false;
  pi.ctx.notices.length = 0;
  await pi.fire("turn_start", {});
  assert.deepEqual(pi.ctx.notices, []);
  await pi.fire("session_shutdown", { reason: "quit" });
});

test("a hanging daemon delays the end by a second at most", async (t) => {
  const bad = await withBadServer(t, "hanging");
  configure(t, { daemonUrl: bad.url.href, requestTimeoutMs: 60_000 });
  const pi = fakePi();
  (await evaluate(t))(pi);
  await pi.fire("session_start", { reason: "startup" });
  const start = performance.now();
  await pi.fire("session_shutdown", { reason: "quit" });
  const tookMs = performance.now() - start;
  assert.ok(tookMs >= 950 && tookMs < 2500, `${tookMs} ms`);
});

test("wrong settings are told once, at the start of the session", async (t) => {
  configure(t, { maxBufferSize: "many", nonsense: 1 });
  const pi = fakePi();
  (await evaluate(t))(pi);
  assert.deepEqual(pi.ctx.notices, []);
  await pi.fire("session_start", { reason: "startup" });
  await pi.fire("session_start", { reason: "startup" });
  assert.deepEqual(pi.ctx.notices, [
    'pi-daemon config: maxBufferSize: expected an integer from 1 to 10000, got "many"; nonsense is no setting',
  ]);
});

test("/daemon status, completions, and words that mean nothing", async (t) => {
  const { url } = await receive(t);
  configure(t, { daemonUrl: url });
  const pi = fakePi();
  (await evaluate(t))(pi);
  const status = await command(pi, "");
  assert.match(status, /pi-daemon 1\.2\.3 at http:\/\/127\.0\.0\.1:\d+: ok, up for 2 h/);
  assert.match(status, /samples: 0 sent, 0 waiting/);
  assert.match(await command(pi, "sttus"), /no such word\n\/daemon status/);
  const complete = pi.commands.get("daemon")!.getArgumentCompletions;
  assert.deepEqual(
    complete("o")?.map(({ value }) => value),
    ["on", "off"],
  );
  assert.equal(complete("x"), null);
});

/** A pi whose every call throws, and whose contexts are stale: the worst that a handler can meet. */
test("nothing that pi throws comes back to pi", async (t) => {
  configure(t, { daemonUrl: (await receive(t)).url, labels: { session: true, project: true } });
  const throwing = new Proxy(
    {},
    {
      get: () => {
        throw new Error("stale");
      },
    },
  );
  const extension = await evaluate(t);
  extension(throwing as Pi);
  extension(undefined as unknown as Pi);
  const pi = fakePi();
  extension(pi);
  pi.getAllTools = () => {
    throw new Error("stale");
  };
  Object.assign(pi, { ctx: pi.ctx });
  const ctx = throwing as FakePi["ctx"];
  const stale = fakePi(ctx);
  extension(stale);
  const events: { [N in keyof PiEvents]: PiEvents[N] } = {
    session_start: { reason: "startup" },
    session_shutdown: { reason: "new" },
    session_before_compact: { reason: "manual" },
    session_compact: { reason: "manual", compactionEntry: { type: "compaction", summary: "", tokensBefore: 1 } },
    session_compact_failed: { reason: "manual", aborted: true },
    session_tree: { summaryEntry: {} },
    input: { source: "rpc" },
    agent_start: {},
    agent_settled: {},
    turn_start: {},
    message_end: { message: assistantMessage() },
    tool_execution_start: { toolCallId: "1", toolName: "x" },
    tool_execution_end: { toolCallId: "1", toolName: "x", isError: false },
    ui_prompt_start: { kind: "input" },
    ui_prompt_end: { kind: "input" },
  };
  for (const name of Object.keys(events) as (keyof PiEvents)[]) {
    await stale.fire(name, events[name] as never);
    await stale.fire(name, undefined as never);
    await pi.fire(name, undefined as never);
    await pi.fire(name, {} as never);
  }
});
