/** A whole daemon with an embeddings endpoint: what a person sees of it. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startTestDaemon } from "../../support/daemon.ts";
import { startFakeEmbeddings } from "../../support/fake-embeddings.ts";
import { recordingLog } from "../../support/recording-log.ts";
import { until } from "../../support/tally.ts";

const CANARY = "canary-of-an-api-key-42";

interface Status {
  readonly embeddings: { readonly state: string; readonly ratio: number | null; readonly error: string | null };
}

test("vectors of an endpoint: searched, counted, switched off, and its key shown nowhere", async (t) => {
  const server = await startFakeEmbeddings(t);
  const log = recordingLog();
  const embeddings = { url: server.url, model: "m", apiKey: CANARY, queryTimeoutMs: 500 };
  const daemon = await startTestDaemon(t, { config: { rag: { embeddings } }, log });
  const authorization = `Bearer ${readFileSync(join(daemon.dataDir, "token"), "utf8").trim()}`;
  const shown: string[] = [];
  const call = async (path: string, body?: object): Promise<unknown> => {
    const headers = { authorization, "content-type": "application/json" };
    const reply = await daemon.fetch(path, body ? { method: "PUT", headers, body: JSON.stringify(body) } : { headers });
    shown.push(await reply.text());
    return JSON.parse(shown.at(-1)!);
  };
  const status = async (): Promise<Status["embeddings"]> => ((await call("/api/rag/status")) as Status).embeddings;
  const metric = async (): Promise<string | undefined> =>
    /^pi_daemon_rag_embedded_ratio\{collection="mine"\} (\S+)$/m.exec(
      await (await daemon.fetch("/metrics")).text(),
    )?.[1];

  await call("/api/rag/collections/mine/documents/tides", { text: "The tide turns twice a day." });
  await call("/api/rag/collections/mine/documents/bread", { text: "Flour, water and salt." });
  await until(async () => (await status()).state === "ready");
  assert.deepEqual(await status(), { state: "ready", model: "m", ratio: 1, error: null });
  assert.equal(server.requests[0]!.headers.authorization, `Bearer ${CANARY}`);
  const found = (await call("/api/rag/search?q=salt+flour&mode=vector&explain")) as {
    hits: { id: string; why: string }[];
    notices: string[];
  };
  assert.deepEqual([found.hits[0]?.id, found.hits[0]?.why, found.notices], ["bread", "vector", []]);
  assert.equal(server.texts().at(-1), "salt flour");
  assert.equal(((await call("/api/rag/collections/mine")) as { embeddedRatio: number }).embeddedRatio, 1);
  assert.equal(await metric(), "1");

  await server.close();
  const without = (await call("/api/rag/search?q=salt+flour")) as { hits: { id: string }[]; notices: string[] };
  assert.equal(without.hits[0]?.id, "bread");
  assert.match(
    without.notices.join(),
    /^searched without the vectors of the endpoint: http:\S+: the connection was refused/,
  );
  assert.equal((await status()).state, "away");

  await call("/config");
  await call("/admin/stats");
  const config = JSON.parse(readFileSync(daemon.configPath, "utf8")) as { rag: object };
  writeFileSync(daemon.configPath, JSON.stringify({ ...config, rag: {} }), { mode: 0o600 });
  assert.equal((await daemon.reload()).ok, true);
  await until(async () => (await status()).state === "off");
  assert.equal(await metric(), undefined);
  assert.equal(((await call("/api/rag/collections/mine")) as { embeddedRatio: null }).embeddedRatio, null);
  const again = (await call("/api/rag/search?q=salt+flour")) as { hits: { id: string }[]; notices: string[] };
  assert.deepEqual([again.hits[0]?.id, again.notices], ["bread", []]);
  assert.ok(!JSON.stringify([shown, log.lines]).includes(CANARY), "the key is shown somewhere");
});
