import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jsonReply, type Reply } from "../../src/system/http.ts";
import { heldRoute, openRoute, startHttp, trackedPieces, turn } from "../support/http-harness.ts";
import { rawRequest, type RawResponse } from "../support/raw-client.ts";

describe("a reply", () => {
  const lengthOf = ({ headers }: RawResponse): unknown => headers["content-length"];
  const typeOf = ({ headers }: RawResponse): unknown => headers["content-type"];
  const bodyOf = ({ headers, body }: RawResponse): unknown => [headers["content-length"], body];
  const chunksOf = ({ headers, body }: RawResponse): unknown => [headers["transfer-encoding"], body];
  const long = "é".repeat(500_000);
  const rows: readonly [name: string, reply: Reply, show: (response: RawResponse) => unknown, expected: unknown][] = [
    ["of 204 has no length", { status: 204 }, lengthOf, undefined],
    ["of 204 has no chunks", { status: 204 }, chunksOf, [undefined, ""]],
    ["of 204 keeps its headers", { status: 204, headers: { "x-a": "b" } }, ({ headers }) => headers["x-a"], "b"],
    ["of 204 drops a body", { status: 204, body: "text" }, lengthOf, undefined],
    ["of 200 without a body has a length of 0", { status: 200 }, lengthOf, "0"],
    ["of a string counts bytes", { status: 200, body: "é" }, bodyOf, ["2", "é"]],
    ["of bytes is those bytes", { status: 201, body: Buffer.from("é") }, bodyOf, ["2", "é"]],
    ["of JSON says so", jsonReply({ a: 1 }), typeOf, "application/json; charset=utf-8"],
    ["of JSON ends with a line break", jsonReply({ a: 1 }), bodyOf, ["8", '{"a":1}\n']],
    ["that is long arrives whole", { status: 200, body: long }, bodyOf, ["1000000", long]],
    ["of pieces is chunked", { status: 200, body: pieces("a", "", Buffer.from("é")) }, chunksOf, ["chunked", "aé"]],
    ["of no pieces is empty", { status: 200, body: pieces() }, chunksOf, ["chunked", ""]],
  ];
  for (const [name, reply, show, expected] of rows) {
    it(name, async (t) => {
      const http = await startHttp(t, [openRoute("GET", "/", () => reply)]);
      assert.deepEqual(show(await http.ask(rawRequest("GET /"))), expected);
      assert.deepEqual(
        http.observed.map(({ pattern, status }) => [pattern, status]),
        [["/", reply.status]],
      );
    });
    it(`${name}, without the body for HEAD, and the connection goes on`, async (t) => {
      const http = await startHttp(t, [openRoute("GET", "/", () => reply)]);
      const client = await http.connect();
      await client.send(rawRequest("HEAD /") + rawRequest("GET /none"));
      const head = await client.response("HEAD");
      assert.equal(head.status, reply.status);
      assert.equal((await client.response()).status, 404, "no byte of a body came between");
    });
  }

  it("of HEAD lets go of the pieces it does not read", async (t) => {
    const source = trackedPieces();
    const http = await startHttp(t, [openRoute("GET", "/", () => ({ status: 200, body: source.body }))]);
    await http.ask(rawRequest("HEAD /"));
    assert.deepEqual([source.pulled, source.returned], [0, 1]);
  });
});

describe("a request", () => {
  it("shows its parts to the handler", async (t) => {
    let seen: unknown;
    const http = await startHttp(t, [
      openRoute("POST", "/things/:name", (request) => {
        const { method, path, params, query, body, json } = request;
        const [text, header] = [body.toString(), request.header("x-a")];
        seen = { method, path, params: { ...params }, query: query.getAll("q"), text, json, header };
        assert.equal(request.query, query, "made once");
        assert.equal(request.header("constructor"), undefined);
        return { status: 204 };
      }),
    ]);
    const response = await http.ask(rawRequest("POST /things/a%20b?q=1&q=%C3%A9&r", { "X-A": "b" }, '{"n":[1]}'));
    assert.equal(response.status, 204, String(http.lines[0]?.fields["error"]));
    assert.deepEqual(seen, {
      method: "POST",
      path: "/things/a%20b",
      params: { name: "a b" },
      query: ["1", "é"],
      text: '{"n":[1]}',
      json: { n: [1] },
      header: "b",
    });
  });

  it("has no JSON and no bytes without a body", async (t) => {
    const seen: unknown[] = [];
    const http = await startHttp(t, [
      openRoute("POST", "/", ({ body, json }) => {
        seen.push(body.length, json);
        return { status: 204 };
      }),
    ]);
    await http.ask(rawRequest("POST /"));
    await http.ask(rawRequest("POST /", {}, ""));
    assert.deepEqual(seen, [0, undefined, 0, undefined]);
  });

  it("is the same however its bytes are cut", async (t) => {
    const http = await startHttp(t, [openRoute("POST", "/", ({ json }) => jsonReply(json))]);
    const client = await http.connect();
    const bytes = Buffer.from(rawRequest("POST /?x=1", { "X-A": "b" }, '{"é":"😀"}'));
    for (const byte of bytes) {
      await client.send(Buffer.of(byte));
      await turn();
    }
    assert.equal((await client.response()).body, '{"é":"😀"}\n');
  });

  it("is the same however its body is cut into chunks", async (t) => {
    const http = await startHttp(t, [openRoute("POST", "/", ({ json }) => jsonReply(json))], {
      maxPayloadSize: 100_000,
    });
    const body = Buffer.from(JSON.stringify("é".repeat(20_000)));
    for (const sizeBytes of [1, 7, 4095, 4096, 4097, 100_000]) {
      const head = rawRequest("POST /", { "Content-Type": "application/json", "Transfer-Encoding": "chunked" });
      const pieces = [Buffer.from(head)];
      for (let start = 0; start < body.length; start += sizeBytes) {
        const piece = body.subarray(start, start + sizeBytes);
        pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n"));
      }
      const response = await http.ask(Buffer.concat([...pieces, Buffer.from("0\r\n\r\n")]));
      assert.equal(response.body, `${body.toString()}\n`, `in chunks of ${sizeBytes}`);
    }
  });

  it("is counted with the time from its head to its answer", async (t) => {
    let release = (): void => {};
    const waiting = new Promise<void>((resolve) => (release = resolve));
    const http = await startHttp(t, [
      openRoute("GET", "/", async () => {
        release();
        await new Promise<void>((resolve) => (answer = resolve));
        return { status: 204 };
      }),
    ]);
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
    const { route, answerAll } = heldRoute();
    const quick = openRoute("GET", "/quick", () => {
      answerAll();
      return { status: 200, body: "quick" };
    });
    const http = await startHttp(t, [route, quick]);
    const client = await http.connect();
    await client.send(rawRequest("GET /held") + rawRequest("GET /quick") + rawRequest("GET /quick"));
    const bodies = [await client.response(), await client.response(), await client.response()].map(({ body }) => body);
    assert.deepEqual(bodies, ["held", "quick", "quick"]);
    assert.equal(http.server.stats().inFlight, 0);
  });

  it("is 503 when too many are pipelined before it", async (t) => {
    let handled = 0;
    const http = await startHttp(t, [
      openRoute("GET", "/", () => {
        handled++;
        return new Promise(() => {});
      }),
    ]);
    const client = await http.connect();
    await client.send(rawRequest("GET /").repeat(100));
    while (http.observed.length < 36) await turn();
    assert.equal(handled, 64);
    assert.ok(http.observed.every(({ status }) => status === 503));
  });
});

async function* pieces(...parts: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* parts;
}
