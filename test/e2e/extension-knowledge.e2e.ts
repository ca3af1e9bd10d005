/** The real pi, whose model asks for knowledge: what is found reaches the model, and no daemon's trouble stops pi. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type TestContext, test } from "node:test";
import { projectIdOf } from "../../src/extension/knowledge-project.ts";
import { findClosedPort, startBadServer } from "../support/bad-servers.ts";
import { type TestDaemon, startTestDaemon } from "../support/daemon.ts";
import { startFakeEmbeddings } from "../support/fake-embeddings.ts";
import { type FakeLlm, type LlmRequest, type ToolCall, startFakeLlm } from "../support/fake-llm.ts";
import { EXTENSION, type PiHome, makePiHome, runPi, startRpc, writeClientConfig } from "../support/pi-agent.ts";
import { installPi } from "../support/pi-install.ts";

const install = installPi();
const skip = typeof install === "string" ? install : false;
const WITH = ["-e", EXTENSION];
const SEARCH: ToolCall = { name: "knowledge_search", args: { query: "how many seats has the blue bus" } };

/** A model that calls the tool once for each prompt. */
async function stage(t: TestContext, call = SEARCH): Promise<{ llm: FakeLlm; home: PiHome }> {
  assert.ok(typeof install !== "string");
  const llm = await startFakeLlm();
  t.after(() => llm.close());
  llm.reply = ({ messages }) => (messages.at(-1)!.role === "user" ? { toolCalls: [call] } : { text: "done" });
  return { llm, home: makePiHome(t, install, llm.url) };
}

/** What the tool answered, as the model got it. */
function toolAnswers({ requests }: FakeLlm): string[] {
  const answers = requests.at(-1)!.messages.filter(({ role }) => role === "tool");
  return answers.map(({ content }) => (typeof content === "string" ? content : JSON.stringify(content)));
}

const toolNames = ({ tools = [] }: LlmRequest): string[] => tools.map((tool) => tool.function.name);
const AWAY = /^The knowledge base is not available: [^\n]+\. Go on without it\.$/;

interface SlowServer {
  url: string;
  /** When somebody has asked for knowledge, and when the connection has ended without an answer. */
  readonly asked: Promise<void>;
  readonly left: Promise<void>;
}

/** Answers after a time. */
async function slowServer(t: TestContext, delayMs: number): Promise<SlowServer> {
  const [asked, left] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow = { url: "", asked: asked.promise, left: left.promise };
  const server = createServer((request: IncomingMessage, response) => {
    if (request.url!.startsWith("/api/metrics")) return void response.end('{"success":1,"failed":[]}');
    asked.resolve();
    response.on("close", () => response.writableEnded || left.resolve());
    setTimeout(() => response.end("{}"), delayMs).unref();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  slow.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return slow;
}

test("daemon down: the model is told in a line, and goes on", { skip }, async (t) => {
  const { llm, home } = await stage(t);
  const run = await runPi(home, ["-p", ...WITH, "hello"], { PI_DAEMON_URL: (await findClosedPort()).href });
  assert.deepEqual([run.exitCode, run.out, run.err], [0, "done\n", ""]);
  assert.match(toolAnswers(llm)[0]!, /^The knowledge base is not available: no pi-daemon at http.*ECONNREFUSED.*/);
  assert.ok(toolNames(llm.requests[0]!).includes("knowledge_search"));
  assert.ok(!toolNames(llm.requests[0]!).includes("knowledge_add"), "only where it is wanted");
});

test("no daemon was ever there: nothing is sent to the usual port", { skip }, async (t) => {
  const { llm, home } = await stage(t);
  const run = await runPi(home, ["-p", ...WITH, "hello"]);
  assert.deepEqual([run.exitCode, run.out], [0, "done\n"]);
  assert.match(toolAnswers(llm)[0]!, /no pi-daemon is running at .*daemon\.sock/);
});

for (const kind of ["hanging", "asking for a token", "garbage", "cut in the body", "no http"] as const) {
  test(`daemon ${kind}: the model is told in a line, within two seconds`, { skip }, async (t) => {
    const { llm, home } = await stage(t);
    const server = await startBadServer(kind);
    t.after(() => server.close());
    const pi = startRpc(t, home, WITH, { PI_DAEMON_URL: server.url.href });
    await pi.ask("get_state");
    const startMs = performance.now();
    await pi.prompt("hello");
    const tookMs = performance.now() - startMs;
    assert.match(toolAnswers(llm)[0]!, AWAY);
    assert.ok(tookMs < 2000 + 1500, `${tookMs} ms, with the noise of a shared machine`);
    assert.equal(await pi.end(), 0);
    assert.equal(pi.err(), "");
  });
}

test("print mode waits for an answer that takes its time", { skip }, async (t) => {
  const { llm, home } = await stage(t);
  const slow = await slowServer(t, 1200);
  const run = await runPi(home, ["-p", ...WITH, "hello"], { PI_DAEMON_URL: slow.url });
  assert.deepEqual([run.exitCode, run.out, run.err], [0, "done\n", ""]);
  assert.deepEqual(toolAnswers(llm), ["Nothing in the knowledge base fits."]);
});

test("abort: the request ends with it", { skip }, async (t) => {
  const { home } = await stage(t);
  writeClientConfig(home, { knowledge: { timeoutMs: 60_000 } });
  const slow = await slowServer(t, 60_000);
  const pi = startRpc(t, home, WITH, { PI_DAEMON_URL: slow.url });
  const settled = pi.next(({ type }) => type === "agent_settled");
  await pi.ask("prompt", { message: "hello" });
  await slow.asked;
  await pi.ask("abort");
  await slow.left;
  await settled;
  assert.equal(await pi.end(), 0);
});

test("switched off by the config", { skip }, async (t) => {
  const { llm, home } = await stage(t);
  writeClientConfig(home, { knowledge: { search: false } });
  llm.reply = () => ({ text: "done" });
  const run = await runPi(home, ["-p", ...WITH, "hello"]);
  assert.deepEqual([run.exitCode, run.out], [0, "done\n"]);
  assert.ok(!toolNames(llm.requests[0]!).includes("knowledge_search"));
});

interface Shop {
  readonly llm: FakeLlm;
  readonly home: PiHome;
  readonly daemon: TestDaemon;
}

/** A daemon where pi looks for one, that has indexed a folder of everyone and one of another project. */
async function openShop(t: TestContext, rag: object = {}): Promise<Shop> {
  const { llm, home } = await stage(t);
  const dataDir = join(home.home, ".pi/daemon/data");
  const daemon = await startTestDaemon(t, { dataDir, config: { rag: { allowedRoots: [home.home], ...rag } } });
  for (const [name, project, text] of [
    ["buses", null, "# Fleet\n\n## Blue bus\n\nThe blue bus has 41 seats.\n"],
    ["secrets", "somebody-else", "# Fleet\n\n## Blue bus\n\nThe blue bus has 999 hidden seats.\n"],
  ] as const) {
    const root = join(home.home, name);
    mkdirSync(root);
    writeFileSync(join(root, "fleet.md"), text);
    const body = { name, kind: "folder", root: realpathSync(root), project };
    await ask(daemon, "POST", "/api/rag/collections", body);
    await ask(daemon, "POST", `/api/rag/collections/${name}/reindex?wait=30s`, {});
  }
  return { llm, home, daemon };
}

async function ask(daemon: TestDaemon, method: string, path: string, body?: object): Promise<unknown> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${daemonToken(daemon)}` };
  const reply = await daemon.fetch(path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  const text = await reply.text();
  assert.ok(reply.ok, text);
  return JSON.parse(text);
}

const daemonToken = ({ dataDir }: TestDaemon): string => readFileSync(join(dataDir, "token"), "utf8").trim();

test(
  "what is indexed reaches the model, by the socket, with its place, and no other project's",
  { skip },
  async (t) => {
    const { llm, home } = await openShop(t);
    const run = await runPi(home, ["-p", ...WITH, "hello"]);
    assert.deepEqual([run.exitCode, run.out, run.err], [0, "done\n", ""]);
    const [answer] = toolAnswers(llm);
    assert.match(answer!, /^[^\n]*untrusted[^\n]*\n/);
    assert.match(answer!, /^\[1\] \/.*\/buses\/fleet\.md:\d+-\d+/m);
    assert.match(answer!, /The blue bus has 41 seats\./);
    assert.doesNotMatch(answer!, /999/);
  },
);

test("an embeddings server that hangs does not keep the answer from the model", { skip }, async (t) => {
  const server = await startFakeEmbeddings(t);
  const { llm, home, daemon } = await openShop(t, { embeddings: { url: server.url, model: "m" } });
  const state = async (): Promise<unknown> =>
    ((await ask(daemon, "GET", "/api/rag/status")) as { embeddings: { state: unknown } }).embeddings.state;
  while ((await state()) !== "ready") await nextTurn();
  server.misbehave = () => true;
  await runPi(home, ["-p", ...WITH, "hello"]);
  assert.match(toolAnswers(llm)[0]!, /41 seats[^]*\nNote: searched without the vectors of the endpoint: /);
});

test("/knowledge: places for the person", { skip }, async (t) => {
  const { home } = await openShop(t);
  const pi = startRpc(t, home, WITH);
  assert.match(await pi.command("/knowledge seats of the blue bus"), /fleet\.md:\d+-\d+ {2}Fleet\n {2}.*41 seats/);
  assert.match(await pi.command("/knowledge status"), /^2 documents in 2 collections, \d+ chunks\n/);
  assert.equal(await pi.end(), 0);
});

test("a note of the model: found by the next session there, and nowhere else", { skip }, async (t) => {
  const { llm, home, daemon } = await openShop(t);
  writeClientConfig(home, { knowledge: { add: true } });
  const note = { text: "The red bus is repaired on Fridays.", title: "Red bus", tags: ["bus"] };
  llm.reply = ({ messages }) =>
    messages.at(-1)!.role === "user" ? { toolCalls: [{ name: "knowledge_add", args: note }] } : { text: "done" };
  await runPi(home, ["-p", "--session-id", "session-1", ...WITH, "hello"]);
  const id = /^Kept as notes\/(\S+)\.$/.exec(toolAnswers(llm)[0]!)?.[1];
  const kept = (await ask(daemon, "GET", `/api/rag/collections/notes/documents/${id}`)) as Record<string, unknown>;
  const { text, title, tags, metadata, project } = kept;
  assert.deepEqual(
    { text, title, tags, metadata, project },
    {
      ...note,
      metadata: { session: "session-1", from: "pi" },
      project: projectIdOf(home.cwd),
    },
  );
  const search = { name: "knowledge_search", args: { query: "when is the red bus repaired" } };
  llm.reply = ({ messages }) => (messages.at(-1)!.role === "user" ? { toolCalls: [search] } : { text: "done" });
  await runPi(home, ["-p", ...WITH, "hello"]);
  assert.match(toolAnswers(llm)[0]!, /repaired on Fridays/);
  const elsewhere = join(home.home, "elsewhere");
  mkdirSync(elsewhere);
  await runPi({ ...home, cwd: elsewhere }, ["-p", ...WITH, "hello"]);
  assert.doesNotMatch(toolAnswers(llm)[0]!, /Fridays/);
});

test("what was said in an earlier session is found in its project, and nowhere else", { skip }, async (t) => {
  const { llm, home, daemon } = await openShop(t);
  llm.reply = () => ({ text: "The zeppelin is painted green, as you decided." });
  await runPi(home, ["-p", ...WITH, "which colour has the zeppelin"]);
  await ask(daemon, "POST", "/api/rag/collections", { name: "sessions", kind: "sessions", root: sessionsOf(home) });
  await ask(daemon, "POST", "/api/rag/collections/sessions/reindex?wait=30s", {});
  const search = { name: "knowledge_search", args: { query: "zeppelin painted green" } };
  llm.reply = ({ messages }) => (messages.at(-1)!.role === "user" ? { toolCalls: [search] } : { text: "done" });
  await runPi(home, ["-p", ...WITH, "hello"]);
  assert.match(toolAnswers(llm)[0]!, /^\[1\] .*\.jsonl:\d+-\d+[^]*painted green, as you decided/m);
  const elsewhere = join(home.home, "elsewhere");
  mkdirSync(elsewhere);
  await runPi({ ...home, cwd: elsewhere }, ["-p", ...WITH, "hello"]);
  assert.doesNotMatch(toolAnswers(llm)[0]!, /decided/);
});

const sessionsOf = ({ home }: PiHome): string => join(realpathSync(home), ".pi/agent/sessions");
