/** Searches of a whole daemon: what is put is found, what is removed is not, and hostile requests are answered. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { startTestDaemon } from "../../support/daemon.ts";
import { tempDir } from "../../support/temp-dir.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly ids: readonly string[];
}

type Call = (method: string, path: string, body?: string) => Promise<Answer>;

async function start(t: TestContext): Promise<{ call: Call; metrics: () => Promise<string> }> {
  const dataDir = tempDir(t);
  const daemon = await startTestDaemon(t, { dataDir });
  const authorization = `Bearer ${readFileSync(join(dataDir, "token"), "utf8").trim()}`;
  return {
    async call(method, path, body) {
      const headers = { authorization, ...(body !== undefined && { "content-type": "application/json" }) };
      const reply = await daemon.fetch(`/api/rag/${path}`, { method, headers, ...(body !== undefined && { body }) });
      const text = await reply.text();
      const { hits = [] } = (text.startsWith("{") ? JSON.parse(text) : {}) as { hits?: { id: string }[] };
      return { status: reply.status, text, ids: hits.map(({ id }) => id) };
    },
    metrics: async () => (await daemon.fetch("/metrics")).text(),
  };
}

const put = (call: Call, id: string, text: string, rest = {}): Promise<Answer> =>
  call("PUT", `collections/mine/documents/${id}`, JSON.stringify({ text, ...rest }));

test("what is put is found at once, replaced and removed at once", async (t) => {
  const { call, metrics } = await start(t);
  assert.equal((await put(call, "tides", "The tide turns twice a day.")).status, 201);
  await put(call, "moon", "The moon pulls the sea.", { project: "astronomy" });
  assert.deepEqual((await call("GET", "search?q=tide")).ids, ["tides"]);
  assert.deepEqual((await call("GET", "search?q=moon")).ids, [], "another project's");
  assert.deepEqual((await call("GET", "search?q=moon&project=astronomy")).ids, ["moon"]);
  assert.deepEqual((await call("GET", "search?q=moon&collection=mine")).ids, ["moon"]);
  await put(call, "tides", "Currents run along the coast.");
  assert.deepEqual((await call("GET", "search?q=tide")).ids, []);
  assert.deepEqual((await call("GET", "search?q=coast")).ids, ["tides"]);
  const context = await call("POST", "context", JSON.stringify({ q: "currents along the coast" }));
  assert.match(JSON.parse(context.text).context, /\[1\] mine\/tides:1\n> Currents run along the coast\./);
  assert.equal((await call("DELETE", "collections/mine/documents/tides")).status, 204);
  assert.deepEqual((await call("GET", "search?q=coast")).ids, []);
  assert.match(await metrics(), /pi_daemon_rag_query_duration_seconds_count\{mode="hybrid"\} 8/);
});

test("hostile requests are answered at once, with what is wrong", async (t) => {
  const { call } = await start(t);
  await put(call, "__proto__", "constructor toString valueOf");
  assert.deepEqual((await call("GET", "search?q=constructor+__proto__")).ids, ["__proto__"]);
  const long = await call("POST", "search", JSON.stringify({ q: "x ".repeat(500_000) }));
  assert.ok([400, 413].includes(long.status), `${long.status}`);
  assert.equal((await call("POST", "search", '{"q": "a", "__proto__": {"k": 5}}')).status, 400);
  assert.equal((await call("POST", "search", `{"q": "a", "filters": ${"[".repeat(5000)}`)).status, 400);
  assert.equal((await call("GET", `search?q=${encodeURIComponent('"'.repeat(500))}`)).status, 400);
  const words = Array.from({ length: 300 }, (_, at) => `-w${at}`).join(" ");
  assert.equal((await call("GET", `search?q=${encodeURIComponent(words)}`)).status, 200);
});
