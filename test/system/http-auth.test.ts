import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createAuthority, type Credentials } from "../../src/system/http-auth.ts";
import { jsonReply, type Access, type Route } from "../../src/system/http.ts";
import { startHttp, TEST_SETTINGS } from "../support/http-harness.ts";
import { rawRequest } from "../support/raw-client.ts";
import { tempDir } from "../support/temp-dir.ts";

const ACCESSES: readonly Access[] = ["open", "read", "write", "private"];

describe("judge", () => {
  const rows: readonly [header: string | undefined, expected: Credentials][] = [
    [undefined, "none"],
    ["Bearer right-token", "valid"],
    ["bearer   right-token ", "valid"],
    ["Bearer wrong-token", "invalid"],
    ["Bearer right-token2", "invalid"],
    ["Bearer right", "invalid"],
    ["Bearer", "invalid"],
    ["Bearer ", "invalid"],
    ["Bearer right-token right-token", "invalid"],
    ["Basic right-token", "invalid"],
    ["right-token", "invalid"],
    ["", "invalid"],
  ];
  for (const [header, expected] of rows) {
    it(`finds ${JSON.stringify(header)} ${expected}`, () => {
      assert.equal(createAuthority(TEST_SETTINGS.auth).judge(header), expected);
    });
  }

  it("finds no token right when none is set", () => {
    const authority = createAuthority({ enabled: true, token: "", protectReads: true });
    for (const header of ["Bearer ", "Bearer x", ""]) assert.equal(authority.judge(header), "invalid");
  });
});

describe("refuse", () => {
  /** The accesses that ask for the token, for each setting. */
  const rows: readonly [enabled: boolean, protectReads: boolean, asking: readonly Access[]][] = [
    [false, false, ["private"]],
    [false, true, ["private"]],
    [true, false, ["write", "private"]],
    [true, true, ["read", "write", "private"]],
  ];
  for (const [enabled, protectReads, asking] of rows) {
    for (const access of ACCESSES) {
      const isAsking = asking.includes(access);
      const settings = JSON.stringify({ enabled, protectReads });
      it(`${isAsking ? "asks" : "does not ask"} the token of ${access} with ${settings}`, () => {
        const authority = createAuthority({ enabled, token: "right-token", protectReads });
        const shown: readonly Credentials[] = ["none", "invalid", "valid"];
        const statuses = shown.map((credentials) => authority.refuse(access, credentials)?.status);
        assert.deepEqual(statuses, isAsking ? [401, 403, undefined] : [undefined, undefined, undefined]);
      });
    }
  }
});

describe("a route's access", () => {
  const handle: Route["handle"] = () => jsonReply({});
  const routes = ACCESSES.map((access): Route => ({ method: "GET", pattern: `/${access}`, access, handle }));
  const auth = { enabled: true, token: "right-token", protectReads: false };

  it("is 401 with WWW-Authenticate without a token, 403 with a wrong one", async (t) => {
    const http = await startHttp(t, routes, { auth });
    const missing = await http.ask(rawRequest("GET /write"));
    assert.deepEqual([missing.status, missing.json.code], [401, "AUTH_MISSING"]);
    assert.equal(missing.headers["www-authenticate"], 'Bearer realm="pi-daemon"');
    const invalid = await http.ask(rawRequest("GET /write", { Authorization: "Bearer wrong" }));
    assert.deepEqual([invalid.status, invalid.json.code], [403, "AUTH_INVALID"]);
    assert.equal((await http.ask(rawRequest("GET /write", { Authorization: "Bearer right-token" }))).status, 200);
    assert.equal((await http.ask(rawRequest("GET /read"))).status, 200);
  });

  it("lets whoever reaches the Unix socket do everything", async (t) => {
    const socketPath = `${tempDir(t)}/daemon.sock`;
    const http = await startHttp(t, routes, { auth: { ...auth, protectReads: true }, socketPath });
    const client = await http.connect(http.socketPath);
    for (const access of ACCESSES) {
      await client.send(rawRequest(`GET /${access}`));
      assert.equal((await client.response()).status, 200, access);
    }
  });

  it("still guards the Host on the Unix socket", async (t) => {
    const http = await startHttp(t, routes, { socketPath: `${tempDir(t)}/daemon.sock` });
    const client = await http.connect(http.socketPath);
    await client.send(rawRequest("GET /open", { Host: "evil.example" }));
    assert.equal((await client.response()).status, 403);
  });

  it("follows new settings at once", async (t) => {
    const http = await startHttp(t, routes);
    const client = await http.connect();
    const statuses: number[] = [];
    for (const enabled of [false, true, false]) {
      http.reconfigure({ auth: { ...auth, enabled } });
      await client.send(rawRequest("GET /write"));
      statuses.push((await client.response()).status);
    }
    assert.deepEqual(statuses, [200, 401, 200]);
  });
});
