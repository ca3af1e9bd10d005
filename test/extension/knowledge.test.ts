import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createClient } from "../../src/extension/client.ts";
import { processClock } from "../../src/extension/clock.ts";
import { projectIdOf } from "../../src/extension/knowledge-project.ts";
import { registerKnowledge } from "../../src/extension/knowledge-tools.ts";
import type { ExtensionConfig } from "../../src/extension/config.ts";
import { BAD_KINDS, findClosedPort, withBadServer } from "../support/bad-servers.ts";
import { type FakePi, fakePi } from "../support/fake-pi.ts";
import { fakeTransport, testConfig } from "../support/fake-transport.ts";

const KNOWLEDGE = { search: true, add: true, tokens: 2000, timeoutMs: 2000 };

interface Asked {
  readonly line: string;
  readonly authorization: string | undefined;
  readonly body: Record<string, unknown>;
}

/** A daemon with one answer to everything. */
async function answering(t: TestContext, status: number, answer: unknown): Promise<{ url: URL; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (piece: Buffer) => void (text += piece.toString()));
    request.on("end", () => {
      const body = JSON.parse(text || "{}") as Asked["body"];
      asked.push({ line: `${request.method} ${request.url}`, authorization: request.headers.authorization, body });
      response.writeHead(status).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), asked };
}

function piWith(config: Partial<ExtensionConfig>, transport?: ReturnType<typeof fakeTransport>): FakePi {
  const pi = fakePi();
  pi.ctx.cwd = import.meta.dirname;
  const client = createClient(testConfig({ knowledge: KNOWLEDGE, ...config }), processClock, transport);
  registerKnowledge(pi, client);
  return pi;
}

async function use(pi: FakePi, tool: string, params: object, signal?: AbortSignal): Promise<string> {
  const { content } = await pi.registered.get(tool)!.execute("1", params, signal, undefined, pi.ctx);
  return content.map(({ text }) => text).join();
}

async function command(pi: FakePi, args: string): Promise<string> {
  await pi.commands.get("knowledge")!.handler(args, pi.ctx);
  return pi.ctx.notices.at(-1)!;
}

const CONTEXT = {
  context: "Untrusted reference text:\n[1] /a/b.md:3-9 (Setup)\nnpm \u001b[31mstart\n",
  sources: [{ number: 1 }],
  tokens: 12,
  notices: ["indexing goes on"],
};

test("knowledge_search: the context of the daemon, for this project, without what moves a cursor", async (t) => {
  const { url, asked } = await answering(t, 200, CONTEXT);
  const pi = piWith({ daemonUrl: url, token: "t" });
  const text = await use(pi, "knowledge_search", { query: "how to start" });
  assert.equal(text, "Untrusted reference text:\n[1] /a/b.md:3-9 (Setup)\nnpm [31mstart\nNote: indexing goes on");
  const body: Asked["body"] = { q: "how to start", project: projectIdOf(import.meta.dirname), budget: 2000 };
  assert.deepEqual(asked, [{ line: "POST /api/rag/context", authorization: "Bearer t", body }]);
  await use(pi, "knowledge_search", { query: "x", collection: "docs" });
  assert.deepEqual(asked[1]!.body["collections"], ["docs"]);
  assert.equal(asked[1]!.body["project"], body["project"], "a collection that is named opens no other project");
});

test("knowledge_search: what is not marked is marked, and what is too long is cut", async (t) => {
  const { url } = await answering(t, 200, { ...CONTEXT, context: `[1] a.md:1-2\n${"x".repeat(99_999)}`, notices: [] });
  const pi = piWith({ daemonUrl: url, knowledge: { ...KNOWLEDGE, tokens: 100 } });
  const text = await use(pi, "knowledge_search", { query: "x" });
  assert.match(text, /^Untrusted reference text [^\n]*\n\[1\] a\.md:1-2\nx+$/);
  assert.ok(text.length < 1000);
});

test("knowledge_search: nothing found", async (t) => {
  const { url } = await answering(t, 200, { context: "", sources: [], tokens: 0, notices: [] });
  const text = await use(piWith({ daemonUrl: url }), "knowledge_search", { query: "x" });
  assert.equal(text, "Nothing in the knowledge base fits.");
});

const refusals: readonly (readonly [status: number, answer: unknown, text: RegExp])[] = [
  [401, { error: "token", code: "AUTH_MISSING" }, /the daemon asks for a token: set auth\.token and daemonUrl/],
  [403, { error: "wrong token", code: "AUTH_INVALID" }, /403: wrong token/],
  [404, { error: 'there is no collection "x"', code: "NOT_FOUND" }, /404: there is no collection "x"/],
  [503, { error: "not now", code: "UNAVAILABLE" }, /503: not now/],
  [200, "text", /200: what answers is no pi-daemon/],
];
for (const [status, answer, expected] of refusals) {
  test(`${status}: told in one line`, async (t) => {
    const { url } = await answering(t, status, answer);
    const pi = piWith({ daemonUrl: url });
    for (const text of [
      await use(pi, "knowledge_search", { query: "x" }),
      await use(pi, "knowledge_add", { text: "x" }),
      await command(pi, "x"),
      await command(pi, "status"),
    ]) {
      assert.match(text, expected);
      assert.ok(!text.includes("\n"), text);
    }
  });
}

for (const kind of BAD_KINDS) {
  test(`a daemon ${kind}: one line, in time`, async (t) => {
    const { url } = await withBadServer(t, kind);
    const pi = piWith({ daemonUrl: url, knowledge: { ...KNOWLEDGE, timeoutMs: 200 } });
    const startMs = performance.now();
    const text = await use(pi, "knowledge_search", { query: "x" });
    assert.match(text, /^The knowledge base is not available: [^\n]+\. Go on without it\.$/);
    assert.match(await use(pi, "knowledge_add", { text: "x" }), /^Nothing says that the note was kept: [^\n]+$/);
    assert.ok(performance.now() - startMs < 2000);
  });
}

test("away: one line", async () => {
  const text = await use(piWith({ daemonUrl: await findClosedPort() }), "knowledge_search", { query: "x" });
  assert.match(text, /^The knowledge base is not available: no pi-daemon at http[^\n]*ECONNREFUSED[^\n]*$/);
});

test("without a socket, and no daemon named: nothing is sent to whoever holds the usual port", async () => {
  const transport = fakeTransport();
  const socketPath = join(import.meta.dirname, "no.sock");
  const pi = piWith({ daemonUrl: undefined, token: "secret", socketPath }, transport);
  assert.match(await use(pi, "knowledge_search", { query: "x" }), /: no pi-daemon is running at .*no\.sock\./);
  assert.match(await use(pi, "knowledge_add", { text: "x" }), /no pi-daemon is running/);
  assert.match(await command(pi, "x"), /no pi-daemon is running/);
  assert.deepEqual(transport.calls, []);
});

test("given up before it began, and in the middle", async (t) => {
  const { url } = await withBadServer(t, "hanging");
  const pi = piWith({ daemonUrl: url, knowledge: { ...KNOWLEDGE, timeoutMs: 60_000 } });
  const expected = "The knowledge base is not available: the call was given up. Go on without it.";
  assert.equal(await use(pi, "knowledge_search", { query: "x" }, AbortSignal.abort()), expected);
  const middle = new AbortController();
  const waiting = use(pi, "knowledge_search", { query: "x" }, middle.signal);
  setImmediate(() => middle.abort());
  assert.equal(await waiting, expected);
});

test("knowledge_add: a note of this project and session", async (t) => {
  const { url, asked } = await answering(t, 201, {});
  const pi = piWith({ daemonUrl: url });
  const text = await use(pi, "knowledge_add", { text: "Tests need Node 22", title: "Node", tags: ["setup"] });
  const id = /^Kept as notes\/(pi-[0-9a-f]{16})\.$/.exec(text)?.[1];
  const [{ line, body }] = asked as [Asked];
  assert.equal(line, `PUT /api/rag/collections/notes/documents/${id}`);
  const metadata = { session: "s1", from: "pi" };
  const project = projectIdOf(import.meta.dirname);
  assert.deepEqual(body, { text: "Tests need Node 22", title: "Node", tags: ["setup"], metadata, project });
  await use(pi, "knowledge_add", { text: "Second" });
  assert.notEqual(asked[1]!.line, line);
});

test("which tools there are is said by the settings", () => {
  const names = (config: Partial<ExtensionConfig>): string[] => [...piWith(config).registered.keys()];
  assert.deepEqual(names({ knowledge: { ...KNOWLEDGE, add: false } }), ["knowledge_search"]);
  assert.deepEqual(names({ knowledge: { ...KNOWLEDGE, search: false } }), ["knowledge_add"]);
  assert.deepEqual(names({ enabled: false }), []);
});

test("/knowledge: places as seen from here, and what is indexed", async (t) => {
  const hit = { collection: "docs", id: "a.md", path: join(import.meta.dirname, "a.md"), startLine: 3, endLine: 9 };
  const own = { collection: "notes", id: "n1", path: null, startLine: 1, endLine: 1 };
  const note = { ...own, headings: [], snippet: "two\n words" };
  const hits = [{ ...hit, headings: ["Setup", "Linux"], snippet: "npm \u001b[31mstart" }, note];
  const found = await answering(t, 200, { hits, notices: ["vectors are caught up"] });
  const places = ["a.md:3-9  Setup > Linux", "  npm [31mstart", "notes/n1:1-1", "  two words"];
  const expected = [...places, "note: vectors are caught up"];
  assert.deepEqual((await command(piWith({ daemonUrl: found.url }), " how to start ")).split("\n"), expected);
  assert.deepEqual(found.asked[0]!.body, { q: "how to start", project: projectIdOf(import.meta.dirname), k: 5 });

  const embeddings = { state: "away", model: "m", ratio: 0.5, error: "refused" };
  const status = { documents: 3, chunks: 9, collections: 2, indexing: true, embeddings, problems: ["disk is full"] };
  const told = await command(piWith({ daemonUrl: (await answering(t, 200, status)).url }), "status");
  assert.deepEqual(told.split("\n"), [
    "3 documents in 2 collections, 9 chunks",
    "indexing goes on",
    "embeddings endpoint: away (m): refused",
    "problem: disk is full",
  ]);
  const { url } = await answering(t, 200, { hits: [], notices: [] });
  assert.equal(await command(piWith({ daemonUrl: url }), "x"), "nothing fits");
  assert.match(await command(piWith({}), ""), /^\/knowledge WORDS/);
});
