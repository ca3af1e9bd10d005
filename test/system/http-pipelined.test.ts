/** Requests that come behind the one with which a connection ends: nobody would ever be told what became of them. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { jsonReply, type Route } from "../../src/system/http.ts";
import { ECHO, HEALTH, openRoute, startHttp, turn } from "../support/http-harness.ts";

function countingRoute(): { route: Route; count: () => number } {
  let count = 0;
  return { route: openRoute("POST", "/count", () => jsonReply({ count: ++count })), count: () => count };
}

const post = (path: string, headers = ""): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}Content-Length: 2\r\n\r\n{}`;

describe("behind a request that ends its connection nothing is done", () => {
  const ends: readonly [string, string][] = [
    ["Connection: close", post("/echo", "Connection: close\r\n")],
    ["HTTP/1.0", post("/echo").replace("HTTP/1.1", "HTTP/1.0")],
    [
      "a body that is too large",
      post("/echo").replace("Length: 2\r\n\r\n{}", `Length: 2000\r\n\r\n${" ".repeat(2000)}`),
    ],
    ["an expectation that is refused", post("/nothing", "Expect: 100-continue\r\n")],
  ];
  for (const [title, request] of ends) {
    test(title, async (t) => {
      const { route, count } = countingRoute();
      const { connect: open } = await startHttp(t, [ECHO, route]);
      const client = await open();
      void client.send(request + post("/count") + post("/count"));
      await client.closed;
      assert.equal(count(), 0);
    });
  }
});

test("a request that was answered with 408 is not handled when the rest of it comes", async (t) => {
  const { route, count } = countingRoute();
  const { connect: open } = await startHttp(t, [route], { headerTimeoutMs: 50, requestTimeoutMs: 50 });
  const client = await open();
  void client.send(post("/count").slice(0, -1));
  assert.equal((await client.response()).status, 408);
  await client.send("}" + post("/count"));
  await turn();
  await turn();
  assert.equal(count(), 0);
});

test("a client that pipelines and leaves does not end the process", async (t) => {
  const held = openRoute("POST", "/held", () => new Promise(() => undefined));
  const { port, ask } = await startHttp(t, [HEALTH, held]);
  const refused = post("/nothing", "Expect: 100-continue\r\n");
  const bytes = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" + refused + post("/held") + refused + refused;
  for (let round = 0; round < 200; round++) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined).write(bytes, () => void socket.destroy());
    await new Promise((resolve) => socket.once("close", resolve));
  }
  assert.equal((await ask("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")).status, 200);
});
