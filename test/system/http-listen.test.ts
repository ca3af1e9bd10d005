import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { createHttpServer } from "../../src/system/http-server.ts";
import { jsonReply, type Route } from "../../src/system/http.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { startHttp, TEST_SETTINGS } from "../support/http-harness.ts";
import { rawRequest } from "../support/raw-client.ts";
import { silentLog } from "../support/silent-log.ts";
import { tempDir } from "../support/temp-dir.ts";

const ROUTES: readonly Route[] = [{ method: "GET", pattern: "/health", access: "open", handle: () => jsonReply({}) }];

describe("the Unix socket", () => {
  it("is 0600, answers, and is gone after the stop", async (t) => {
    const path = join(tempDir(t), "daemon.sock");
    const http = await startHttp(t, ROUTES, { socketPath: path });
    assert.equal(http.socketPath, path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const client = await http.connect(path);
    await client.send(rawRequest("GET /health", { Host: "localhost" }));
    assert.equal((await client.response()).status, 200);
    await http.server.stop();
    assert.equal(existsSync(path), false);
  });

  it("takes the place of a stale one", async (t) => {
    const path = join(tempDir(t), "daemon.sock");
    await leaveStaleSocket(path);
    assert.ok(statSync(path).isSocket(), "a stale socket lies there");
    const http = await startHttp(t, ROUTES, { socketPath: path });
    const client = await http.connect(path);
    await client.send(rawRequest("GET /health"));
    assert.equal((await client.response()).status, 200);
  });

  const refusals: readonly [name: string, prepare: (directory: string) => string, reason: RegExp][] = [
    [
      "a file that is not a socket",
      (directory) => {
        writeFileSync(join(directory, "daemon.sock"), "precious");
        return join(directory, "daemon.sock");
      },
      /not a socket/,
    ],
    ["a path that is too long", (directory) => join(directory, "a".repeat(120)), /bytes long .* shorter dataDir/],
    [
      "a directory open to others",
      (directory) => {
        mkdirSync(join(directory, "open"));
        chmodSync(join(directory, "open"), 0o755);
        return join(directory, "open", "daemon.sock");
      },
      /0700/,
    ],
    ["a directory that does not exist", (directory) => join(directory, "none", "daemon.sock"), /ENOENT/],
  ];
  for (const [name, prepare, reason] of refusals) {
    it(`is a warning with ${name}, and TCP answers`, async (t) => {
      const path = prepare(tempDir(t));
      const http = await startHttp(t, ROUTES, { socketPath: path });
      assert.equal(http.socketPath, undefined);
      assert.deepEqual(
        http.lines.map(({ level }) => level),
        ["warn"],
      );
      assert.match(String(http.lines[0]!.fields["reason"]), reason);
      assert.equal((await http.ask(rawRequest("GET /health"))).status, 200);
      if (existsSync(path)) assert.equal(readFileSync(path, "utf8"), "precious");
    });
  }
});

describe("the TCP address", () => {
  it("is said with the port that was taken", async (t) => {
    const http = await startHttp(t, ROUTES);
    assert.match(http.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.notEqual(http.port, 0);
  });

  it("is said as one that can be called where the server listens on all", async (t) => {
    const http = await startHttp(t, ROUTES, { listenAddress: "0.0.0.0" });
    assert.match(http.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal((await fetch(`${http.url}/health`)).status, 200);
  });

  it("is refused with a sentence when the port is in use", async (t) => {
    const http = await startHttp(t, ROUTES);
    const message = `Cannot listen on ${http.url}: the port is in use`;
    await assert.rejects(listen(t, { port: http.port }), { message });
  });

  it("is refused with a sentence when the machine does not have it", async (t) => {
    const message = "Cannot listen on http://192.0.2.1:0: this machine does not have that address";
    await assert.rejects(listen(t, { listenAddress: "192.0.2.1" }), { message });
  });

  it("refuses faulty routes before it listens", () => {
    const routes = [...ROUTES, ...ROUTES];
    assert.throws(() => createHttpServer(SERVICES, { routes: () => routes, settings: TEST_SETTINGS, observe() {} }), {
      message: "Two routes answer GET /health",
    });
  });
});

const SERVICES = { clock: fakeClock(), log: silentLog, randomId: () => "id" };

function listen(t: TestContext, changes: Partial<typeof TEST_SETTINGS>): Promise<unknown> {
  const settings = { ...TEST_SETTINGS, ...changes };
  const server = createHttpServer(SERVICES, { routes: () => ROUTES, settings, observe() {} });
  t.after(() => server.stop());
  return server.listen();
}

/** A socket file that nobody listens on, as a killed daemon leaves it: moved, so that close() does not find it. */
async function leaveStaleSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(`${path}.live`, resolve));
  renameSync(`${path}.live`, path);
  await new Promise((resolve) => void server.close(resolve));
}
