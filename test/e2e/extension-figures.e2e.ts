/** The figures on /metrics against what the real pi says of itself, exactly. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type TestDaemon, startTestDaemon } from "../support/daemon.ts";
import { type FakeLlm, asksForSummary, startFakeLlm } from "../support/fake-llm.ts";
import {
  CONTEXT_WINDOW,
  EXTENSION,
  type PiHome,
  type RpcPi,
  makePiHome,
  runPi,
  startRpc,
  startRun,
} from "../support/pi-agent.ts";
import { installPi } from "../support/pi-install.ts";
import { scrape } from "../support/scrape.ts";

const install = installPi();
const skip = typeof install === "string" ? install : false;

interface Stage {
  readonly daemon: TestDaemon;
  readonly llm: FakeLlm;
  readonly home: PiHome;
  rpc(args?: readonly string[]): RpcPi;
  readonly env: Readonly<Record<string, string>>;
}

async function stage(t: TestContext, settings: object = {}): Promise<Stage> {
  assert.ok(typeof install !== "string");
  const daemon = await startTestDaemon(t, { config: { rateLimit: { requestsPerSecond: 0 } } });
  const llm = await startFakeLlm();
  t.after(() => llm.close());
  const home = makePiHome(t, install, llm.url, settings);
  const env = { PI_DAEMON_URL: daemon.url };
  const rpc: Stage["rpc"] = (args = []) => startRpc(t, home, ["-e", EXTENSION, ...args], env);
  return { daemon, llm, home, env, rpc };
}

interface SessionStats {
  readonly sessionId: string;
  readonly toolResults: number;
  readonly tokens: Readonly<Record<"input" | "output" | "cacheRead" | "cacheWrite", number>>;
  readonly cost: number;
  readonly contextUsage: { readonly tokens: number };
}

/** Compares tokens and dollars with the sum of what pi says of these sessions. */
async function assertUsage(url: string, sessions: readonly SessionStats[]): Promise<void> {
  const shown = await scrape(url);
  const total = (read: (stats: SessionStats) => number): number =>
    sessions.reduce((sum, stats) => sum + read(stats), 0);
  assert.equal(
    shown.sum("pi_tokens_total", { type: "input" }),
    total(({ tokens }) => tokens.input),
  );
  assert.equal(
    shown.sum("pi_tokens_total", { type: "output" }),
    total(({ tokens }) => tokens.output),
  );
  assert.equal(
    shown.sum("pi_tokens_total", { type: "cache_read" }),
    total(({ tokens }) => tokens.cacheRead),
  );
  assert.equal(
    shown.sum("pi_tokens_total", { type: "cache_write" }),
    total(({ tokens }) => tokens.cacheWrite),
  );
  const cost = total((stats) => stats.cost);
  // Dollars are fractions: added up in another order they differ in the last bit.
  assert.ok(
    Math.abs(shown.sum("pi_cost_usd_total") - cost) <= cost * 1e-12,
    `${shown.sum("pi_cost_usd_total")} is not ${cost}`,
  );
}

const LONG = "word ".repeat(400);

test("RPC: prompts, tools, cached and reasoning tokens, two models", { skip }, async (t) => {
  const { daemon, llm, home, rpc } = await stage(t);
  writeFileSync(join(home.cwd, "notes.txt"), "secret content");
  llm.reply = ({ messages, number }) => {
    if (messages.at(-1)!.role !== "user") return { text: "done", usage: { prompt: 500 + number, completion: 11 } };
    return {
      usage: { prompt: 1000 + number, cached: 300, completion: 50, reasoning: 20 },
      toolCalls: [
        { name: "bash", args: { command: "echo hello" } },
        { name: "read", args: { path: "notes.txt" } },
        { name: "read", args: { path: "missing.txt" } },
        { name: "no_such_tool /home/me/secret", args: {} },
      ],
    };
  };
  const pi = rpc();
  await pi.prompt("first");
  await pi.ask("set_model", { provider: "fake", modelId: "other/model:1.0" });
  await pi.prompt("second");
  await pi.command("/daemon flush");
  const stats = await pi.ask<SessionStats>("get_session_stats");
  await assertUsage(daemon.url, [stats]);

  const shown = await scrape(daemon.url);
  assert.equal(shown.sum("pi_tokens_total", { type: "reasoning" }), 40);
  assert.equal(shown.sum("pi_tokens_total", { model: "other/model:1.0", type: "cache_read" }), 300);
  assert.equal(shown.sum("pi_prompts_total", { source: "rpc" }), 2);
  assert.equal(shown.sum("pi_turns_total"), llm.requests.length);
  assert.equal(shown.sum("pi_response_duration_seconds_count"), llm.requests.length);
  assert.equal(shown.sum("pi_agent_runs_total", { outcome: "completed" }), 2);
  assert.equal(shown.sum("pi_agent_run_duration_seconds_count"), 2);
  assert.equal(shown.sum("pi_tool_calls_total"), stats.toolResults);
  assert.equal(shown.sum("pi_tool_duration_seconds_count"), stats.toolResults);
  assert.equal(shown.sum("pi_tool_calls_total", { tool: "bash", outcome: "ok" }), 2);
  assert.equal(shown.sum("pi_tool_calls_total", { tool: "read", outcome: "ok" }), 2);
  assert.equal(shown.sum("pi_tool_calls_total", { tool: "read", outcome: "error" }), 2);
  assert.equal(shown.sum("pi_tool_calls_total", { tool: "unknown", outcome: "error" }), 2);
  assert.equal(
    shown.sum("pi_context_used_ratio", { session: stats.sessionId }),
    stats.contextUsage.tokens / CONTEXT_WINDOW,
  );
  assert.equal(shown.sum("pi_sessions_started", { session: stats.sessionId, model: "m" }), 1);

  assert.equal(await pi.end(), 0);
  assert.equal(
    (await scrape(daemon.url)).sum("pi_sessions_ended", { session: stats.sessionId, model: "other/model:1.0" }),
    1,
  );
  assert.equal(pi.err(), "");
  const text = await daemon.clientMetrics();
  for (const secret of ["secret", "notes", "hello", "first", home.home]) assert.ok(!text.includes(secret), secret);
});

test("RPC: attempts that fail, and are tried again", { skip }, async (t) => {
  const { daemon, llm, rpc } = await stage(t);
  llm.reply = ({ number }) => {
    if (number === 1) return { status: 429, error: "slow down" };
    if (number === 2) return { status: 529, error: "overloaded" };
    return number === 4 ? { status: 400, error: "no" } : { text: "fine" };
  };
  const pi = rpc();
  await pi.prompt("tried again");
  await pi.prompt("fails");
  await pi.command("/daemon flush");
  await assertUsage(daemon.url, [await pi.ask<SessionStats>("get_session_stats")]);
  const shown = await scrape(daemon.url);
  const ended = pi.messages.filter(({ type }) => type === "message_end");
  const failed = ended.filter(({ message }) => (message as { stopReason?: string }).stopReason === "error");
  assert.equal(shown.sum("pi_provider_errors_total"), failed.length);
  assert.equal(shown.sum("pi_provider_errors_total", { class: "rate_limit" }), 1);
  assert.equal(shown.sum("pi_provider_errors_total", { class: "overloaded" }), 1);
  assert.equal(shown.sum("pi_provider_errors_total", { class: "http_4xx" }), 1);
  assert.equal(shown.sum("pi_agent_runs_total", { outcome: "completed" }), 1);
  assert.equal(shown.sum("pi_agent_runs_total", { outcome: "error" }), 1);
  assert.equal(shown.sum("pi_turns_total"), 4);
  assert.equal(await pi.end(), 0);
});

test("RPC: an answer that is aborted", { skip }, async (t) => {
  const { daemon, llm, rpc } = await stage(t);
  llm.reply = () => ({ isHanging: true });
  const pi = rpc();
  const settled = pi.next(({ type }) => type === "agent_settled");
  const started = pi.next(({ type }) => type === "turn_start");
  await pi.ask("prompt", { message: "wait" });
  await started;
  await pi.ask("abort");
  await settled;
  await pi.command("/daemon flush");
  const shown = await scrape(daemon.url);
  assert.equal(shown.sum("pi_agent_runs_total", { outcome: "aborted" }), 1);
  assert.equal(shown.sum("pi_provider_errors_total"), 0);
  assert.equal(await pi.end(), 0);
});

interface Compaction {
  readonly summary: string;
  readonly tokensBefore: number;
  readonly estimatedTokensAfter: number;
}

test("RPC: compaction by hand, twice with the same summary", { skip }, async (t) => {
  const { daemon, llm, rpc } = await stage(t, { compaction: { enabled: false, keepRecentTokens: 100 } });
  llm.reply = (request) =>
    asksForSummary(request)
      ? { text: "the same summary each time", usage: { prompt: 700, completion: 30 } }
      : { text: LONG, usage: { prompt: 3000 + 1000 * request.number, completion: 500 } };
  const pi = rpc();
  const compactions: Compaction[] = [];
  for (const rounds of [3, 2]) {
    for (let round = 0; round < rounds; round++) await pi.prompt(`${LONG} ${round}`);
    compactions.push(await pi.ask<Compaction>("compact"));
  }
  await pi.command("/daemon flush");
  const stats = await pi.ask<SessionStats>("get_session_stats");
  await assertUsage(daemon.url, [stats]);
  const shown = await scrape(daemon.url);
  const labels = { session: stats.sessionId, model: "m" };
  const total = (read: (compaction: Compaction) => number): number =>
    compactions.reduce((sum, one) => sum + read(one), 0);
  assert.notEqual(compactions[0]!.tokensBefore, compactions[1]!.tokensBefore);
  assert.equal(shown.sum("pi_compaction_total", labels), 2);
  assert.equal(
    shown.sum("pi_compaction_tokens_before", labels),
    total((one) => one.tokensBefore),
  );
  assert.equal(
    shown.sum("pi_compaction_tokens_after", labels),
    total((one) => one.estimatedTokensAfter),
  );
  const saved = total((one) => Math.max(0, one.tokensBefore - one.estimatedTokensAfter));
  assert.equal(shown.sum("pi_compaction_tokens_saved", labels), saved);
  assert.equal(shown.sum("pi_compaction_summary_length", labels), compactions[1]!.summary.length);
  assert.equal(shown.sum("pi_compaction_duration_seconds_count", labels), 2);
  assert.ok(shown.sum("pi_compaction_duration_seconds_sum", labels) < 10);
  assert.equal(shown.sum("pi_compaction_failed_total"), 0);
  assert.equal(await pi.end(), 0);
});

test("RPC: compaction by threshold", { skip }, async (t) => {
  const { daemon, llm, rpc } = await stage(t, { compaction: { enabled: true, keepRecentTokens: 100 } });
  llm.reply = (request) =>
    asksForSummary(request)
      ? { text: "summary", usage: { prompt: 9000, completion: 30 } }
      : { text: LONG, usage: { prompt: request.number === 3 ? CONTEXT_WINDOW - 5000 : 2000, completion: 500 } };
  const pi = rpc();
  for (let round = 0; round < 3; round++) await pi.prompt(LONG);
  const end =
    pi.messages.find(({ type }) => type === "compaction_end") ??
    (await pi.next(({ type }) => type === "compaction_end"));
  assert.equal(end["reason"], "threshold");
  const result = end["result"] as Compaction;
  await pi.command("/daemon flush");
  await assertUsage(daemon.url, [await pi.ask<SessionStats>("get_session_stats")]);
  const shown = await scrape(daemon.url);
  assert.equal(shown.sum("pi_compaction_total"), 1);
  assert.equal(shown.sum("pi_compaction_tokens_before"), result.tokensBefore);
  assert.equal(shown.sum("pi_compaction_tokens_after"), result.estimatedTokensAfter);
  assert.equal(shown.sum("pi_compaction_tokens_saved"), result.tokensBefore - result.estimatedTokensAfter);
  assert.equal(await pi.end(), 0);
});

test("RPC: compactions that fail, and one that is aborted", { skip }, async (t) => {
  const { daemon, llm, rpc } = await stage(t, {
    compaction: { enabled: false, keepRecentTokens: 100 },
    retry: { enabled: false },
  });
  const pi = rpc();
  assert.equal((await pi.request("compact"))["success"], false, "nothing to compact");
  for (let round = 0; round < 3; round++) await pi.prompt(LONG);
  llm.reply = () => ({ status: 400, error: "no summary" });
  assert.equal((await pi.request("compact"))["success"], false);
  llm.reply = () => ({ isHanging: true });
  const started = pi.next(({ type }) => type === "compaction_start");
  const aborted = pi.request("compact");
  await started;
  await pi.ask("abort");
  assert.equal((await aborted)["success"], false);
  await pi.command("/daemon flush");
  const shown = await scrape(daemon.url);
  const ends = pi.messages.filter(({ type }) => type === "compaction_end");
  assert.equal(ends.length, 3);
  for (const isAborted of [true, false]) {
    const told = ends.filter((end) => end["aborted"] === isAborted).length;
    assert.equal(shown.sum("pi_compaction_failed_total", { reason: "manual", aborted: String(isAborted) }), told);
  }
  assert.equal(shown.sum("pi_compaction_total"), 0);
  assert.equal(await pi.end(), 0);
});

test("RPC: new sessions, forks, clones, switches: each session starts and ends once", { skip }, async (t) => {
  const { daemon, rpc } = await stage(t);
  const pi = rpc();
  const sessions: SessionStats[] = [];
  const visit = async (): Promise<SessionStats & { sessionFile: string }> => {
    const stats = await pi.ask<SessionStats & { sessionFile: string }>("get_session_stats");
    sessions.push(stats);
    return stats;
  };
  await pi.prompt("one");
  const first = await visit();
  await pi.ask("new_session");
  await pi.prompt("two");
  await visit();
  const { messages } = await pi.ask<{ messages: { entryId: string }[] }>("get_fork_messages");
  await pi.ask("fork", { entryId: messages[0]!.entryId });
  await pi.prompt("three");
  await visit();
  await pi.ask("clone");
  const clone = await visit();
  await pi.ask("switch_session", { sessionPath: first.sessionFile });
  await pi.prompt("four");
  assert.equal(await pi.end(), 0);
  const shown = await scrape(daemon.url);
  const ids = [...sessions.map(({ sessionId }) => sessionId), first.sessionId];
  assert.equal(new Set(ids).size, 4);
  for (const id of new Set(ids)) {
    const times = ids.filter((other) => other === id).length;
    assert.equal(shown.sum("pi_sessions_started", { session: id }), times, id);
    assert.equal(shown.sum("pi_sessions_ended", { session: id }), times, id);
  }
  assert.ok(clone.sessionId);
  assert.equal(shown.sum("pi_prompts_total"), 4);
  assert.equal(shown.sum("pi_tokens_total", { type: "input" }), 400);
  assert.equal(pi.err(), "");
});

for (const mode of [["-p"], ["--mode", "json"], ["-p", "--no-session"]]) {
  test(`${mode.join(" ")}: a whole session, both its ends`, { skip }, async (t) => {
    const { daemon, home, env } = await stage(t);
    const run = await runPi(home, [...mode, "-e", EXTENSION, "hello"], env);
    assert.equal(run.exitCode, 0, run.err);
    assert.equal(run.err, "");
    if (mode[0] === "-p") assert.equal(run.out, "fine\n");
    else for (const line of run.out.trim().split("\n")) JSON.parse(line);
    const shown = await scrape(daemon.url);
    assert.equal(shown.sum("pi_sessions_started"), 1);
    assert.equal(shown.sum("pi_sessions_ended"), 1);
    assert.equal(shown.count("pi_sessions_ended"), 1);
    assert.equal(shown.sum("pi_tokens_total", { type: "input" }), 100);
    assert.equal(shown.sum("pi_tokens_total", { type: "output" }), 10);
    assert.equal(shown.sum("pi_prompts_total"), 1);
  });
}

test("-c: the same id starts and ends once more", { skip }, async (t) => {
  const { daemon, home, env } = await stage(t);
  await runPi(home, ["-p", "-e", EXTENSION, "hello"], env);
  await runPi(home, ["-p", "-c", "-e", EXTENSION, "hello"], env);
  const shown = await scrape(daemon.url);
  assert.equal(shown.count("pi_sessions_started"), 1);
  assert.equal(shown.sum("pi_sessions_started"), 2);
  assert.equal(shown.sum("pi_sessions_ended"), 2);
  assert.equal(shown.sum("pi_tokens_total", { type: "input" }), 200);
});

for (const [signal, exitCode] of [
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  test(`${signal} ends the session in RPC mode, and this is counted`, { skip }, async (t) => {
    const { daemon, rpc } = await stage(t);
    const pi = rpc();
    await pi.prompt("hello");
    assert.equal(await pi.end(signal), exitCode);
    const shown = await scrape(daemon.url);
    assert.equal(shown.sum("pi_sessions_started"), 1);
    assert.equal(shown.sum("pi_sessions_ended"), 1);
  });
}

test("SIGTERM in the middle of an answer, in print mode", { skip }, async (t) => {
  const { daemon, llm, home, env } = await stage(t);
  const asked = Promise.withResolvers<void>();
  llm.reply = () => (asked.resolve(), { isHanging: true });
  const run = startRun(home, ["-p", "-e", EXTENSION, "hello"], env);
  await asked.promise;
  run.process.kill("SIGTERM");
  assert.equal((await run.ended).exitCode, 143);
  const shown = await scrape(daemon.url);
  assert.equal(shown.sum("pi_sessions_started"), 1);
  assert.equal(shown.sum("pi_sessions_ended"), 1);
});

/**
 * An extension of somebody's: a tool that pays for models of its own, a command that asks, one that leaves a branch.
 */
const OTHER = `export default (pi) => {
  const cost = { input: 1, output: 2, cacheRead: 0, cacheWrite: 0, total: 3 };
  const usage = { input: 1000, output: 200, cacheRead: 30, cacheWrite: 4, totalTokens: 1234, cost };
  pi.registerTool({
    name: "helper", label: "Helper", description: "helps", parameters: { type: "object", properties: {} },
    execute: async () => ({ content: [{ type: "text", text: "helped" }], details: {}, usage }),
  });
  const command = (name, handler) => pi.registerCommand(name, { description: "", handler });
  command("ask", async (args, ctx) => void (await ctx.ui.confirm("Sure?", "really")));
  command("leave", async (args, ctx) => void (await ctx.navigateTree(args, { summarize: true })));
};`;

test("RPC: tools that pay for models, summaries of branches, waits for the person", { skip }, async (t) => {
  const { daemon, llm, home, rpc } = await stage(t);
  const other = join(home.home, "other.ts");
  writeFileSync(other, OTHER);
  llm.reply = ({ messages }) => {
    const isCall = messages.at(-1)!.role === "user" && JSON.stringify(messages.at(-1)).includes("use the helper");
    return isCall
      ? { toolCalls: [{ name: "helper", args: {} }] }
      : { text: LONG, usage: { prompt: 333, completion: 44 } };
  };
  const pi = rpc(["-e", other]);
  await pi.prompt("use the helper");
  await pi.prompt("something else");
  const { messages } = await pi.ask<{ messages: { entryId: string }[] }>("get_fork_messages");
  const before = llm.requests.length;
  await pi.ask("prompt", { message: `/leave ${messages[1]!.entryId}` });
  assert.equal(llm.requests.length, before + 1, "a summary was made");

  const question = pi.next((message) => message.type === "extension_ui_request" && message["method"] === "confirm");
  const asking = pi.request("prompt", { message: "/ask" });
  const { id } = await question;
  const askedMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 300));
  pi.send({ type: "extension_ui_response", id, confirmed: true });
  await asking;
  const waitedMs = performance.now() - askedMs;

  await pi.command("/daemon flush");
  const stats = await pi.ask<SessionStats>("get_session_stats");
  await assertUsage(daemon.url, [stats]);
  const shown = await scrape(daemon.url);
  assert.equal(shown.sum("pi_tokens_total", { provider: "tool", model: "helper" }), 1234);
  assert.equal(shown.sum("pi_cost_usd_total", { provider: "tool" }), 3);
  const waited = shown.sum("pi_user_wait_seconds_total", { kind: "confirm" });
  assert.ok(waited >= 0.29 && waited <= waitedMs / 1000 + 0.2, `${waited} s`);
  assert.equal(await pi.end(), 0);
});

test("five pi at once", { skip }, async (t) => {
  const { daemon, llm, rpc } = await stage(t);
  llm.reply = ({ number }) => ({ usage: { prompt: 100 + number, completion: number } });
  const pis = Array.from({ length: 5 }, () => rpc());
  const sessions = await Promise.all(
    pis.map(async (pi) => {
      for (const text of ["one", "two", "three"]) await pi.prompt(text);
      return await pi.ask<SessionStats>("get_session_stats");
    }),
  );
  assert.deepEqual(await Promise.all(pis.map((pi) => pi.end())), [0, 0, 0, 0, 0]);
  await assertUsage(daemon.url, sessions);
  const shown = await scrape(daemon.url);
  assert.equal(shown.count("pi_sessions_started"), 5);
  assert.equal(shown.sum("pi_sessions_ended"), 5);
  assert.equal(shown.sum("pi_prompts_total"), 15);
  assert.equal(shown.count("pi_prompts_total"), 1);
});
