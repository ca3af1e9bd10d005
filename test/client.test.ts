import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { createClient, DaemonError, UnreachableError } from "../src/client.ts";
import { tempDir } from "./support/temp-dir.ts";

interface Seen {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage["headers"];
  body: string;
}

/** A server that notes each request and gives one answer to all. */
async function serve(t: TestContext, answer: (response: ServerResponse) => void, listenAt: string | 0 = 0) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    seen.push({ method: request.method, url: request.url, headers: request.headers, body });
    answer(response);
  });
  const listening = new Promise<void>((resolve) => server.once("listening", resolve));
  if (listenAt === 0) server.listen(0, "127.0.0.1");
  else server.listen(listenAt);
  await listening;
  t.after(() => server.close());
  const { port } = listenAt === 0 ? (server.address() as AddressInfo) : { port: 0 };
  return { seen, url: `http://127.0.0.1:${port}` };
}

const respond = (status: number, body: unknown) => (response: ServerResponse) => {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
};

describe("what is asked of the daemon", () => {
  for (const [name, act, expected] of [
    ["send", (c) => c.send({ name: "a", type: "counter" }), ["POST", "/api/metrics", '{"name":"a","type":"counter"}']],
    ["sendBatch", (c) => c.sendBatch([]), ["POST", "/api/metrics/batch", '{"metrics":[]}']],
    [
      "sendBatch with an id",
      (c) => c.sendBatch([], "r"),
      ["POST", "/api/metrics/batch", '{"requestId":"r","metrics":[]}'],
    ],
    ["registry", (c) => c.registry(), ["GET", "/api/metrics/registry", ""]],
    [
      "registry, a page",
      (c) => c.registry({ prefix: "a b", limit: 5 }),
      ["GET", "/api/metrics/registry?prefix=a+b&limit=5", ""],
    ],
    ["drop", (c) => c.drop("a/b", { x: "1&2" }), ["DELETE", "/api/metrics/a%2Fb?x=1%262", ""]],
    ["reload", (c) => c.reload(), ["POST", "/admin/reload", ""]],
    ["stats", (c) => c.stats(), ["GET", "/admin/stats", ""]],
    ["config", (c) => c.config(), ["GET", "/config", ""]],
    ["metricsText", (c) => c.metricsText(), ["GET", "/metrics", ""]],
  ] as [string, (client: ReturnType<typeof createClient>) => Promise<unknown>, string[]][]) {
    test(name, async (t) => {
      const { seen, url } = await serve(t, respond(200, {}));
      await act(createClient({ url }));
      assert.deepEqual(
        seen.map(({ method, url, body }) => [method, url, body]),
        [expected],
      );
      assert.equal(seen[0]!.headers["content-type"], expected[2] === "" ? undefined : "application/json");
    });
  }

  test("below the path of the URL", async (t) => {
    const { seen, url } = await serve(t, respond(200, {}));
    await createClient({ url: url + "/behind/a/proxy/" }).config();
    assert.equal(seen[0]!.url, "/behind/a/proxy/config");
  });
  test("with the token", async (t) => {
    const { seen, url } = await serve(t, respond(200, {}));
    await createClient({ url, token: "secret" }).config();
    await createClient({ url }).config();
    assert.deepEqual(
      seen.map(({ headers }) => headers.authorization),
      ["Bearer secret", undefined],
    );
  });
  test("over a unix socket", async (t) => {
    const socketPath = join(tempDir(t), "s");
    const { seen } = await serve(t, respond(200, { version: "1", uptime: 2, status: "ok" }), socketPath);
    assert.equal((await createClient({ socketPath }).health()).version, "1");
    assert.equal(seen[0]!.headers.host, "localhost");
  });
});

describe("what is made of the answer", () => {
  const refusalOf = async (t: TestContext, answer: (response: ServerResponse) => void): Promise<DaemonError> => {
    const { url } = await serve(t, answer);
    const error = await createClient({ url })
      .health()
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    assert.ok(error instanceof DaemonError, String(error));
    return error;
  };

  test("a refusal carries its code and details", async (t) => {
    const details = [{ path: "metrics.0", message: "no" }];
    const error = await refusalOf(t, respond(400, { error: "bad", code: "VALIDATION_ERROR", details }));
    const { status, code, message } = error;
    assert.deepEqual([status, code, message, error.details], [400, "VALIDATION_ERROR", "bad", details]);
  });
  test("a daemon that is not well still tells its health", async (t) => {
    const { url } = await serve(t, respond(503, { status: "degraded", uptime: 1, version: "1", reasons: ["disk"] }));
    assert.deepEqual((await createClient({ url }).health()).reasons, ["disk"]);
  });
  for (const [name, answer] of [
    ["no JSON", (response: ServerResponse) => void response.end("<html>")],
    ["an error page", (response: ServerResponse) => void response.writeHead(404).end("<html>")],
    ["other JSON", respond(200, { ok: true })],
    ["JSON that is no object", respond(200, 3)],
  ] as const) {
    test(`${name} is no pi-daemon`, async (t) => {
      const error = await refusalOf(t, answer);
      assert.match(error.message, /is no pi-daemon/);
      assert.equal(error.code, "UNKNOWN");
    });
  }
  test("drop tells how many went", async (t) => {
    const { url } = await serve(t, respond(200, { dropped: 3 }));
    assert.equal(await createClient({ url }).drop("a"), 3);
  });
});

describe("when nothing answers", () => {
  const unreachable = async (promise: Promise<unknown>): Promise<UnreachableError> => {
    const error = await promise.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof UnreachableError, String(error));
    return error;
  };

  test("no socket", async (t) => {
    const socketPath = join(tempDir(t), "s");
    const error = await unreachable(createClient({ socketPath }).health());
    assert.equal(error.message, `no daemon answers at ${socketPath}: there is no such socket`);
  });
  test("no listener", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await new Promise((resolve) => server.close(resolve));
    const { message } = await unreachable(createClient({ url }).health());
    assert.equal(message, `no daemon answers at ${url}: connection refused`);
  });
  test("silence", async (t) => {
    const { url } = await serve(t, () => {});
    const error = await unreachable(createClient({ url }).health({ timeoutMs: 20 }));
    assert.deepEqual([error.code, error.message], ["TIMEOUT", `no daemon answers at ${url}: no answer within 0.02 s`]);
  });
  test("an answer that is cut off", async (t) => {
    const { url } = await serve(t, (response) => {
      response.writeHead(200, { "content-length": "100" }).write("{");
      setImmediate(() => response.destroy());
    });
    assert.equal((await unreachable(createClient({ url }).health())).code, "ECONNRESET");
  });
  test("a caller that gives up is told its own reason", async (t) => {
    const { url } = await serve(t, () => {});
    const stop = new AbortController();
    const asked = createClient({ url }).call("GET", "/", { signal: stop.signal });
    stop.abort();
    await assert.rejects(asked, { name: "AbortError" });
  });
});

for (const url of ["127.0.0.1:9876", "ftp://x", "", "http://"]) {
  test(`"${url}" is no address`, () => {
    assert.throws(() => createClient({ url }), { name: "TypeError", message: /expected something like http:/ });
  });
}
