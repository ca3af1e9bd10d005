import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import type { lookup as dnsLookup } from "node:dns";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, isIP, type Socket } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { systemClock } from "../../src/system/clock.ts";
import { createFetch, type FetchAnswer, type FetchRequest, type FetchResult } from "../../src/system/fetch.ts";

const fetch = createFetch({ clock: systemClock });

function get(url: string, more: Partial<FetchRequest> = {}): Promise<FetchResult> {
  return fetch({ method: "GET", url, timeoutMs: 10_000, maxBytes: 10_000, ...more });
}

async function getAnswer(url: string, more: Partial<FetchRequest> = {}): Promise<FetchAnswer> {
  const result = await get(url, more);
  assert.ok(result.ok, JSON.stringify(result));
  return result;
}

/** The origin of a server that ends with the test. */
function serve(t: TestContext, listener: RequestListener, address = "127.0.0.1"): Promise<string> {
  const server = createServer(listener);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return new Promise((resolve) => {
    server.listen(0, address, () => resolve(`http://${address}:${(server.address() as AddressInfo).port}`));
  });
}

/** A server that writes `text` as it is to each connection. */
function serveRaw(t: TestContext, answer: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    socket.once("data", () => answer(socket));
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

/** Answers with what was asked. */
async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = ((await request.toArray()) as Buffer[]).join("");
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }));
}

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

async function getEcho(url: string, more: Partial<FetchRequest> = {}): Promise<Echo> {
  return JSON.parse((await getAnswer(url, more)).body.toString()) as Echo;
}

describe("an exchange", () => {
  test("sends method, path, headers and body, and gives all of the answer", async (t) => {
    const origin = await serve(t, echo);
    const { method, url, headers, body } = await getEcho(`${origin}/a%20b?c=d#e`, {
      method: "post",
      headers: { "X-Token": "s3cret", Accept: "text/plain" },
      body: "größe",
    });
    assert.deepEqual([method, url, body], ["POST", "/a%20b?c=d", "größe"]);
    assert.deepEqual([headers["x-token"], headers["accept"], headers["content-length"]], ["s3cret", "text/plain", "7"]);
    const own = [headers["user-agent"], headers["accept-encoding"], headers["connection"]];
    assert.deepEqual(own, ["pi-daemon", "identity", "close"]);
  });

  test("of any status is an answer", async (t) => {
    const origin = await serve(t, ({ url = "" }, response) => {
      response.writeHead(Number(url.slice(1)), { "x-a": "b" }).end("body");
    });
    for (const status of [200, 204, 302, 404, 503]) {
      const answer = await getAnswer(`${origin}/${status}`);
      assert.deepEqual([answer.status, answer.headers["x-a"], answer.isCut], [status, "b", false]);
      assert.equal(answer.body.toString(), status === 204 ? "" : "body");
    }
  });

  test("a name and a password in the URL are sent, and not told", async (t) => {
    const origin = await serve(t, echo);
    const answer = await getAnswer(origin.replace("//", "//me:p%40ss@"));
    const { headers } = JSON.parse(answer.body.toString()) as Echo;
    assert.equal(headers["authorization"], `Basic ${Buffer.from("me:p@ss").toString("base64")}`);
    assert.equal(answer.url, `${origin}/`);
  });

  test("an answer without end is cut, and its sender let go", async (t) => {
    let closed: () => void = () => undefined;
    const isClosed = new Promise<void>((resolve) => (closed = resolve));
    const origin = await serve(t, (_request, response) => {
      const writing = setInterval(() => response.write("x".repeat(5_000)), 1);
      response.on("close", () => (clearInterval(writing), closed()));
    });
    const answer = await getAnswer(origin, { maxBytes: 12_345 });
    assert.deepEqual([answer.body.length, answer.isCut], [12_345, true]);
    await isClosed;
    const short = await serve(t, (_request, response) => response.end("12345"));
    assert.equal((await getAnswer(short, { maxBytes: 5 })).isCut, false);
  });

  test("by IPv6, and by a name", async (t) => {
    const origin = await serve(t, echo, "127.0.0.1");
    assert.equal((await getEcho(origin.replace("127.0.0.1", "localhost"))).url, "/");
    const server = createServer(echo);
    t.after(() => server.close());
    const hasIpv6 = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(0, "::1", () => resolve(true));
    });
    if (!hasIpv6) return t.diagnostic("IPv6 is skipped: this machine has no ::1");
    assert.equal((await getEcho(`http://[::1]:${(server.address() as AddressInfo).port}/v6`)).url, "/v6");
  });

  test("no proxy of the environment is used", async (t) => {
    const origin = await serve(t, echo);
    const proxy = "http://127.0.0.1:9";
    const proxies = { HTTP_PROXY: proxy, http_proxy: proxy, NO_PROXY: "", no_proxy: "" };
    const env = { ...process.env, ...proxies, NODE_USE_ENV_PROXY: "1" };
    const source = (name: string): string => JSON.stringify(new URL(`../../src/system/${name}`, import.meta.url));
    const script = `
      const { createFetch } = await import(${source("fetch.ts")});
      const { systemClock: clock } = await import(${source("clock.ts")});
      const request = { method: "GET", url: "${origin}", timeoutMs: 10_000, maxBytes: 1_000 };
      process.stdout.write(String((await createFetch({ clock })(request)).status));`;
    const node = process.execArgv.filter((option) => !option.startsWith("--test"));
    const child = execFile(process.execPath, [...node, "--input-type=module", "--eval", script], { env });
    assert.equal((await child.stdout!.toArray()).join(""), "200");
  });
});

describe("names", () => {
  /** Resolves every name to `addresses`; counts how often it was asked. */
  function resolver(addresses: readonly string[]): { lookup: typeof dnsLookup; asked: () => number } {
    let asked = 0;
    const lookup = (_name: string, _options: unknown, callback: (error: null, found: object[]) => void): void => {
      asked += 1;
      callback(
        null,
        addresses.map((address) => ({ address, family: isIP(address) })),
      );
    };
    return { lookup: lookup as unknown as typeof dnsLookup, asked: () => asked };
  }

  const metadata = "169.254.169.254";
  for (const addresses of [[metadata], ["127.0.0.1", metadata], ["fe80::1"], [`::ffff:${metadata}`]]) {
    test(`that stand for ${addresses.join(" and ")} are refused`, async () => {
      const { lookup } = resolver(addresses);
      const request = { method: "GET", url: "http://metadata.test/", timeoutMs: 10_000, maxBytes: 100 };
      const result = await createFetch({ clock: systemClock, lookup })(request);
      assert.equal(!result.ok && result.fault, "forbidden-address");
    });
  }

  test("are looked up once for a connection, which goes where they led", async (t) => {
    const { port } = new URL(await serve(t, echo));
    const { lookup, asked } = resolver(["127.0.0.1"]);
    const request = { method: "GET", url: `http://service.test:${port}/`, timeoutMs: 10_000, maxBytes: 1_000 };
    const result = await createFetch({ clock: systemClock, lookup })(request);
    assert.equal(result.ok && (JSON.parse(String(result.body)) as Echo).headers["host"], `service.test:${port}`);
    assert.equal(asked(), 1);
  });
});

describe("an exchange that fails", () => {
  const rows: readonly [string, Partial<FetchRequest>, string, RegExp][] = [
    ["no URL", { url: "nonsense" }, "invalid", /^the URL is no URL$/],
    ["another protocol", { url: "file:///etc/passwd" }, "invalid", /^the protocol file: is neither http: nor https:$/],
    ["a header that cannot be sent", { headers: { "x-a": "b\r\nx-c: d" } }, "invalid", /header/i],
    ["a header name that cannot be sent", { headers: { "x a": "b" } }, "invalid", /header/i],
    ["a method that cannot be sent", { method: "GE T" }, "invalid", /method/i],
    ["a tunnel", { method: "connect" }, "invalid", /tunnel/],
    ["credentials that are no text", { url: "http://a:%ff@127.0.0.1:9/" }, "invalid", /percent-encoded/],
    ["nobody listens", {}, "network", /^the connection was refused \(connect ECONNREFUSED 127\.0\.0\.1:9\)$/],
    ["a name that is none", { url: "http://no-such-host.invalid/" }, "network", /^the name of the host /],
    ["a metadata address", { url: "http://169.254.169.254/x" }, "forbidden-address", /^169\.254\.169\.254 is a link/],
    ["the same in other clothes", { url: "http://0xA9FEA9FE/" }, "forbidden-address", /^169\.254\.169\.254 /],
    ["as one number", { url: "http://2852039166/" }, "forbidden-address", /^169\.254\.169\.254 /],
    ["with a dot at the end", { url: "http://169.254.169.254./" }, "forbidden-address", /^169\.254\.169\.254 /],
    ["as IPv6", { url: "http://[::ffff:169.254.169.254]/" }, "forbidden-address", /is a link-local/],
  ];
  for (const [name, request, fault, message] of rows) {
    test(name, async () => {
      const result = await get("http://127.0.0.1:9/", request);
      assert.ok(!result.ok);
      assert.equal(result.fault, fault, result.message);
      assert.match(result.message, message);
    });
  }

  const hangs: readonly [string, (socket: Socket) => void][] = [
    ["an answer that never begins", () => undefined],
    ["headers that never end", (socket) => socket.write("HTTP/1.1 200 OK\r\nx-a: ")],
    ["a body that never ends", (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")],
  ];
  for (const [name, answer] of hangs) {
    test(`${name} meets the deadline`, async (t) => {
      const result = await get(await serveRaw(t, answer), { timeoutMs: 60 });
      assert.deepEqual(result, { ok: false, fault: "timeout", message: "no whole answer came within 0.06 s" });
    });
    test(`${name} can be given up`, async (t) => {
      const stop = new AbortController();
      const origin = await serveRaw(t, (socket) => (answer(socket), stop.abort()));
      const result = await get(origin, { signal: stop.signal });
      assert.deepEqual(result, { ok: false, fault: "aborted", message: "the request was given up" });
    });
  }

  test("a request that is given up before it begins is not sent", async (t) => {
    let asked = 0;
    const origin = await serve(t, (_request, response) => ((asked += 1), response.end()));
    const result = await get(origin, { signal: AbortSignal.abort() });
    assert.deepEqual([!result.ok && result.fault, asked], ["aborted", 0]);
  });

  const broken: readonly [string, string, RegExp][] = [
    ["a connection that is cut", "", /^the connection was cut|socket hang up/],
    ["a body that is cut", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", /^the connection was cut before/],
    ["an answer that is no HTTP", "SSH-2.0-x\r\n", /Parse Error/],
    ["headers without measure", `HTTP/1.1 200 OK\r\nx-a: ${"y".repeat(200_000)}\r\n\r\n`, /Header overflow/i],
    ["a switch of protocols", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", /./],
  ];
  for (const [name, text, message] of broken) {
    test(name, async (t) => {
      const result = await get(await serveRaw(t, (socket) => socket.end(text)));
      assert.ok(!result.ok);
      assert.equal(result.fault, "network");
      assert.match(result.message, message);
    });
  }
});

describe("redirects", () => {
  /** Redirects from `/status/n`, as often as `n` says, to `/end`. */
  function redirecting(target: (path: string) => string): RequestListener {
    return (request, response) => {
      const [, status, left] = request.url!.split("/");
      if (status === "end") return void echo(request, response);
      const next = left === "1" ? "/end" : `/${status}/${Number(left) - 1}`;
      request.resume().on("end", () => response.writeHead(Number(status), { location: target(next) }).end("moved"));
    };
  }

  test("are answers where nobody asked to follow them", async (t) => {
    const answer = await getAnswer(
      `${await serve(
        t,
        redirecting((path) => path),
      )}/302/1`,
    );
    assert.deepEqual([answer.status, answer.body.toString()], [302, "moved"]);
  });

  test("are followed as often as was said, five times at most", async (t) => {
    const origin = await serve(
      t,
      redirecting((path) => path),
    );
    assert.equal((await getAnswer(`${origin}/302/2`, { maxRedirects: 2 })).url, `${origin}/end`);
    assert.equal((await getAnswer(`${origin}/302/5`, { maxRedirects: 99 })).url, `${origin}/end`);
    const tooMany = await get(`${origin}/302/6`, { maxRedirects: 99 });
    assert.deepEqual(tooMany, { ok: false, fault: "invalid", message: "the answer redirects more than 5 times" });
    assert.equal((await get(`${origin}/302/3`, { maxRedirects: 2 })).ok, false);
  });

  test("change the method as browsers do", async (t) => {
    const origin = await serve(
      t,
      redirecting((path) => path),
    );
    const rows = [
      ["POST", 301, "GET", ""],
      ["POST", 302, "GET", ""],
      ["POST", 303, "GET", ""],
      ["POST", 307, "POST", "data"],
      ["PUT", 302, "PUT", "data"],
      ["PUT", 303, "GET", ""],
      ["PUT", 308, "PUT", "data"],
    ] as const;
    for (const [method, status, wanted, wantedBody] of rows) {
      const headers = { "content-type": "text/x", authorization: "Bearer t" };
      const seen = await getEcho(`${origin}/${status}/1`, { method, body: "data", headers, maxRedirects: 1 });
      assert.deepEqual([seen.method, seen.body], [wanted, wantedBody], `${method} ${status}`);
      assert.equal(seen.headers["content-type"], (wantedBody && "text/x") || undefined);
      assert.equal(seen.headers["authorization"], "Bearer t");
    }
  });

  test("take no credentials, no body and no header of one's own to another origin", async (t) => {
    const other = await serve(t, echo);
    const origin = await serve(
      t,
      redirecting(() => `${other}/end`),
    );
    const headers = { authorization: "Bearer t", cookie: "a=b", "x-api-key": "k", "accept-language": "de" };
    const seen = await getEcho(`${origin}/302/1`, { headers, maxRedirects: 1 });
    const sent = ["authorization", "cookie", "x-api-key", "accept-language"].map((name) => seen.headers[name]);
    assert.deepEqual(sent, [undefined, undefined, undefined, "de"]);
    const withBody = await get(`${origin}/307/1`, { method: "POST", body: "secret", maxRedirects: 1 });
    assert.match(!withBody.ok ? withBody.message : "", /would send the body of the request to another origin$/);
  });

  test("lead to no forbidden address and no other protocol", async (t) => {
    const rows = [
      ["http://169.254.169.254/", "forbidden-address"],
      ["file:///etc/passwd", "invalid"],
      ["http://[", "invalid"],
    ] as const;
    for (const [target, fault] of rows) {
      const origin = await serve(
        t,
        redirecting(() => target),
      );
      const result = await get(`${origin}/302/1`, { maxRedirects: 3 });
      assert.equal(!result.ok && result.fault, fault);
    }
  });

  test("share one deadline", async (t) => {
    const origin = await serve(t, (_request, response) => {
      setTimeout(() => response.writeHead(302, { location: "/" }).end(), 40);
    });
    const result = await get(origin, { maxRedirects: 5, timeoutMs: 100 });
    assert.equal(!result.ok && result.fault, "timeout");
  });
});
