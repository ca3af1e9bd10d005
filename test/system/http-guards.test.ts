import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { jsonReply, type HttpSettings, type Route } from "../../src/system/http.ts";
import { startHttp } from "../support/http-harness.ts";
import { rawRequest } from "../support/raw-client.ts";

const ROUTES: readonly Route[] = [
  { method: "GET", pattern: "/health", access: "open", handle: () => jsonReply({ status: "ok" }) },
  { method: "POST", pattern: "/echo", access: "open", handle: ({ json }) => jsonReply({ json }) },
  { method: "DELETE", pattern: "/things/:name", access: "open", handle: ({ params }) => jsonReply(params) },
];

type Row = readonly [name: string, request: string | Buffer, status: number, code?: string];

function table(rows: readonly Row[], settings: Partial<HttpSettings> = {}): void {
  for (const [name, request, status, code] of rows) {
    it(`${name}: ${status} ${code ?? ""}`.trim(), (t) => check(t, { request, status, code, settings }));
  }
}

async function check(
  t: TestContext,
  row: { request: string | Buffer; status: number; code: string | undefined; settings: Partial<HttpSettings> },
): Promise<void> {
  const http = await startHttp(t, ROUTES, row.settings);
  const response = await http.ask(row.request);
  assert.equal(response.status, row.status, response.body);
  if (row.code !== undefined) {
    assert.equal(response.json.code, row.code);
    assert.equal(typeof response.json.error, "string");
    assert.equal(typeof response.json.details, "object");
    assert.equal(response.headers["content-type"], "application/json; charset=utf-8");
  }
  assert.deepEqual(
    http.observed.map(({ status }) => status),
    [row.status],
    "observed once",
  );
}

const get = (headers: Record<string, string>, path = "/health"): string => rawRequest(`GET ${path}`, headers);
const post = (headers: Record<string, string>, body = "{}"): string => rawRequest("POST /echo", headers, body);

describe("the Host guard", () => {
  const refused: readonly (readonly [string, string, number, string])[] = [
    ["evil.example", "another name", 403, "FORBIDDEN"],
    ["evil.example:9876", "another name with our port", 403, "FORBIDDEN"],
    ["127.0.0.1.evil.example", "a name that begins like ours", 403, "FORBIDDEN"],
    ["localhost.evil.example", "a name that begins like ours", 403, "FORBIDDEN"],
    ["0.0.0.0:9876", "the wildcard", 403, "FORBIDDEN"],
    ["192.168.0.1", "another address", 403, "FORBIDDEN"],
    ["", "an empty one", 400, "BAD_REQUEST"],
    ["user@localhost", "user info", 400, "BAD_REQUEST"],
    ["localhost@evil.example", "user info that looks like us", 400, "BAD_REQUEST"],
    ["localhost evil.example", "two names", 400, "BAD_REQUEST"],
    ["[::1", "half an address", 400, "BAD_REQUEST"],
  ];
  table([
    ...[
      "127.0.0.1",
      "127.0.0.1:1",
      "127.8.9.10",
      "localhost",
      "LOCALHOST:9876",
      "[::1]",
      "[::1]:9876",
      "localhost:",
    ].map((host): Row => [`passes ${host}`, get({ Host: host }), 200]),
    ...refused.map(([host, name, status, code]): Row => {
      return [`refuses ${name}, ${JSON.stringify(host)}`, get({ Host: host }), status, code];
    }),
    ["refuses a foreign one on unknown paths too", get({ Host: "evil.example" }, "/nowhere"), 403, "FORBIDDEN"],
    ["refuses a foreign one for HEAD, without a body", rawRequest("HEAD /health", { Host: "evil.example" }), 403],
    ["refuses none", "GET /health HTTP/1.1\r\n\r\n", 400, "BAD_REQUEST"],
    ["refuses none in HTTP/1.0", "GET /health HTTP/1.0\r\n\r\n", 400, "BAD_REQUEST"],
    ["refuses two", "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400, "BAD_REQUEST"],
    ["refuses two in other letters", get({ Host: "localhost", hOST: "localhost" }), 400, "BAD_REQUEST"],
    ["passes HTTP/1.0 with one", "GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n", 200],
    ["passes an absolute target of our name", get({}, "http://localhost:9876/health"), 200],
    ["refuses an absolute target of another name", get({}, "http://evil.example/health"), 403, "FORBIDDEN"],
    ["refuses an absolute target with user info", get({}, "http://a:b@localhost/health"), 400, "BAD_REQUEST"],
    ["finds nothing at an absolute target without a path", get({}, "http://localhost"), 404, "NOT_FOUND"],
  ]);
});

describe("the Host guard with server.allowedHosts", () => {
  table(
    [
      ["passes a listed name with any port", get({ Host: "Metrics.lan:123" }), 200],
      ["passes a listed name and port", get({ Host: "proxy.lan:8443" }), 200],
      ["refuses a listed name with another port", get({ Host: "proxy.lan:8444" }), 403, "FORBIDDEN"],
      ["refuses a listed name without its port", get({ Host: "proxy.lan" }), 403, "FORBIDDEN"],
      ["passes a listed IPv6 address", get({ Host: "[fe80::1]:1" }), 200],
      ["passes loopback still", get({ Host: "localhost" }), 200],
    ],
    { allowedHosts: ["metrics.LAN", "proxy.lan:8443", "[fe80::1]"] },
  );
});

describe("the Host guard on a wildcard address", () => {
  table(
    [
      ["refuses the wildcard", get({ Host: "0.0.0.0:9876" }), 403, "FORBIDDEN"],
      ["passes loopback", get({ Host: "127.0.0.1:9876" }), 200],
    ],
    { listenAddress: "0.0.0.0" },
  );
});

describe("the origin guard", () => {
  const host = { Host: "localhost:9876" };
  const preflight = rawRequest("OPTIONS /echo", { Origin: "http://evil.example" });
  table([
    ["passes our own origin", post({ ...host, Origin: "http://localhost:9876" }), 200],
    ["passes our own origin in other letters", post({ ...host, Origin: "http://LocalHost:9876" }), 200],
    ["passes our own origin behind a TLS proxy", post({ ...host, Origin: "https://localhost:9876" }), 200],
    ["refuses another port", post({ ...host, Origin: "http://localhost:3000" }), 403, "FORBIDDEN"],
    ["refuses another name of ours", post({ ...host, Origin: "http://127.0.0.1:9876" }), 403, "FORBIDDEN"],
    ["refuses another origin", post({ ...host, Origin: "http://evil.example" }), 403, "FORBIDDEN"],
    ["refuses null", post({ ...host, Origin: "null" }), 403, "FORBIDDEN"],
    ["refuses an empty origin", post({ ...host, Origin: "" }), 403, "FORBIDDEN"],
    ["refuses a scheme without a name", post({ ...host, Origin: "localhost:9876" }), 403, "FORBIDDEN"],
    ["refuses a cross-site fetch", post({ ...host, "Sec-Fetch-Site": "cross-site" }), 403, "FORBIDDEN"],
    ["refuses a same-site fetch", post({ ...host, "Sec-Fetch-Site": "same-site" }), 403, "FORBIDDEN"],
    ["passes a same-origin fetch", post({ ...host, "Sec-Fetch-Site": "same-origin" }), 200],
    ["passes what a person typed", post({ ...host, "Sec-Fetch-Site": "none" }), 200],
    ["refuses a DELETE too", rawRequest("DELETE /things/a", { Origin: "http://evil.example" }), 403, "FORBIDDEN"],
    ["refuses on unknown paths too", rawRequest("PUT /nowhere", { Origin: "http://evil.example" }), 403, "FORBIDDEN"],
    ["lets another origin read without leave to see it", get({ Origin: "http://evil.example" }), 200],
    ["gives no leave to a preflight", preflight, 405, "METHOD_NOT_ALLOWED"],
  ]);
});

describe("the guards of bodies", () => {
  const typed = (type: string): string => post({ "Content-Type": type });
  const good = [
    "application/json",
    "Application/JSON",
    "application/json;charset=utf-8",
    'application/json ; charset="UTF-8"',
  ];
  const bad = [
    "",
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "xapplication/json",
    "application/ld+json",
    "application/json;",
    "application/json, text/plain",
    "application/json; charset=latin1",
    "application/json; charset=utf-8; x=y",
  ];
  const untyped = "POST /echo HTTP/1.1\r\nHost: localhost\r\n";
  const type = { "Content-Type": "application/json" };
  const encoded = rawRequest("POST /echo", { ...type, "Transfer-Encoding": "gzip, chunked" });
  table([
    ...good.map((type): Row => [`passes ${type}`, typed(type), 200]),
    ...bad.map((type): Row => [`refuses ${JSON.stringify(type)}`, typed(type), 415, "UNSUPPORTED_MEDIA_TYPE"]),
    ["refuses a body without a type", `${untyped}Content-Length: 2\r\n\r\n{}`, 415, "UNSUPPORTED_MEDIA_TYPE"],
    ["refuses a faulty type on unknown paths too", rawRequest("PUT /none", { "Content-Type": "a/b" }, "{}"), 415],
    ["passes no body without a type", `${untyped}\r\n`, 200],
    ["passes a length of 0 without a type", `${untyped}Content-Length: 0\r\n\r\n`, 200],
    ["refuses gzip", post({ "Content-Encoding": "gzip" }), 415, "UNSUPPORTED_MEDIA_TYPE"],
    ["refuses identity", post({ "Content-Encoding": "identity" }), 415, "UNSUPPORTED_MEDIA_TYPE"],
    ["refuses other transfer codings", `${encoded}0\r\n\r\n`, 400, "BAD_REQUEST"],
    ["ignores the body of a GET", rawRequest("GET /health", { "Content-Type": "text/plain" }, "not JSON"), 200],
    ["takes chunks", chunked(['{"a"', ":1}"]), 200],
    ["takes an empty chunked body", chunked([]), 200],
  ]);
});

function chunked(chunks: readonly string[]): string {
  const body = [...chunks, ""].map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("");
  return rawRequest("POST /echo", { "Content-Type": "application/json", "Transfer-Encoding": "chunked" }) + body;
}

describe("the limit of bodies", () => {
  const quoted = (length: number): string => `"${"x".repeat(length - 2)}"`;
  table([
    ["takes a body of exactly the limit", post({}, quoted(1000)), 200],
    ["refuses one byte more by its length", post({}, quoted(1001)), 413, "PAYLOAD_TOO_LARGE"],
    ["refuses one byte more in chunks", chunked([quoted(600), quoted(401)]), 413, "PAYLOAD_TOO_LARGE"],
    ["refuses a length beyond all numbers", post({ "Content-Length": "9".repeat(25) }), 400, "BAD_REQUEST"],
    ["counts bytes, not characters", post({}, `"${"é".repeat(500)}"`), 413, "PAYLOAD_TOO_LARGE"],
    ["holds for a GET too", rawRequest("GET /health", {}, quoted(1001)), 413, "PAYLOAD_TOO_LARGE"],
    ["says first what is wrong with the host", post({ Host: "evil.example" }, quoted(1001)), 403, "FORBIDDEN"],
  ]);
});

describe("JSON bodies", () => {
  const raw = (body: Buffer): Buffer => {
    return Buffer.concat([Buffer.from(post({ "Content-Length": String(body.length) }, "")), body]);
  };
  table([
    ["refuses what is not JSON", post({}, "{'a':1}"), 400, "VALIDATION_ERROR"],
    ["refuses a blank body", post({}, " "), 400, "VALIDATION_ERROR"],
    ["refuses a truncated sequence of UTF-8", raw(Buffer.from([0x22, 0xc3, 0x22])), 400, "VALIDATION_ERROR"],
    ["refuses an overlong sequence of UTF-8", raw(Buffer.from([0x22, 0xc0, 0xaf, 0x22])), 400, "VALIDATION_ERROR"],
    ["refuses a surrogate in UTF-8", raw(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])), 400, "VALIDATION_ERROR"],
    ["refuses a byte order mark", raw(Buffer.from("\ufeff{}")), 400, "VALIDATION_ERROR"],
    ["takes 64 levels", post({}, "[".repeat(64) + "]".repeat(64)), 200],
    ["refuses 65 levels", post({}, "[".repeat(65) + "]".repeat(65)), 400, "VALIDATION_ERROR"],
    ["refuses 65 levels of objects", post({}, '{"":'.repeat(65) + "0" + "}".repeat(65)), 400, "VALIDATION_ERROR"],
  ]);

  it("lists what is wrong by its path", async (t) => {
    const http = await startHttp(t, ROUTES);
    const { json } = await http.ask(post({}, "[".repeat(65)));
    assert.deepEqual(json.details, [{ path: "", message: "the body is nested more than 64 deep" }]);
  });

  it("takes __proto__ and constructor as ordinary keys", async (t) => {
    const http = await startHttp(t, ROUTES);
    const body = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
    const response = await http.ask(post({}, body));
    assert.equal(response.body, `{"json":${body}}\n`);
    assert.equal("polluted" in {}, false);
  });
});

describe("what is not the HTTP spoken here", () => {
  table([
    ["garbage", "hello\r\n\r\n", 400, "BAD_REQUEST"],
    ["a TLS hello", Buffer.from("16030100a5010000a10303", "hex"), 400, "BAD_REQUEST"],
    ["an unknown method", rawRequest("BREW /health"), 400, "BAD_REQUEST"],
    ["a NUL in a header", get({ "X-A": "a\0b" }), 400, "BAD_REQUEST"],
    ["a line break alone in a header", get({ "X-A": "a\nX-B: c" }), 400, "BAD_REQUEST"],
    ["a space before the colon", get({ "X-A ": "b" }), 400, "BAD_REQUEST"],
    ["two lengths", post({ "content-length": "3" }), 400, "BAD_REQUEST"],
    ["a length and chunks", post({ "Transfer-Encoding": "chunked" }), 400, "BAD_REQUEST"],
    ["a negative length", post({ "Content-Length": "-1" }), 400, "BAD_REQUEST"],
    ["a faulty chunk size", chunked([]).replace("\r\n0\r\n", "\r\nzz\r\n"), 400, "BAD_REQUEST"],
    ["HTTP/2.0", "GET /health HTTP/2.0\r\nHost: localhost\r\n\r\n", 505, "BAD_REQUEST"],
    ["HTTP/0.9", "GET /health HTTP/0.9\r\nHost: localhost\r\n\r\n", 505, "BAD_REQUEST"],
    ["HTTP/1.2", "GET /health HTTP/1.2\r\nHost: localhost\r\n\r\n", 505, "BAD_REQUEST"],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "BAD_REQUEST"],
    ["headers larger than the limit", get({ "X-A": "a".repeat(20_000) }), 431, "BAD_REQUEST"],
    ["a target larger than the limit", get({}, `/${"a".repeat(20_000)}`), 431, "BAD_REQUEST"],
    ["CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", 405, "METHOD_NOT_ALLOWED"],
    ["TRACE", rawRequest("TRACE /health"), 405, "METHOD_NOT_ALLOWED"],
    ["an expectation that nobody can meet", get({ Expect: "miracles" }), 417, "BAD_REQUEST"],
    ["an upgrade, which is ignored", get({ Connection: "Upgrade", Upgrade: "websocket" }), 200],
  ]);

  it("counts methods that clients may make up as one", async (t) => {
    const http = await startHttp(t, ROUTES);
    const methods = ["PURGE", "TRACE", "BREW", "PATCH", "OPTIONS"];
    for (const method of methods) await http.ask(rawRequest(`${method} /health`));
    assert.deepEqual(
      http.observed.map(({ method, pattern }) => `${method} ${pattern}`),
      ["other unmatched", "other unmatched", "other unmatched", "PATCH unmatched", "OPTIONS unmatched"],
    );
  });
});
