import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { createConnections, LINGER_BYTES, LINGER_MS } from "../../src/system/http-connections.ts";
import { jsonReply, type Request, type Route } from "../../src/system/http.ts";
import { rawRequest, startHttp, turn } from "../support/http-harness.ts";

const HEALTH: Route = { method: "GET", pattern: "/health", access: "open", unlimited: true, handle: () => jsonReply({ status: "ok" }) };
const ECHO: Route = { method: "POST", pattern: "/echo", access: "open", handle: ({ json }) => jsonReply({ json }) };
const ROUTES = [HEALTH, ECHO];

/** A route that keeps its requests until they are answered by the test. */
function heldRoute(): { route: Route; held: Request[]; answerAll: () => void } {
  const held: Request[] = [];
  const answers: (() => void)[] = [];
  const route: Route = {
    method: "GET", pattern: "/held", access: "open",
    handle: (request) => {
      held.push(request);
      return new Promise((resolve) => void answers.push(() => resolve({ status: 200, body: "held" })));
    },
  };
  return { route, held, answerAll: () => answers.splice(0).forEach((answer) => answer()) };
}

describe("a refused body", () => {
  const upload = (length: number): string => rawRequest("POST /echo", { "Content-Length": String(length) }, "");

  it("that is too long is refused before it has come, and may come all the same", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    const rest = Buffer.alloc(8_000_000, "x");
    await client.send(upload(rest.length));
    const response = await client.response();
    assert.deepEqual([response.status, response.json.code, response.headers["connection"]], [413, "PAYLOAD_TOO_LARGE", "close"]);
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
    assert.deepEqual(http.observed.map(({ status }) => status), [413]);
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
    await client.send(rawRequest("POST /echo", { "Content-Type": "text/plain" }, "plain") + rawRequest("POST /echo", {}, "[1]"));
    assert.equal((await client.response()).status, 415);
    assert.equal((await client.response()).body, '{"json":[1]}\n');
  });

  it("in chunks is refused for its first fault, once it is too long", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    await client.send(rawRequest("POST /echo", { "Content-Type": "text/plain", "Transfer-Encoding": "chunked" }) + `7d0\r\n${"x".repeat(2000)}\r\n`);
    assert.equal((await client.response()).status, 415);
    await client.send("0\r\n\r\n");
    assert.equal(await client.closed, "end");
  });
});

describe("Expect: 100-continue", () => {
  const expecting = (headers: Record<string, string>): string => rawRequest("POST /echo", { Expect: "100-continue", ...headers }, "");

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
    assert.deepEqual(http.observed, [{ pattern: "unmatched", method: "other", status: 400, seconds: 0 }], "counted once");
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
    const request = rawRequest("POST /echo", { "Content-Type": "application/json", "Transfer-Encoding": "chunked" }) + "zz\r\n";
    assert.equal((await http.ask(request)).status, 400);
    assert.deepEqual(http.observed.map(({ pattern, method }) => [pattern, method]), [["/echo", "POST"]]);
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

  for (const [name, part] of [["head", "GET /health HTTP/1.1\r\nHost: loc"], ["body", rawRequest("POST /echo", { "Content-Length": "9" }, "{")]] as const) {
    it(`is 408 when the ${name} does not come in time`, async (t) => {
      const http = await startHttp(t, ROUTES, { headerTimeoutMs: 30, requestTimeoutMs: 60 });
      const response = await http.ask(part);
      assert.deepEqual([response.status, response.headers["connection"]], [408, "close"]);
    });
  }
});

describe("connections", () => {
  it("live on between requests", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    for (let count = 0; count < 3; count++) {
      await client.send(rawRequest("GET /health"));
      const { headers } = await client.response();
      assert.deepEqual([headers["connection"], headers["keep-alive"]], ["keep-alive", "timeout=75"]);
    }
    assert.equal(http.server.stats().connections, 1);
  });

  it("end when the client asks for it", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    await client.send(rawRequest("GET /health", { Connection: "close" }));
    assert.equal((await client.response()).status, 200);
    assert.equal(await client.closed, "end");
  });

  it("beyond the limit are closed at once, and counted", async (t) => {
    const http = await startHttp(t, ROUTES, { maxConnections: 1 });
    const first = await http.connect();
    await first.send(rawRequest("GET /health"));
    await first.response();
    const second = await http.connect();
    await second.closed;
    assert.deepEqual(http.server.stats(), { connections: 1, requests: 1, inFlight: 0, refusedConnections: 1 });
  });
});

describe("cutStalled", () => {
  function open(): { socket: Socket & { writableLength: number; bytesWritten: number; cut: boolean }; tick: (nowMs: number) => boolean } {
    const fields = { cut: false, writableLength: 0, bytesWritten: 0, bytesRead: 0, remoteAddress: "a", destroy: () => (socket.cut = true) };
    const socket = Object.assign(new EventEmitter(), fields) as unknown as Socket & { writableLength: number; bytesWritten: number; cut: boolean };
    const connections = createConnections(() => {});
    connections.open(socket, false);
    return {
      socket,
      tick(nowMs) {
        connections.cutStalled(nowMs, 3_000);
        return socket.cut;
      },
    };
  }

  it("spares a reader that takes a little now and then", () => {
    const { socket, tick } = open();
    Object.assign(socket, { writableLength: 100, bytesWritten: 100 });
    for (let nowMs = 0; nowMs < 60_000; nowMs += 1_000) {
      if (nowMs % 2_000 === 0) socket.writableLength--;
      assert.equal(tick(nowMs), false, `at ${nowMs}`);
    }
  });

  it("counts as nothing taken what is only queued on top", () => {
    const { socket, tick } = open();
    for (let nowMs = 0; nowMs < 3_000; nowMs += 1_000) {
      socket.writableLength += 10;
      socket.bytesWritten += 10;
      assert.equal(tick(nowMs), false);
    }
    assert.equal(tick(3_000), true);
  });

  it("begins anew when everything has been taken", () => {
    const { socket, tick } = open();
    Object.assign(socket, { writableLength: 10, bytesWritten: 10 });
    tick(0);
    socket.writableLength = 0;
    tick(2_000);
    Object.assign(socket, { writableLength: 10, bytesWritten: 20 });
    assert.deepEqual([3_000, 5_999, 6_000].map(tick), [false, false, true]);
  });
});

describe("the rate limit", () => {
  const limited = { rateLimit: { requestsPerSecond: 1, burst: 2 } };

  it("answers 429 with Retry-After, on unknown paths too, but never for what is outside it", async (t) => {
    const http = await startHttp(t, ROUTES, limited);
    const statuses: number[] = [];
    const lines = ["GET /health", "GET /none", "POST /echo", "GET /none", "POST /echo", "GET /health"];
    for (const line of lines) statuses.push((await http.ask(rawRequest(line))).status);
    assert.deepEqual(statuses, [200, 404, 200, 429, 429, 200]);
    const { json, headers } = await http.ask(rawRequest("GET /none"));
    assert.deepEqual([json.code, headers["retry-after"]], ["RATE_LIMITED", "1"]);
    http.clock.advance(1_000);
    assert.equal((await http.ask(rawRequest("GET /none"))).status, 404);
  });

  it("counts who has the token apart from the others at the same address, and guessing with the others", async (t) => {
    const http = await startHttp(t, ROUTES, limited);
    const ask = async (token: string): Promise<number> => (await http.ask(rawRequest("POST /echo", { Authorization: `Bearer ${token}` }))).status;
    assert.deepEqual([await ask("guess"), await ask("other guess"), await ask("third guess")], [200, 200, 429]);
    assert.deepEqual([await ask("right-token"), await ask("right-token"), await ask("right-token")], [200, 200, 429]);
  });

  it("goes on counting when other settings change, and follows its own", async (t) => {
    const http = await startHttp(t, ROUTES, limited);
    for (let count = 0; count < 2; count++) await http.ask(rawRequest("POST /echo"));
    http.reconfigure({ ...limited, maxPayloadSize: 5 });
    assert.equal((await http.ask(rawRequest("POST /echo"))).status, 429);
    http.reconfigure({ rateLimit: { requestsPerSecond: 0, burst: 0 } });
    for (let count = 0; count < 5; count++) assert.equal((await http.ask(rawRequest("POST /echo"))).status, 200);
  });
});

describe("reconfigure", () => {
  it("changes routes, limits and hosts for the next request of a connection", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    const ask = async (request: string): Promise<number> => {
      await client.send(request);
      return (await client.response()).status;
    };
    const lan = rawRequest("GET /health", { Host: "metrics.lan" });
    const long = rawRequest("POST /echo", {}, '"more than ten bytes"');
    assert.deepEqual([await ask(lan), await ask(long)], [403, 200]);
    http.reconfigure({ allowedHosts: ["metrics.lan"] }, [HEALTH]);
    assert.deepEqual([await ask(lan), await ask(long)], [200, 404]);
    http.reconfigure({ maxPayloadSize: 10 }, ROUTES);
    assert.deepEqual([await ask(lan), await ask(long)], [403, 413]);
  });

  it("changes the number of connections", async (t) => {
    const http = await startHttp(t, ROUTES);
    const first = await http.connect();
    await first.send(rawRequest("GET /health"));
    await first.response();
    http.reconfigure({ maxConnections: 1 });
    await (await http.connect()).closed;
    assert.equal(http.server.stats().refusedConnections, 1);
  });

  it("lets requests in flight end as they began", async (t) => {
    const { route, held, answerAll } = heldRoute();
    const http = await startHttp(t, [route]);
    const response = http.ask(rawRequest("GET /held"));
    while (held.length === 0) await turn();
    http.reconfigure({}, []);
    answerAll();
    assert.equal((await response).body, "held");
  });

  it("keeps everything as it was when the routes are faulty", async (t) => {
    const http = await startHttp(t, ROUTES);
    assert.throws(() => http.reconfigure({}, [HEALTH, HEALTH]), TypeError);
    assert.equal((await http.ask(rawRequest("POST /echo"))).status, 200);
  });
});

describe("stop", () => {
  it("answers what is in flight, closes the rest, and takes nothing new", async (t) => {
    const { route, held, answerAll } = heldRoute();
    const http = await startHttp(t, [HEALTH, route]);
    const [busy, idle, fresh] = [await http.connect(), await http.connect(), await http.connect()];
    await idle.send(rawRequest("GET /health"));
    await idle.response();
    await busy.send(rawRequest("GET /held"));
    while (held.length === 0) await turn();
    const stopped = http.server.stop();
    await Promise.all([idle.closed, fresh.closed]);
    await assert.rejects(http.connect(), { code: "ECONNREFUSED" });
    assert.equal(held[0]!.signal.aborted, false);
    answerAll();
    const response = await busy.response();
    assert.deepEqual([response.body, response.headers["connection"]], ["held", "close"]);
    await stopped;
    assert.equal(await busy.closed, "end");
    assert.equal(http.server.stats().connections, 0);
  });

  it("answers a request whose body was still coming", async (t) => {
    const http = await startHttp(t, ROUTES);
    const client = await http.connect();
    await client.send(rawRequest("POST /echo", { "Content-Length": "3" }, "["));
    while (http.server.stats().inFlight === 0) await turn();
    const stopped = http.server.stop();
    await client.send("1]");
    assert.equal((await client.response()).headers["connection"], "close");
    await stopped;
  });

  it("cuts what is left at the deadline", async (t) => {
    const { route, held } = heldRoute();
    const http = await startHttp(t, [route]);
    const client = await http.connect();
    await client.send(rawRequest("GET /held"));
    while (held.length === 0) await turn();
    const stopped = http.server.stop();
    http.clock.advance(4_999);
    await turn();
    assert.equal(held[0]!.signal.aborted, false);
    http.clock.advance(1);
    await stopped;
    assert.equal(held[0]!.signal.aborted, true);
    assert.deepEqual(http.lines.map(({ level, fields }) => [level, fields["requests"]]), [["warn", 1]]);
  });

  for (const [name, startsLate] of [["has begun", false], ["begins meanwhile", true]] as const) {
    it(`tells a stream that ${name} to end, and lets it end well`, async (t) => {
      async function* follow(signal: AbortSignal): AsyncGenerator<string> {
        yield "first";
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
        yield "last";
      }
      let begin = (): void => {};
      const begun = new Promise<void>((resolve) => (begin = resolve));
      const http = await startHttp(t, [{
        method: "GET", pattern: "/follow", access: "open",
        handle: ({ signal }) => begun.then(() => ({ status: 200, body: follow(signal) })),
      }]);
      const client = await http.connect();
      await client.send(rawRequest("GET /follow"));
      while (http.server.stats().inFlight === 0) await turn();
      if (!startsLate) begin();
      if (!startsLate) await client.until("first");
      const stopped = http.server.stop();
      begin();
      assert.equal((await client.response()).body, "firstlast");
      while (http.server.stats().connections > 0) {
        http.clock.advance(100);
        await turn();
      }
      await stopped;
      assert.deepEqual(http.lines, [], "long before the deadline");
    });
  }

  it("may be called twice", async (t) => {
    const http = await startHttp(t, ROUTES);
    assert.deepEqual(await Promise.all([http.server.stop(), http.server.stop()]), [undefined, undefined]);
  });
});
