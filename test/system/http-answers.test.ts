import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { HttpError, jsonReply, type Reply, type Request, type Route } from "../../src/system/http.ts";
import { StorageError } from "../../src/system/store.ts";
import { rawRequest, startHttp, turn, type RawResponse } from "../support/http-harness.ts";

function route(method: Route["method"], pattern: string, handle: (request: Request) => unknown): Route {
  return { method, pattern, access: "open", handle: handle as Route["handle"] };
}

describe("a reply", () => {
  const rows: readonly [name: string, reply: Reply, expected: (response: RawResponse) => unknown, value: unknown][] = [
    ["of 204 has neither body nor length", { status: 204 }, ({ headers }) => [headers["content-length"], headers["transfer-encoding"]], [undefined, undefined]],
    ["of 204 keeps its headers", { status: 204, headers: { "x-a": "b" } }, ({ headers }) => headers["x-a"], "b"],
    ["of 204 drops a body", { status: 204, body: "text" }, ({ headers }) => headers["content-length"], undefined],
    ["of 200 without a body has a length of 0", { status: 200 }, ({ headers }) => headers["content-length"], "0"],
    ["of a string counts bytes", { status: 200, body: "é" }, ({ headers, body }) => [headers["content-length"], body], ["2", "é"]],
    ["of bytes is those bytes", { status: 201, body: Buffer.from("é") }, ({ status, body }) => [status, body], [201, "é"]],
    ["of JSON says so", jsonReply({ a: 1 }), ({ headers, body }) => [headers["content-type"], body], ["application/json; charset=utf-8", '{"a":1}\n']],
    ["that is long arrives whole", { status: 200, body: "é".repeat(500_000) }, ({ headers, body }) => [headers["content-length"], body === "é".repeat(500_000)], ["1000000", true]],
    ["of pieces is chunked", { status: 200, body: pieces("a", "", Buffer.from("é"), "c") }, ({ headers, body }) => [headers["transfer-encoding"], body], ["chunked", "aéc"]],
    ["of no pieces is empty", { status: 200, body: pieces() }, ({ body }) => body, ""],
  ];
  for (const [name, reply, expected, value] of rows) {
    it(name, async (t) => {
      const http = await startHttp(t, [route("GET", "/", () => reply)]);
      assert.deepEqual(expected(await http.ask(rawRequest("GET /"))), value);
      assert.deepEqual(http.observed.map(({ pattern, status }) => [pattern, status]), [["/", reply.status]]);
    });
    it(`${name}, without the body for HEAD, and the connection goes on`, async (t) => {
      const http = await startHttp(t, [route("GET", "/", () => reply)]);
      const client = await http.connect();
      await client.send(rawRequest("HEAD /") + rawRequest("GET /none"));
      const head = await client.response("HEAD");
      assert.equal(head.status, reply.status);
      assert.equal((await client.response()).status, 404, "no byte of a body came between");
    });
  }

  it("of HEAD lets go of the pieces it does not read", async (t) => {
    const source = trackedPieces();
    const http = await startHttp(t, [route("GET", "/", () => ({ status: 200, body: source.body }))]);
    await http.ask(rawRequest("HEAD /"));
    assert.deepEqual([source.pulled, source.returned], [0, 1]);
  });
});

describe("a request", () => {
  it("shows its parts to the handler", async (t) => {
    let seen: unknown;
    const http = await startHttp(t, [route("POST", "/things/:name", (request) => {
      const { method, path, params, query, body, json } = request;
      seen = { method, path, params: { ...params }, query: query.getAll("q"), body: body.toString(), json, header: request.header("x-a") };
      assert.equal(request.query, query, "made once");
      assert.equal(request.header("constructor"), undefined);
      return { status: 204 };
    })]);
    const response = await http.ask(rawRequest("POST /things/a%20b?q=1&q=%C3%A9&r", { "X-A": "b" }, '{"n":[1]}'));
    assert.equal(response.status, 204, String(http.lines[0]?.fields["error"]));
    assert.deepEqual(seen, {
      method: "POST", path: "/things/a%20b", params: { name: "a b" }, query: ["1", "é"], body: '{"n":[1]}', json: { n: [1] }, header: "b",
    });
  });

  it("has no JSON and no bytes without a body", async (t) => {
    const seen: unknown[] = [];
    const http = await startHttp(t, [route("POST", "/", ({ body, json }) => {
      seen.push(body.length, json);
      return { status: 204 };
    })]);
    await http.ask(rawRequest("POST /"));
    await http.ask(rawRequest("POST /", {}, ""));
    assert.deepEqual(seen, [0, undefined, 0, undefined]);
  });

  it("is the same however its bytes are cut", async (t) => {
    const http = await startHttp(t, [route("POST", "/", ({ json }) => jsonReply(json))]);
    const client = await http.connect();
    const bytes = Buffer.from(rawRequest("POST /?x=1", { "X-A": "b" }, '{"é":"😀"}'));
    for (const byte of bytes) {
      await client.send(Buffer.of(byte));
      await turn();
    }
    assert.equal((await client.response()).body, '{"é":"😀"}\n');
  });

  it("is counted with the time from its head to its answer", async (t) => {
    let release = (): void => {};
    const waiting = new Promise<void>((resolve) => (release = resolve));
    const http = await startHttp(t, [route("GET", "/", async () => {
      release();
      await new Promise<void>((resolve) => (answer = resolve));
      return { status: 204 };
    })]);
    let answer = (): void => {};
    const response = http.ask(rawRequest("GET /"));
    await waiting;
    http.clock.advance(250);
    assert.deepEqual(http.server.stats(), { connections: 1, requests: 1, inFlight: 1, refusedConnections: 0 });
    answer();
    await response;
    assert.deepEqual(http.observed, [{ pattern: "/", method: "GET", status: 204, seconds: 0.25 }]);
    assert.equal(http.server.stats().inFlight, 0);
  });

  it("is answered in its turn when the client pipelines", async (t) => {
    const answers: (() => void)[] = [];
    const http = await startHttp(t, [
      route("GET", "/slow", () => new Promise((resolve) => void answers.push(() => resolve({ status: 200, body: "slow" })))),
      route("GET", "/quick", () => {
        answers.forEach((answer) => answer());
        return { status: 200, body: "quick" };
      }),
    ]);
    const client = await http.connect();
    await client.send(rawRequest("GET /slow") + rawRequest("GET /quick") + rawRequest("GET /quick"));
    const bodies = [await client.response(), await client.response(), await client.response()].map(({ body }) => body);
    assert.deepEqual(bodies, ["slow", "quick", "quick"]);
    assert.equal(http.server.stats().inFlight, 0);
  });

  it("is 503 when too many are pipelined before it", async (t) => {
    let handled = 0;
    const http = await startHttp(t, [route("GET", "/", () => {
      handled++;
      return new Promise(() => {});
    })]);
    const client = await http.connect();
    await client.send(rawRequest("GET /").repeat(100));
    while (http.observed.length < 36) await turn();
    assert.equal(handled, 64);
    assert.ok(http.observed.every(({ status }) => status === 503));
  });
});

describe("an exception of a handler", () => {
  const boom = new Error("secret detail");
  const rows: readonly [name: string, handle: () => unknown, status: number, code: string, isLogged: boolean][] = [
    ["thrown", () => { throw boom; }, 500, "INTERNAL_ERROR", true],
    ["rejected", () => Promise.reject(boom), 500, "INTERNAL_ERROR", true],
    ["that is no Error", () => { throw "secret detail"; }, 500, "INTERNAL_ERROR", true],
    ["that is nothing", () => Promise.reject(undefined), 500, "INTERNAL_ERROR", true],
    ["for no reply", () => undefined, 500, "INTERNAL_ERROR", true],
    ["for a promise of no reply", () => Promise.resolve(undefined), 500, "INTERNAL_ERROR", true],
    ["for a line break in a header", () => ({ status: 200, headers: { "x-a": "secret detail\r\nx-b: c" } }), 500, "INTERNAL_ERROR", true],
    ["for a status that does not exist", () => ({ status: 1000, body: "secret detail" }), 500, "INTERNAL_ERROR", true],
    ["for a body that cannot be written", () => ({ status: 200, body: 7 }), 500, "INTERNAL_ERROR", true],
    ["of the disk", () => Promise.reject(new StorageError("no space left")), 503, "UNAVAILABLE", false],
    ["that is an answer", () => { throw new HttpError(409, "CONFLICT", "taken", { details: { by: "b" } }); }, 409, "CONFLICT", false],
  ];
  for (const [name, handle, status, code, isLogged] of rows) {
    it(`${name} is ${status} ${code}`, async (t) => {
      const http = await startHttp(t, [route("POST", "/", handle)]);
      const client = await http.connect();
      await client.send(rawRequest("POST /", {}, "{}"));
      const response = await client.response();
      assert.deepEqual([response.status, response.json.code], [status, code]);
      assert.equal(response.body.includes("secret detail"), false, "the cause is not shown");
      assert.equal(http.lines.length, isLogged ? 1 : 0);
      if (isLogged) {
        assert.deepEqual(response.json.details, { requestId: "id-1" });
        assert.equal(http.lines[0]!.fields["requestId"], "id-1");
        assert.equal(http.lines[0]!.level, "error");
      }
      await client.send(rawRequest("GET /none"));
      assert.equal((await client.response()).status, 404, "the connection goes on");
      assert.deepEqual(http.observed.map((seen) => seen.status), [status, 404]);
    });
  }

  it("has its stack in the log", async (t) => {
    const http = await startHttp(t, [route("GET", "/", () => Promise.reject(boom))]);
    await http.ask(rawRequest("GET /"));
    assert.equal(http.lines[0]!.fields["error"], boom.stack);
  });

  it("of the disk says when to come back", async (t) => {
    const http = await startHttp(t, [route("GET", "/", () => Promise.reject(new StorageError("no space left")))]);
    const { headers, json } = await http.ask(rawRequest("GET /"));
    assert.equal(headers["retry-after"], "1");
    assert.match(json.error, /no space left/);
  });

  it("that is an answer keeps its headers and details", async (t) => {
    const details = [{ path: "a.0", message: "must be a number" }];
    const error = new HttpError(400, "VALIDATION_ERROR", "faulty", { details, headers: { "x-a": "b" } });
    const http = await startHttp(t, [route("GET", "/", () => { throw error; })]);
    const response = await http.ask(rawRequest("GET /"));
    assert.equal(response.headers["x-a"], "b");
    assert.deepEqual(response.json, { error: "faulty", code: "VALIDATION_ERROR", details });
  });
});

describe("the end of a handler's time", () => {
  const slow = (deadline: { deadlineMs?: number }, seen: Request[]): Route => ({
    ...route("GET", "/slow", (request) => {
      seen.push(request);
      return new Promise((resolve) => request.signal.addEventListener("abort", () => resolve({ status: 200, body: late.body })));
    }),
    ...deadline,
  });
  let late = trackedPieces();
  const rows: readonly [name: string, deadline: { deadlineMs?: number }, atMs: number | undefined][] = [
    ["is the server's by default", {}, 30_000],
    ["may be the route's own", { deadlineMs: 2_000 }, 2_000],
    ["comes at the next second", { deadlineMs: 2_001 }, 3_000],
    ["never comes with 0", { deadlineMs: 0 }, undefined],
  ];
  for (const [name, deadline, atMs] of rows) {
    it(name, async (t) => {
      late = trackedPieces();
      const seen: Request[] = [];
      const http = await startHttp(t, [slow(deadline, seen)]);
      const client = await http.connect();
      await client.send(rawRequest("GET /slow"));
      while (seen.length === 0) await turn();
      http.clock.advance((atMs ?? 1e7) - 1);
      assert.equal(seen[0]!.signal.aborted, false);
      assert.deepEqual(http.observed, []);
      if (atMs === undefined) return;
      http.clock.advance(1);
      assert.equal(seen[0]!.signal.aborted, true);
      const response = await client.response();
      assert.deepEqual([response.status, response.json.code, response.headers["retry-after"]], [503, "UNAVAILABLE", "1"]);
      assert.equal(late.returned, 1, "the late reply is let go");
      assert.deepEqual(http.observed.map(({ status }) => status), [503]);
      assert.deepEqual(http.lines.map(({ message }) => message), ["a handler passed its deadline"]);
      await client.send(rawRequest("GET /none"));
      assert.equal((await client.response()).status, 404);
    });
  }

  it("leaves a late exception to the log", async (t) => {
    let reject = (_: Error): void => {};
    const http = await startHttp(t, [route("GET", "/", () => new Promise((_, no) => (reject = no)))]);
    const client = await http.connect();
    await client.send(rawRequest("GET /"));
    while (http.server.stats().inFlight === 0) await turn();
    http.clock.advance(30_000);
    assert.equal((await client.response()).status, 503);
    reject(new Error("late"));
    await turn();
    assert.deepEqual(http.lines.map(({ level }) => level), ["warn", "error"]);
    await client.send(rawRequest("GET /none"));
    assert.equal((await client.response()).status, 404);
  });
});

describe("a client that leaves", () => {
  it("aborts the signal of its requests, and is not counted", async (t) => {
    const seen: Request[] = [];
    const http = await startHttp(t, [route("GET", "/", (request) => {
      seen.push(request);
      return new Promise(() => {});
    })]);
    const client = await http.connect();
    await client.send(rawRequest("GET /") + rawRequest("GET /"));
    while (seen.length < 2) await turn();
    const { signal } = seen[0]!;
    client.socket.destroy();
    while (!signal.aborted) await turn();
    assert.equal(seen[1]!.signal.aborted, true, "also when asked for afterwards");
    assert.deepEqual(http.observed, []);
    assert.deepEqual(http.server.stats(), { connections: 0, requests: 2, inFlight: 0, refusedConnections: 0 });
  });

  for (const [name, leave, statuses] of [
    ["by a reset, is forgotten", (socket: Socket) => socket.resetAndDestroy(), []],
    ["by closing its half, is told so", (socket: Socket) => socket.end(), [400]],
  ] as const) {
    it(`in the middle of its body, ${name}`, async (t) => {
      const http = await startHttp(t, [route("POST", "/", () => assert.fail("handled"))]);
      const client = await http.connect();
      await client.send(rawRequest("POST /", { "Content-Length": "100" }, "{"));
      while (http.server.stats().inFlight === 0) await turn();
      leave(client.socket);
      while (http.server.stats().connections > 0) await turn();
      assert.deepEqual(http.observed.map(({ status }) => status), statuses);
      assert.deepEqual(http.lines, []);
    });
  }

  it("while pieces are made ends the making at once", async (t) => {
    const source = trackedPieces({ pauseAfter: 1 });
    const http = await startHttp(t, [route("GET", "/", () => ({ status: 200, body: source.body }))]);
    const client = await http.connect();
    await client.send(rawRequest("GET /"));
    await client.until("piece 1");
    client.socket.destroy();
    while (source.returned === 0) await turn();
    source.resume();
    for (let count = 0; count < 5; count++) await turn();
    assert.deepEqual([source.pulled, source.returned], [2, 1], "the piece that was being made is dropped");
    assert.deepEqual(http.observed.map(({ status }) => status), [200]);
    assert.deepEqual(http.lines, []);
  });

  it("while a generator waits is counted once, when the generator ends afterwards", async (t) => {
    let resume = (): void => {};
    const waiting = new Promise<void>((resolve) => (resume = resolve));
    let hasEnded = false;
    async function* generate(): AsyncGenerator<string> {
      try {
        yield "first";
        await waiting;
      } finally {
        hasEnded = true;
      }
    }
    const http = await startHttp(t, [route("GET", "/", () => ({ status: 200, body: generate() }))]);
    const client = await http.connect();
    await client.send(rawRequest("GET /"));
    await client.until("first");
    client.socket.destroy();
    while (http.server.stats().connections > 0) await turn();
    resume();
    while (!hasEnded) await turn();
    await turn();
    assert.equal(http.observed.length, 1);
    assert.deepEqual(http.lines, []);
  });
});

describe("pieces", () => {
  it("are written as they come", async (t) => {
    const source = trackedPieces({ pauseAfter: 2 });
    const http = await startHttp(t, [route("GET", "/", () => ({ status: 200, body: source.body }))]);
    const client = await http.connect();
    await client.send(rawRequest("GET /"));
    assert.match(await client.until("piece 2"), /^HTTP\/1\.1 200 OK\r\n/);
    assert.deepEqual(http.observed, [], "counted at the end");
  });

  it("have their head sent before the first is made", async (t) => {
    const source = trackedPieces({ pauseAfter: 0 });
    const http = await startHttp(t, [route("GET", "/", () => ({ status: 200, body: source.body }))]);
    const client = await http.connect();
    await client.send(rawRequest("GET /"));
    assert.match(await client.until("\r\n\r\n"), /transfer-encoding: chunked/i);
  });

  it("that throw cut the connection, so that half an answer does not look whole", async (t) => {
    async function* failing(): AsyncGenerator<string> {
      yield "half";
      throw new Error("torn");
    }
    const http = await startHttp(t, [route("GET", "/", () => ({ status: 200, body: failing() }))]);
    const client = await http.connect();
    await client.send(rawRequest("GET /"));
    await assert.rejects(client.response(), /the connection closed/);
    assert.match(String(http.lines[0]!.fields["error"]), /torn/);
  });

  it("wait for a reader that does not read, until the reader is cut", async (t) => {
    const source = trackedPieces({ piece: "x".repeat(64 * 1024) });
    const http = await startHttp(t, [route("GET", "/", () => ({ status: 200, body: source.body }))]);
    const client = await http.connect();
    client.socket.pause();
    await client.send(rawRequest("GET /"));
    while (source.pulled === 0) await turn();
    const pulledBySecond: number[] = [];
    while (source.returned === 0) {
      http.clock.advance(1_000);
      for (let count = 0; count < 20; count++) await turn();
      pulledBySecond.push(source.pulled);
    }
    const stalledSeconds = pulledBySecond.length - pulledBySecond.indexOf(source.pulled);
    assert.ok(stalledSeconds >= 20, `cut ${stalledSeconds} s after the last piece`);
    assert.ok(source.pulled < 1000, "no more was made than the system takes");
    client.socket.resume();
    await client.closed;
    assert.equal(http.server.stats().connections, 0);
  });

  it("may come as slowly as they like", async (t) => {
    const source = trackedPieces({ pauseAfter: 1 });
    const http = await startHttp(t, [{ ...route("GET", "/", () => ({ status: 200, body: source.body })), deadlineMs: 1_000 }]);
    const client = await http.connect();
    await client.send(rawRequest("GET /"));
    await client.until("piece 1");
    http.clock.advance(3_600_000);
    source.resume();
    await client.until("piece 2");
    assert.equal(source.returned, 0);
  });
});

async function* pieces(...parts: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* parts;
}

/** Endless pieces that count how often they are asked for and let go; they make the reader wait after `pauseAfter` of them. */
function trackedPieces(options: { pauseAfter?: number; piece?: string } = {}) {
  let resume = (): void => {};
  const state = {
    pulled: 0,
    returned: 0,
    resume: () => resume(),
    body: {
      [Symbol.asyncIterator]: () => ({
        async next() {
          state.pulled++;
          if (state.pulled - 1 === options.pauseAfter) await new Promise<void>((resolve) => (resume = resolve));
          return { done: false as const, value: options.piece ?? `piece ${state.pulled}\n` };
        },
        async return() {
          state.returned++;
          return { done: true as const, value: undefined };
        },
      }),
    },
  };
  return state;
}
