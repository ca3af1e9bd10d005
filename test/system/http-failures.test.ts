import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HttpError, type Request, type Route } from "../../src/system/http.ts";
import { StorageError } from "../../src/system/storage-error.ts";
import { openRoute, startHttp, trackedPieces, turn } from "../support/http-harness.ts";
import { rawRequest } from "../support/raw-client.ts";

const FAULTY = { "x-a": "secret detail\r\nx-b: c" };

describe("an exception of a handler", () => {
  const boom = new Error("secret detail");
  const rows: readonly [name: string, handle: () => unknown, status: number, code: string, isLogged: boolean][] = [
    [
      "thrown",
      () => {
        throw boom;
      },
      500,
      "INTERNAL_ERROR",
      true,
    ],
    ["rejected", () => Promise.reject(boom), 500, "INTERNAL_ERROR", true],
    [
      "that is no Error",
      () => {
        throw "secret detail";
      },
      500,
      "INTERNAL_ERROR",
      true,
    ],
    ["that is nothing", () => Promise.reject(undefined), 500, "INTERNAL_ERROR", true],
    ["for no reply", () => undefined, 500, "INTERNAL_ERROR", true],
    ["for a promise of no reply", () => Promise.resolve(undefined), 500, "INTERNAL_ERROR", true],
    ["for a line break in a header", () => ({ status: 200, headers: FAULTY }), 500, "INTERNAL_ERROR", true],
    ["for a status that does not exist", () => ({ status: 1000, body: "secret detail" }), 500, "INTERNAL_ERROR", true],
    ["for a body that cannot be written", () => ({ status: 200, body: 7 }), 500, "INTERNAL_ERROR", true],
    ["of the disk", () => Promise.reject(new StorageError("no space left")), 503, "UNAVAILABLE", false],
    [
      "that is an answer",
      () => {
        throw new HttpError(409, "CONFLICT", "taken");
      },
      409,
      "CONFLICT",
      false,
    ],
  ];
  for (const [name, handle, status, code, isLogged] of rows) {
    it(`${name} is ${status} ${code}`, async (t) => {
      const http = await startHttp(t, [openRoute("POST", "/", handle)]);
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
      assert.deepEqual(
        http.observed.map((seen) => seen.status),
        [status, 404],
      );
    });
  }

  it("has its stack in the log", async (t) => {
    const http = await startHttp(t, [openRoute("GET", "/", () => Promise.reject(boom))]);
    await http.ask(rawRequest("GET /"));
    assert.equal(http.lines[0]!.fields["error"], boom.stack);
  });

  it("of the disk says when to come back", async (t) => {
    const http = await startHttp(t, [openRoute("GET", "/", () => Promise.reject(new StorageError("no space left")))]);
    const { headers, json } = await http.ask(rawRequest("GET /"));
    assert.equal(headers["retry-after"], "1");
    assert.match(json.error, /no space left/);
  });

  it("that is an answer keeps its headers and details", async (t) => {
    const details = [{ path: "a.0", message: "must be a number" }];
    const error = new HttpError(400, "VALIDATION_ERROR", "faulty", { details, headers: { "x-a": "b" } });
    const http = await startHttp(t, [
      openRoute("GET", "/", () => {
        throw error;
      }),
    ]);
    const response = await http.ask(rawRequest("GET /"));
    assert.equal(response.headers["x-a"], "b");
    assert.deepEqual(response.json, { error: "faulty", code: "VALIDATION_ERROR", details });
  });
});

describe("the end of a handler's time", () => {
  const slow = (deadline: { deadlineMs?: number }, seen: Request[]): Route => ({
    ...openRoute("GET", "/slow", (request) => {
      seen.push(request);
      const reply = { status: 200, body: late.body };
      return new Promise((resolve) => request.signal.addEventListener("abort", () => resolve(reply)));
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
      assert.deepEqual([response.status, response.json.code], [503, "UNAVAILABLE"]);
      assert.equal(response.headers["retry-after"], "1");
      assert.equal(late.returned, 1, "the late reply is let go");
      assert.deepEqual(
        http.observed.map(({ status }) => status),
        [503],
      );
      assert.deepEqual(
        http.lines.map(({ message }) => message),
        ["a handler passed its deadline"],
      );
      await client.send(rawRequest("GET /none"));
      assert.equal((await client.response()).status, 404);
    });
  }

  it("leaves a late exception to the log", async (t) => {
    let reject = (_: Error): void => {};
    const http = await startHttp(t, [openRoute("GET", "/", () => new Promise((_, no) => (reject = no)))]);
    const client = await http.connect();
    await client.send(rawRequest("GET /"));
    while (http.server.stats().inFlight === 0) await turn();
    http.clock.advance(30_000);
    assert.equal((await client.response()).status, 503);
    reject(new Error("late"));
    await turn();
    assert.deepEqual(
      http.lines.map(({ level }) => level),
      ["warn", "error"],
    );
    await client.send(rawRequest("GET /none"));
    assert.equal((await client.response()).status, 404);
  });
});
