import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import type { Request } from "../../src/system/http.ts";
import { openRoute, startHttp, trackedPieces, turn } from "../support/http-harness.ts";
import { rawRequest } from "../support/raw-client.ts";

describe("a client that leaves", () => {
  it("aborts the signal of its requests, and is not counted", async (t) => {
    const seen: Request[] = [];
    const http = await startHttp(t, [
      openRoute("GET", "/", (request) => {
        seen.push(request);
        return new Promise(() => {});
      }),
    ]);
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
      const http = await startHttp(t, [openRoute("POST", "/", () => assert.fail("handled"))]);
      const client = await http.connect();
      await client.send(rawRequest("POST /", { "Content-Length": "100" }, "{"));
      while (http.server.stats().inFlight === 0) await turn();
      leave(client.socket);
      while (http.server.stats().connections > 0) await turn();
      assert.deepEqual(
        http.observed.map(({ status }) => status),
        statuses,
      );
      assert.deepEqual(http.lines, []);
    });
  }

  it("while pieces are made ends the making at once", async (t) => {
    const source = trackedPieces({ pauseAfter: 1 });
    const http = await startHttp(t, [openRoute("GET", "/", () => ({ status: 200, body: source.body }))]);
    const client = await http.connect();
    await client.send(rawRequest("GET /"));
    await client.until("piece 1");
    client.socket.destroy();
    while (source.returned === 0) await turn();
    source.resume();
    for (let count = 0; count < 5; count++) await turn();
    assert.deepEqual([source.pulled, source.returned], [2, 1], "the piece that was being made is dropped");
    assert.deepEqual(
      http.observed.map(({ status }) => status),
      [200],
    );
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
    const http = await startHttp(t, [openRoute("GET", "/", () => ({ status: 200, body: generate() }))]);
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
    const http = await startHttp(t, [openRoute("GET", "/", () => ({ status: 200, body: source.body }))]);
    const client = await http.connect();
    await client.send(rawRequest("GET /"));
    assert.match(await client.until("piece 2"), /^HTTP\/1\.1 200 OK\r\n/);
    assert.deepEqual(http.observed, [], "counted at the end");
  });

  it("have their head sent before the first is made", async (t) => {
    const source = trackedPieces({ pauseAfter: 0 });
    const http = await startHttp(t, [openRoute("GET", "/", () => ({ status: 200, body: source.body }))]);
    const client = await http.connect();
    await client.send(rawRequest("GET /"));
    assert.match(await client.until("\r\n\r\n"), /transfer-encoding: chunked/i);
  });

  it("that throw cut the connection, so that half an answer does not look whole", async (t) => {
    async function* failing(): AsyncGenerator<string> {
      yield "half";
      throw new Error("torn");
    }
    const http = await startHttp(t, [openRoute("GET", "/", () => ({ status: 200, body: failing() }))]);
    const client = await http.connect();
    await client.send(rawRequest("GET /"));
    await assert.rejects(client.response(), /the connection closed/);
    assert.match(String(http.lines[0]!.fields["error"]), /torn/);
  });

  it("wait for a reader that does not read, until the reader is cut", async (t) => {
    const source = trackedPieces({ piece: "x".repeat(64 * 1024) });
    const http = await startHttp(t, [openRoute("GET", "/", () => ({ status: 200, body: source.body }))]);
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
    const route = openRoute("GET", "/", () => ({ status: 200, body: source.body }));
    const http = await startHttp(t, [{ ...route, deadlineMs: 1_000 }]);
    const client = await http.connect();
    await client.send(rawRequest("GET /"));
    await client.until("piece 1");
    http.clock.advance(3_600_000);
    source.resume();
    await client.until("piece 2");
    assert.equal(source.returned, 0);
  });
});
