import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LINGER_BYTES, LINGER_MS } from "../../src/system/http-connections.ts";
import { ECHO, HEALTH, heldRoute, startHttp, turn } from "../support/http-harness.ts";
import { rawRequest } from "../support/raw-client.ts";

const ROUTES = [HEALTH, ECHO];

describe("a refused body", () => {
  const upload = (length: number): string => rawRequest("POST /echo", { "Content-Length": String(length) }, "");

  it("that is too long is refused before it has come, and may come all the same", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    const rest = Buffer.alloc(8_000_000, "x");
    await client.send(upload(rest.length));
    const response = await client.response();
    assert.deepEqual([response.status, response.json.code], [413, "PAYLOAD_TOO_LARGE"]);
    assert.equal(response.headers["connection"], "close");
    await client.send(rest);
    assert.equal(await client.closed, "end", "closed without a reset");
  });

  it("that is too long is answered also to a client that reads only when it has sent everything", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    client.socket.pause();
    await client.send(Buffer.concat([Buffer.from(upload(8_000_000)), Buffer.alloc(8_000_000, "x")]));
    client.socket.resume();
    assert.equal((await client.response()).status, 413);
    assert.equal(await client.closed, "end");
  });

  it("in chunks that never end is cut after a limit", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    await client.send(rawRequest("POST /echo", { "Content-Type": "application/json", "Transfer-Encoding": "chunked" }));
    const chunk = Buffer.from(`100000\r\n${"x".repeat(0x100000)}\r\n`);
    let sentBytes = 0;
    while (http.server.stats().connections === 1 && sentBytes < 8 * LINGER_BYTES) {
      await client.send(chunk);
      await turn();
      sentBytes += chunk.length;
    }
    assert.ok(sentBytes < 4 * LINGER_BYTES, `cut after ${sentBytes} bytes`);
    assert.deepEqual(
      http.observed.map(({ status }) => status),
      [413],
    );
  });

  it("of a HEAD is refused by its head alone", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    await client.send(rawRequest("HEAD /health", { "Content-Length": "5000" }));
    assert.equal((await client.response("HEAD")).status, 413);
  });

  it("that stops coming is closed after a while", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    await client.send(upload(5_000));
    assert.equal((await client.response()).status, 413);
    http.clock.advance(LINGER_MS - 1_000);
    await turn();
    assert.equal(http.server.stats().connections, 1);
    http.clock.advance(1_000);
    assert.equal(await client.closed, "end");
  });

  it("that is short is swallowed, and the connection lives on", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    const refused = rawRequest("POST /echo", { "Content-Type": "text/plain" }, "plain");
    await client.send(refused + rawRequest("POST /echo", {}, "[1]"));
    assert.equal((await client.response()).status, 415);
    assert.equal((await client.response()).body, '{"json":[1]}\n');
  });

  it("in chunks is refused for its first fault, once it is too long", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    await client.send(rawRequest("POST /echo", { "Content-Type": "text/plain", "Transfer-Encoding": "chunked" }));
    await client.send(`7d0\r\n${"x".repeat(2000)}\r\n`);
    assert.equal((await client.response()).status, 415);
    await client.send("0\r\n\r\n");
    assert.equal(await client.closed, "end");
  });
});

describe("Expect: 100-continue", () => {
  const expecting = (headers: Record<string, string>): string => {
    return rawRequest("POST /echo", { Expect: "100-continue", ...headers }, "");
  };

  it("is told to go on", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    await client.send(expecting({ "Content-Length": "3" }));
    assert.equal((await client.response()).status, 100);
    await client.send("[1]");
    assert.equal((await client.response()).body, '{"json":[1]}\n');
  });

  for (const [name, headers, status] of [
    ["too long", { "Content-Length": "2000" }, 413],
    ["of another type", { "Content-Length": "3", "Content-Type": "text/plain" }, 415],
  ] as const) {
    it(`is refused at once with a body ${name}`, async (t) => {
      const http = await startHttp(t, ROUTES);
      const client = await http.connect();
      await client.send(expecting(headers));
      assert.equal((await client.response()).status, status);
    });
  }
});

describe("a connection that is not HTTP", () => {
  it("gets its answer although it goes on sending, and is cut after a while", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    await client.send(Buffer.alloc(1_000_000, "garbage "));
    assert.equal((await client.response()).status, 400);
    await client.send(Buffer.alloc(1_000_000, "garbage "));
    http.clock.advance(LINGER_MS);
    await client.closed;
    assert.deepEqual(http.observed, [{ pattern: "unmatched", method: "other", status: 400, seconds: 0 }]);
  });

  it("gets its answer also when it reads only after it has sent everything", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    client.socket.pause();
    for (let count = 0; count < 20; count++) {
      await client.send(Buffer.alloc(200_000, "garbage "));
      await turn();
    }
    client.socket.resume();
    assert.equal((await client.response()).status, 400);
  });

  it("is cut when it never stops sending", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    client.socket.allowHalfOpen = true;
    let sentBytes = 0;
    for (let chunk = Buffer.alloc(0x100000, "garbage "); sentBytes < 8 * LINGER_BYTES; sentBytes += chunk.length) {
      await client.send(chunk);
      await turn();
      if (sentBytes > 0 && http.server.stats().connections === 0) break;
    }
    assert.ok(sentBytes < 4 * LINGER_BYTES, `cut after ${sentBytes} bytes`);
  });

  it("gets no answer when it has said nothing", async (t) => {
    const http = await startHttp(t, ROUTES, { headerTimeoutMs: 30, requestTimeoutMs: 60 });
    const client = await http.connect();
    await client.closed;
    await assert.rejects(client.response(), /closed while .* got ""/);
    assert.deepEqual(http.observed, []);
  });

  it("is counted for the route when the body is at fault", async (t) => {
    const http = await startHttp(t, ROUTES);
    const request = rawRequest("POST /echo", { "Content-Type": "application/json", "Transfer-Encoding": "chunked" });
    assert.equal((await http.ask(`${request}zz\r\n`)).status, 400);
    assert.deepEqual(
      http.observed.map(({ pattern, method }) => [pattern, method]),
      [["/echo", "POST"]],
    );
  });

  it("may break off after a CONNECT as after anything else", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    await client.send("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n");
    assert.equal((await client.response()).status, 405);
    client.socket.resetAndDestroy();
    while (http.server.stats().connections > 0) await turn();
    assert.equal((await http.ask(rawRequest("GET /health"))).status, 200);
  });

  it("never answers in place of an earlier request", async (t) => {
    const { route, held } = heldRoute();
    const http = await startHttp(t, [route]);
    const client = await http.connect();
    await client.send(rawRequest("GET /held") + "garbage\r\n\r\n");
    await client.closed;
    assert.equal(held[0]!.signal.aborted, true);
    assert.deepEqual(http.observed, []);
  });

  for (const [name, part] of [
    ["head", "GET /health HTTP/1.1\r\nHost: loc"],
    ["body", rawRequest("POST /echo", { "Content-Length": "9" }, "{")],
  ] as const) {
    it(`is 408 when the ${name} does not come in time`, async (t) => {
      const http = await startHttp(t, ROUTES, { headerTimeoutMs: 30, requestTimeoutMs: 60 });
      const response = await http.ask(part);
      assert.deepEqual([response.status, response.headers["connection"]], [408, "close"]);
    });
  }
});
