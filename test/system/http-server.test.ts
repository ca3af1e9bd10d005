import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Route } from "../../src/system/http.ts";
import { ECHO, HEALTH, heldRoute, startHttp, turn } from "../support/http-harness.ts";
import { rawRequest } from "../support/raw-client.ts";

const ROUTES = [HEALTH, ECHO];

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

  it("end with the answer to a request that asked for it, whatever the client sends behind it", async (t) => {
    const { route, held, answerAll } = heldRoute();
    const http = await startHttp(t, [HEALTH, route]);
    const client = await http.connect();
    await client.send(rawRequest("GET /held", { Connection: "close" }) + rawRequest("GET /health"));
    while (held.length === 0) await turn();
    answerAll();
    assert.equal((await client.response()).body, "held");
    await client.closed;
    assert.deepEqual(
      http.observed.map(({ pattern }) => pattern),
      ["/held"],
    );
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
    const ask = async (token: string): Promise<number> => {
      const response = await http.ask(rawRequest("POST /echo", { Authorization: `Bearer ${token}` }));
      return response.status;
    };
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
    await (
      await http.connect()
    ).closed;
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

  it("tells those that would wait for long, and takes their answer", async (t) => {
    const route: Route = {
      method: "GET",
      pattern: "/waits",
      access: "open",
      deadlineMs: 0,
      handle: ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve({ status: 202, body: "not yet" }), { once: true });
        }),
    };
    const http = await startHttp(t, [route]);
    const client = await http.connect();
    await client.send(rawRequest("GET /waits"));
    while (http.server.stats().inFlight === 0) await turn();
    const stopped = http.server.stop();
    assert.deepEqual(((response) => [response.status, response.body])(await client.response()), [202, "not yet"]);
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
    assert.deepEqual(
      http.lines.map(({ level, fields }) => [level, fields["requests"]]),
      [["warn", 1]],
    );
  });

  for (const [name, startsLate] of [
    ["has begun", false],
    ["begins meanwhile", true],
  ] as const) {
    it(`tells a stream that ${name} to end, and lets it end well`, async (t) => {
      async function* follow(signal: AbortSignal): AsyncGenerator<string> {
        yield "first";
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
        yield "last";
      }
      let begin = (): void => {};
      const begun = new Promise<void>((resolve) => (begin = resolve));
      const http = await startHttp(t, [
        {
          method: "GET",
          pattern: "/follow",
          access: "open",
          handle: ({ signal }) => begun.then(() => ({ status: 200, body: follow(signal) })),
        },
      ]);
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
