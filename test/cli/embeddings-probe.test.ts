import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { probeEmbeddings } from "../../src/cli/embeddings-probe.ts";
import { findClosedPort } from "../support/bad-servers.ts";

async function serve(t: TestContext, status: number, answer: string): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (piece: Buffer) => void (text += piece.toString()));
    request.on("end", () => {
      asked.push(
        `${request.method} ${request.url} ${request.headers.authorization} ${(JSON.parse(text) as { model: string }).model}`,
      );
      response.writeHead(status).end(answer);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked };
}

let nowMs = 0;
const tick = (): number => (nowMs += 5);

test("the length of a vector, by either form of the address, with the key", async (t) => {
  const { url, asked } = await serve(t, 200, '{"data":[{"embedding":[0.1,0.2,0.3]}]}');
  for (const form of [url, `${url}/`, `${url}/embeddings`]) {
    const found = await probeEmbeddings({ url: form, model: "m", apiKey: "k" }, tick);
    assert.deepEqual(found, { dimensions: 3, tookMs: 5 });
  }
  assert.deepEqual(new Set(asked), new Set(["POST /v1/embeddings Bearer k m"]));
});

const rows: readonly (readonly [status: number, answer: string, sentence: RegExp])[] = [
  [404, '{"error":"model \u001b[31mm not found"}', /^it answers 404: .*\\u001b\[31mm not found/],
  [200, "<html>", /^it answers, but no vector$/],
  [200, '{"data":[]}', /^it answers, but no vector$/],
];
for (const [status, answer, sentence] of rows) {
  test(`${status} ${JSON.stringify(answer)}`, async (t) => {
    const { url } = await serve(t, status, answer);
    assert.match(String(await probeEmbeddings({ url, model: "m", apiKey: null }, tick)), sentence);
  });
}

test("nobody there, and no address", async () => {
  const { href } = await findClosedPort();
  assert.equal(await probeEmbeddings({ url: href, model: "m", apiKey: null }, tick), "connection refused");
  assert.equal(await probeEmbeddings({ url: "nonsense", model: "m", apiKey: null }, tick), "its address is no URL");
});
