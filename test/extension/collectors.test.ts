import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Client, createClient } from "../../src/extension/client.ts";
import { collectCompaction } from "../../src/extension/collectors/compaction.ts";
import { collectContext } from "../../src/extension/collectors/context.ts";
import { collectSessions } from "../../src/extension/collectors/sessions.ts";
import { collectTools } from "../../src/extension/collectors/tools.ts";
import { collectTurns } from "../../src/extension/collectors/turns.ts";
import { collectUsage } from "../../src/extension/collectors/usage.ts";
import type { ExtensionConfig } from "../../src/extension/config.ts";
import type { Sample } from "../../src/extension/sample.ts";
import { type Scope, createScope } from "../../src/extension/scope.ts";
import { type FakeClock, fakeClock } from "../support/fake-clock.ts";
import { type FakePi, assistantMessage, fakePi } from "../support/fake-pi.ts";
import { fakeTransport, testConfig } from "../support/fake-transport.ts";
import { tempDir } from "../support/temp-dir.ts";

interface Stage {
  readonly pi: FakePi;
  readonly client: Client;
  readonly clock: FakeClock;
  /** What was recorded since the last look: `name{labels} value`. */
  recorded(): string[];
}

function stage(collect: (scope: Scope) => void, config: Partial<ExtensionConfig> = {}): Stage {
  const [pi, clock] = [fakePi(), fakeClock()];
  const client = createClient(testConfig(config), clock, fakeTransport());
  collect(createScope(pi, client));
  return { pi, client, clock, recorded: () => client.release().samples.map(show) };
}

function show({ name, labels, increment, set, observe }: Sample): string {
  const pairs = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  return `${name}{${pairs}} ${increment ?? set ?? observe}`;
}

test("sessions: one start and one end, though pi may tell of a start twice", async () => {
  const { pi, recorded } = stage(collectSessions);
  await pi.fire("session_start", { reason: "new" });
  await pi.fire("session_start", { reason: "new" });
  assert.deepEqual(recorded(), ["pi_sessions_started{session=s1,model=m1} 1"]);
  await pi.fire("session_shutdown", { reason: "quit" });
  await pi.fire("session_shutdown", { reason: "quit" });
  assert.deepEqual(recorded(), ["pi_sessions_ended{session=s1,model=m1} 1"]);
});

test("sessions: a reload is neither end nor start, and the end comes all the same", async () => {
  const { pi, client, recorded } = stage(collectSessions);
  await pi.fire("session_start", { reason: "startup" });
  await pi.fire("session_shutdown", { reason: "reload" });
  recorded();
  const reloaded = fakePi(pi.ctx);
  collectSessions(createScope(reloaded, client));
  await reloaded.fire("session_start", { reason: "reload" });
  assert.deepEqual(recorded(), []);
  await reloaded.fire("session_shutdown", { reason: "quit" });
  assert.deepEqual(recorded(), ["pi_sessions_ended{session=s1,model=m1} 1"]);
});

test("sessions: one whose start was never counted does not end", async () => {
  const { pi, recorded } = stage(collectSessions);
  await pi.fire("session_start", { reason: "reload" });
  await pi.fire("session_shutdown", { reason: "quit" });
  assert.deepEqual(recorded(), []);
});

test("sessions: without a model, without the label", async () => {
  const { pi, recorded } = stage(collectSessions);
  pi.ctx.model = undefined;
  await pi.fire("session_start", { reason: "resume" });
  assert.deepEqual(recorded(), ["pi_sessions_started{session=s1} 1"]);
});

const usage = { input: 100, output: 40, cacheRead: 7, cacheWrite: 3, reasoning: 5, cost: { total: 0.25 } };
const counted = (labels: string): string[] => [
  `pi_tokens_total{${labels},type=input} 100`,
  `pi_tokens_total{${labels},type=output} 40`,
  `pi_tokens_total{${labels},type=cache_read} 7`,
  `pi_tokens_total{${labels},type=cache_write} 3`,
  `pi_tokens_total{${labels},type=reasoning} 5`,
  `pi_cost_usd_total{${labels}} 0.25`,
];

test("usage: of answers, by their own provider and model", async () => {
  const { pi, client, recorded } = stage(collectUsage);
  await pi.fire("message_end", { message: assistantMessage({ usage, provider: "p2", model: "m/2" }) });
  assert.deepEqual(recorded(), counted("provider=p2,model=m/2"));
  await pi.fire("message_end", { message: { role: "user" } });
  assert.deepEqual(recorded(), []);
  assert.deepEqual(client.usage.tokens, { input: 100, output: 40, cache_read: 7, cache_write: 3, reasoning: 5 });
  assert.equal(client.usage.costUsd, 0.25);
});

test("usage: what is zero is not sent", async () => {
  const { pi, recorded } = stage(collectUsage);
  const nothing = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, cost: { total: 0 } };
  await pi.fire("message_end", { message: assistantMessage({ usage: nothing }) });
  assert.deepEqual(recorded(), []);
});

test("usage: of tools that call models, of summaries, of branches", async () => {
  const { pi, recorded } = stage(collectUsage);
  const result = (toolName: string) => ({ message: { role: "toolResult", toolName, usage } as never });
  await pi.fire("message_end", result("bash"));
  assert.deepEqual(recorded(), counted("provider=tool,model=bash"));
  await pi.fire("message_end", result("made up"));
  assert.deepEqual(recorded(), counted("provider=tool,model=unknown"));
  await pi.fire("session_tree", { summaryEntry: { usage } });
  assert.deepEqual(recorded(), counted("provider=p1,model=m1"));
  await pi.fire("session_tree", {});
  assert.deepEqual(recorded(), []);
  const stale = { type: "compaction", summary: "s", tokensBefore: 1 } as const;
  pi.ctx.entries.push({ ...stale, usage } as never);
  await pi.fire("session_compact", { compactionEntry: stale, reason: "manual" });
  assert.deepEqual(recorded(), counted("provider=p1,model=m1"), "of the leaf, not of the entry that pi found");
});

test("usage: of entries that no event tells of, each once, and not those from before", async () => {
  const { pi, recorded } = stage(collectUsage);
  const entry = { type: "usage", provider: "p3", model: "m3", usage };
  pi.ctx.entries.push(entry);
  await pi.fire("session_start", { reason: "resume" });
  await pi.fire("agent_settled", {});
  assert.deepEqual(recorded(), []);
  pi.ctx.entries.push(entry, { type: "message" });
  await pi.fire("session_start", { reason: "resume" });
  await pi.fire("agent_settled", {});
  assert.deepEqual(recorded(), counted("provider=p3,model=m3"));
  pi.ctx.entries.push(entry);
  await pi.fire("session_shutdown", { reason: "quit" });
  assert.deepEqual(recorded(), counted("provider=p3,model=m3"));
});

test("turns: a run from its first start to its settling, with a retry in between", async () => {
  const { pi, clock, recorded } = stage(collectTurns);
  await pi.fire("input", { source: "rpc" });
  await pi.fire("agent_start", {});
  await pi.fire("turn_start", {});
  clock.advance(1000);
  await pi.fire("message_end", {
    message: assistantMessage({ stopReason: "error", errorMessage: "429: secret text" }),
  });
  assert.deepEqual(recorded(), [
    "pi_prompts_total{source=rpc} 1",
    "pi_turns_total{} 1",
    "pi_provider_errors_total{provider=p1,model=m1,class=rate_limit} 1",
  ]);
  await pi.fire("agent_start", {});
  await pi.fire("turn_start", {});
  await pi.fire("message_end", { message: { role: "user" } });
  clock.advance(2000);
  await pi.fire("message_end", { message: assistantMessage() });
  clock.advance(500);
  await pi.fire("agent_settled", {});
  assert.deepEqual(recorded(), [
    "pi_turns_total{} 1",
    "pi_agent_runs_total{outcome=completed} 1",
    "pi_response_duration_seconds{provider=p1,model=m1} 2",
    "pi_agent_run_duration_seconds{} 3.5",
  ]);
  await pi.fire("agent_settled", {});
  assert.deepEqual(recorded(), []);
});

const outcomes: readonly (readonly [stopReason: string, aborted: boolean | undefined, outcome: string])[] = [
  ["stop", undefined, "completed"],
  ["length", undefined, "completed"],
  ["error", undefined, "error"],
  ["aborted", undefined, "aborted"],
  ["stop", true, "aborted"],
  ["error", false, "error"],
];
for (const [stopReason, aborted, outcome] of outcomes) {
  test(`turns: a run that stops by ${stopReason}${aborted ? ", told as aborted," : ""} is ${outcome}`, async () => {
    const { pi, recorded } = stage(collectTurns);
    await pi.fire("agent_start", {});
    await pi.fire("message_end", { message: assistantMessage({ stopReason }) });
    await pi.fire("agent_settled", aborted === undefined ? {} : { aborted });
    assert.ok(recorded().includes(`pi_agent_runs_total{outcome=${outcome}} 1`));
  });
}

test("turns: an aborted answer is neither an error nor timed", async () => {
  const { pi, recorded } = stage(collectTurns);
  await pi.fire("turn_start", {});
  await pi.fire("message_end", { message: assistantMessage({ stopReason: "aborted" }) });
  assert.deepEqual(recorded(), ["pi_turns_total{} 1"]);
});

test("turns: how long the person was waited for", async () => {
  const { pi, clock, recorded } = stage(collectTurns);
  await pi.fire("ui_prompt_end", { kind: "confirm" });
  await pi.fire("ui_prompt_start", { kind: "confirm" });
  clock.advance(4500);
  await pi.fire("ui_prompt_end", { kind: "confirm" });
  assert.deepEqual(recorded(), ["pi_user_wait_seconds_total{kind=confirm} 4.5"]);
});

test("tools: calls side by side, each with its own time", async () => {
  const { pi, clock, recorded } = stage(collectTools);
  await pi.fire("tool_execution_start", { toolCallId: "1", toolName: "bash" });
  clock.advance(100);
  await pi.fire("tool_execution_start", { toolCallId: "2", toolName: "read" });
  clock.advance(100);
  await pi.fire("tool_execution_end", { toolCallId: "2", toolName: "read", isError: true });
  await pi.fire("tool_execution_end", { toolCallId: "1", toolName: "bash", isError: false });
  assert.deepEqual(recorded(), [
    "pi_tool_calls_total{tool=read,outcome=error} 1",
    "pi_tool_calls_total{tool=bash,outcome=ok} 1",
    "pi_tool_duration_seconds{tool=read} 0.1",
    "pi_tool_duration_seconds{tool=bash} 0.2",
  ]);
});

test("tools: a name that the model made up does not leave", async () => {
  const { pi, recorded } = stage(collectTools);
  await pi.fire("tool_execution_end", { toolCallId: "1", toolName: "rm -rf /home/me", isError: true });
  assert.deepEqual(recorded(), ["pi_tool_calls_total{tool=unknown,outcome=error} 1"]);
});

test("tools: a tool that came later is known, and pi 1.x tells the time itself", async () => {
  const { pi, recorded } = stage(collectTools);
  await pi.fire("tool_execution_end", { toolCallId: "1", toolName: "later", isError: false, durationMs: 250 });
  pi.tools.push("later");
  await pi.fire("tool_execution_end", { toolCallId: "2", toolName: "later", isError: false, durationMs: 250 });
  assert.deepEqual(
    recorded().filter((line) => line.startsWith("pi_tool_duration")),
    ["pi_tool_duration_seconds{tool=unknown} 0.25", "pi_tool_duration_seconds{tool=later} 0.25"],
  );
});

const fills = [
  [{ tokens: 50, contextWindow: 200 }, ["pi_context_used_ratio{session=s1} 0.25"]],
  [{ tokens: 0, contextWindow: 200 }, ["pi_context_used_ratio{session=s1} 0"]],
  [{ tokens: null, contextWindow: 200 }, []],
  [{ tokens: 5, contextWindow: 0 }, []],
  [undefined, []],
] as const;
for (const [contextUsage, lines] of fills) {
  test(`context: ${JSON.stringify(contextUsage)}`, async () => {
    const { pi, recorded } = stage(collectContext);
    pi.ctx.contextUsage = contextUsage;
    await pi.fire("agent_settled", {});
    assert.deepEqual(recorded(), lines);
  });
}

test("compaction: the leaf of the session is what was compacted", async () => {
  const { pi, clock, recorded } = stage(collectCompaction);
  const entry = (summary: string, tokensBefore: number) => ({ type: "compaction", summary, tokensBefore }) as const;
  pi.ctx.entries.push(entry("old", 1), entry("short summary", 900));
  await pi.fire("session_before_compact", { reason: "manual" });
  clock.advance(1500);
  await pi.fire("session_compact", { compactionEntry: entry("old", 1), reason: "manual" });
  assert.deepEqual(recorded(), [
    "pi_compaction_total{session=s1,model=m1} 1",
    "pi_compaction_tokens_before{session=s1,model=m1} 900",
    "pi_compaction_summary_length{session=s1,model=m1} 13",
    "pi_compaction_duration_seconds{session=s1,model=m1} 1.5",
  ]);
});

test("compaction: one that fails is counted, and does not lend its start to the next", async () => {
  const { pi, clock, recorded } = stage(collectCompaction);
  await pi.fire("session_before_compact", { reason: "threshold" });
  clock.advance(1500);
  await pi.fire("session_compact_failed", { reason: "threshold", aborted: true });
  await pi.fire("session_compact_failed", { reason: "manual", aborted: false });
  assert.deepEqual(recorded(), [
    "pi_compaction_failed_total{session=s1,model=m1,reason=threshold,aborted=true} 1",
    "pi_compaction_failed_total{session=s1,model=m1,reason=manual,aborted=false} 1",
  ]);
  await pi.fire("session_compact", {
    compactionEntry: { type: "compaction", summary: "", tokensBefore: 2 },
    reason: "manual",
  });
  assert.ok(!recorded().some((line) => line.startsWith("pi_compaction_duration")));
});

test("labels: session and project where they are wanted, the project by the name of its repository", async (t) => {
  const root = join(tempDir(t), "my-project");
  mkdirSync(join(root, ".git"), { recursive: true });
  mkdirSync(join(root, "deep/below"), { recursive: true });
  const { pi, recorded } = stage(collectTurns, { labels: { session: true, project: true } });
  pi.ctx.cwd = join(root, "deep/below");
  await pi.fire("input", { source: "interactive" });
  pi.ctx.cwd = "/";
  await pi.fire("input", { source: "interactive" });
  assert.deepEqual(recorded(), [
    "pi_prompts_total{session=s1,project=my-project,source=interactive} 1",
    "pi_prompts_total{session=s1,source=interactive} 1",
  ]);
});

test("label values are cut, and well-formed", async () => {
  const { pi, recorded } = stage(collectUsage);
  const model = "m".repeat(300);
  await pi.fire("message_end", { message: assistantMessage({ provider: "\ud800", model }) });
  assert.ok(
    recorded().every(
      (line) => line.includes(`provider=\ufffd,model=${"m".repeat(200)},`) || line.startsWith("pi_cost"),
    ),
  );
});

test("off: nothing is recorded", async () => {
  const { pi, client, recorded } = stage(collectTurns);
  client.isOn = false;
  await pi.fire("input", { source: "rpc" });
  client.isOn = true;
  await pi.fire("input", { source: "rpc" });
  assert.deepEqual(recorded(), ["pi_prompts_total{source=rpc} 1"]);
});

test("numbers that are none are left out", async () => {
  const { pi, recorded } = stage(collectUsage);
  const broken = { input: NaN, output: undefined, cacheRead: 1, cacheWrite: "x", cost: { total: Infinity } };
  await pi.fire("message_end", { message: assistantMessage({ usage: broken }) });
  assert.deepEqual(recorded(), ["pi_tokens_total{provider=p1,model=m1,type=cache_read} 1"]);
});
